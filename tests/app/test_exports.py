"""What can be taken along: each file opens elsewhere, and holds the numbers that are shown."""

import csv
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from page_modules import ask_page
from PIL import Image
from playwright.sync_api import Page, expect

from dino_core import Inspection, fit_to_patches, inspect, load_backbone, open_picture, to_tensor
from dino_core.config import CropConfig
from dino_core.crops import sample_crops
from dino_core.scenes.features import features_scene

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
GRID = 16 * 24  # of the cat at 224 px
# A screen, its part, and what its files must be: width / height of the PNG, rows of the CSV.
PAIR = (2 * 700 + 24) / max(700 * 16 / 24, 700)
STATES = [
    ("crops", "", None, 10),
    ("masks", "", (3 * 448 + 4 * 16) / (448 + 2 * 16), None),
    ("tokens", "patches", 7 / 4, GRID),
    ("tokens", "positions", 1 + 24 / (15 * 37) + 1.5, GRID),
    ("tokens", "blocks", 24 / 16, 1 + GRID),
    ("attention", "", 24 / 16, GRID),
    ("features", "colours", 24 / 16, GRID),
    ("features", "map", None, GRID),
    ("features", "compare", (2 * 700 + 24) / 467, 12),
    ("whatif", "", (3 * 440 - 20) / (2 * 310), GRID),
    ("losses", "", 1, 10 * 2 + 76),
    ("update", "", None, None),
]
IDS = [f"{screen} {part}".strip() for screen, part, *_ in STATES]


@pytest.fixture(scope="module")
def page(visitors: Callable[..., Page]) -> Page:
    return visitors("#layer=8&row=5&col=9&screen=attention")


@pytest.fixture(scope="module")
def cat() -> Inspection:
    vit = load_backbone("preview_vits14").vit
    fitted = fit_to_patches(open_picture(SAMPLES / "cat.jpg"), 14, 224)
    return inspect(vit, to_tensor(fitted.picture))


def turn_to(page: Page, screen: str, part: str = "") -> None:
    view = f'[data-view="{screen}"]'
    page.mouse.move(0, 0)
    page.click(f"#tab-{screen}")
    page.wait_for_selector(f"{view}[data-ready]")
    if part:
        page.click(f"{view} .inside-choice [data-value={part}]")
        name = "part" if screen == "tokens" else "mode"
        ready = f"s.{name} === '{part}'" + {"map": " && s.labels", "compare": " && s.cka"}.get(
            part, ""
        )
        page.wait_for_function(
            f"(() => {{ const s = document.querySelector('{view}').inside; return {ready}; }})()"
        )


def take(page: Page, screen: str, kind: str) -> bytes:
    """The file that a button gives."""
    with page.expect_download() as download:
        page.click(f'[data-view="{screen}"] .inside-take >> text="{kind}"')
    assert download.value.suggested_filename == f"{screen}.{kind.lower()}"
    return download.value.path().read_bytes()


def arrays(data: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(data)) as file:
        return dict(file) | {"facts": json.loads(str(file["facts"]))}


def table(data: bytes) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"))))
    assert all(None not in row and None not in row.values() for row in rows), "ragged"
    return rows


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


@pytest.mark.parametrize(("screen", "part", "aspect", "lines"), STATES, ids=IDS)
def test_every_kind_of_file_opens(
    page: Page, screen: str, part: str, aspect: float | None, lines: int | None
) -> None:
    turn_to(page, screen, part)
    image = Image.open(io.BytesIO(take(page, screen, "PNG")))
    assert image.format == "PNG"
    assert min(image.size) >= 200
    if aspect:
        assert image.width / image.height == pytest.approx(aspect, rel=0.01)
    low, high = zip(*image.convert("RGB").getextrema(), strict=True)
    assert max(np.subtract(high, low)) > 60, "something is drawn"

    held = arrays(take(page, screen, "NPZ"))
    assert held.pop("facts")
    for name, values in held.items():
        if name.endswith("neighbours"):  # a patch at the edge has none on that side
            edge = 2 * (16 + 24) / (4 * GRID)
            assert np.isnan(values).mean() == pytest.approx(edge), name
        elif values.dtype.kind == "f":
            assert np.isfinite(values).all(), name
        assert values.dtype != object, name

    rows = table(take(page, screen, "CSV"))
    assert len(rows) == lines if lines else len(rows) >= 3
    if "row" in rows[0] and lines == GRID:
        assert [(int(r["row"]), int(r["column"])) for r in rows] == [
            divmod(p, 24) for p in range(GRID)
        ]


def test_attention_is_the_library_s(page: Page, cat: Inspection) -> None:
    turn_to(page, "attention")
    held = arrays(take(page, "attention", "NPZ"))
    logits = held["queries"] @ held["keys"].swapaxes(1, 2)  # [A, N, N]
    attention = torch.from_numpy(logits * held["facts"]["scale"]).softmax(-1)
    token = cat.token_at(5, 9)
    wanted = cat.rows(token)[8]  # [A, N]
    torch.testing.assert_close(attention[:, token], wanted, atol=1e-5, rtol=1e-3)

    rows = table(take(page, "attention", "CSV"))
    shown, tokens, first = page.evaluate(
        "(({ rows, tokens, firstPatch }) => [[...rows], tokens, firstPatch])"
        "(document.querySelector('[data-view=attention]').inside)"
    )
    assert (tokens, first) == (1 + GRID, 1)
    heads = np.array(shown).reshape(6, tokens)[:, first:]
    for a in range(6):
        values = column(rows, f"head_{a}")  # counted from 0
        np.testing.assert_array_equal(values, heads[a])
        np.testing.assert_allclose(values, wanted[a, first:].numpy(), atol=1e-5)


def test_features_are_the_library_s(page: Page, cat: Inspection) -> None:
    turn_to(page, "features", "colours")
    held = arrays(take(page, "features", "NPZ"))
    wanted = features_scene(cat, 8, "paper", False)
    np.testing.assert_allclose(held["scores"], wanted.scores, atol=1e-2)
    np.testing.assert_allclose(held["ratio"], wanted.ratio, atol=1e-4)
    np.testing.assert_array_equal(held["foreground"], wanted.foreground)
    assert np.abs(held["colours"].astype(int) - wanted.colours).max() <= 2
    rows = table(take(page, "features", "CSV"))
    for k in range(3):
        np.testing.assert_allclose(
            column(rows, f"component_{k}"), wanted.scores.reshape(-1, 3)[:, k], atol=1e-2
        )
    directions = torch.nn.functional.normalize(cat.patches(8), dim=-1)
    cosines = directions @ directions[5 * 24 + 9]
    np.testing.assert_allclose(column(rows, "cosine_to_chosen"), cosines, atol=1e-5)


def test_crops_and_masks_are_what_was_drawn(page: Page) -> None:
    turn_to(page, "crops")
    drawn = sample_crops(
        open_picture(SAMPLES / "cat.jpg"), CropConfig(), torch.Generator().manual_seed(0)
    )
    rows = table(take(page, "crops", "CSV"))
    boxes = [[int(row[name]) for name in ("x0", "y0", "x1", "y1")] for row in rows]
    assert boxes == [list(crop.box) for crop in drawn]

    turn_to(page, "masks")
    rows = table(take(page, "masks", "CSV"))
    held = arrays(take(page, "masks", "NPZ"))
    hidden = int(rows[-1]["hidden_so_far"])
    assert hidden == column(rows, "new_patches").sum() == held["mask"].astype(bool).sum()
    covered = np.zeros_like(held["mask"], dtype=bool)
    for row in rows:
        top, left, height, width = (int(row[n]) for n in ("top", "left", "height", "width"))
        covered[top : top + height, left : left + width] = True
    np.testing.assert_array_equal(covered, held["mask"].astype(bool))


def test_two_pictures_are_taken_along_together(page: Page) -> None:
    turn_to(page, "features", "pair")
    view = '[data-view="features"]'
    page.click(f"{view} .inside-way:not([hidden]) .inside-samples button >> nth=1")
    page.wait_for_function(f"document.querySelector('{view}').inside.forward")
    image = Image.open(io.BytesIO(take(page, "features", "PNG")))
    assert image.width == 2 * 700 + 24
    held = arrays(take(page, "features", "NPZ"))
    rows = table(take(page, "features", "CSV"))
    assert len(rows) == len(held["forward"]) == GRID
    np.testing.assert_allclose(column(rows, "cosine"), held["forward_similarity"], atol=1e-6)
    assert column(rows, "mutual").sum() == held["mutual"].sum() > 0


def test_a_figure_for_print_is_what_is_shown(page: Page) -> None:
    turn_to(page, "attention")
    here = page.locator('[data-view="attention"]')
    here.get_by_role("button", name="Figure", exact=True).click()
    panel = here.get_by_role("group", name="Figure for print")
    panel.get_by_role("button", name="PDF").click()
    with page.expect_download() as download:
        panel.get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "attention.pdf"
    assert download.value.path().read_bytes().startswith(b"%PDF")
    expect(panel.get_by_role("status")).to_contain_text("--figure attention.pdf")
    expect(panel.get_by_role("status")).to_contain_text("--figure-width column")


def test_the_link_is_copied_and_brings_the_state_to_another_visitor(
    page: Page, visitor: Callable[..., Page], server: str
) -> None:
    one = page
    turn_to(one, "attention")
    one.click("#samples button[data-file='rocket.jpg']")
    one.wait_for_function("location.hash.includes('sample=rocket.jpg')")
    one.fill("#seed input", "4")
    one.keyboard.press("Tab")
    one.wait_for_function("location.hash.includes('seed=4')")
    ask_page(one, "page/selection.js", "it.select({ layer: 7, row: 3, col: 20, head: 1 })")
    here = "document.querySelector('[data-view=attention]').inside"
    one.wait_for_function(f"{here}.key !== 'first' && {here}.layer === 7 && {here}.row === 3")
    one.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = one.locator('[data-view="attention"] .inside-take >> text="Link"')
    button.click()
    one.locator('[data-view="attention"] .inside-take >> text="Copied"').wait_for()
    link = one.evaluate("navigator.clipboard.readText()")
    assert link.startswith(server)

    two = visitor("#" + link.partition("#")[2])
    two.wait_for_function(f"{here}.key !== 'first' && {here}.layer === 7 && {here}.row === 3")
    assert two.evaluate(f"[{here}.col, {here}.head]") == [20, 1]
    assert ask_page(two, "page/screens.js", "it.currentView().sample") == "rocket.jpg"
    assert ask_page(two, "page/screens.js", "it.currentView().seed") == 4
    assert two.locator("#tab-attention").get_attribute("aria-selected") == "true"
    keys = [page.evaluate(f"{here}.key") for page in (one, two)]
    assert keys[0] != keys[1], "each has a picture of their own"
    rows = [page.evaluate(f"[...{here}.rows]") for page in (one, two)]
    assert math.dist(*rows) < 1e-6
