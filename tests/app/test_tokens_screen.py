"""The tokens' screen in a real browser: its numbers are the library's, its parts and links work."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from page_modules import ask_page
from playwright.sync_api import Page

from dino_core import Inspection, fit_to_patches, inspect, load_backbone, open_picture, to_tensor
from dino_core.analysis.outliers import find_outliers
from dino_core.analysis.tokens import (
    filter_components,
    patch_embeddings,
    position_tables,
    relative_updates,
    stream_norms,
)
from dino_core.vit import VisionTransformer

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
VIEW = '[data-view="tokens"]'
Shown = Callable[[Page, str], dict]


@pytest.fixture(scope="module")
def cat() -> tuple[VisionTransformer, torch.Tensor, Inspection]:
    vit = load_backbone("preview_vits14").vit
    image = to_tensor(fit_to_patches(open_picture(SAMPLES / "cat.jpg"), 14, 224).picture)
    return vit, image, inspect(vit, image)


@pytest.fixture(scope="module")
def shared(visitors: Callable[..., Page]) -> Page:
    page = visitors("#screen=tokens&part=blocks&layer=10&row=5&col=9&filter=filters-130")
    page.wait_for_function(f"document.querySelector('{VIEW}').inside?.part === 'blocks'")
    return page


@pytest.fixture
def page(shared: Page) -> Page:
    """One page for all tests, which begin with one layer and patch, on the first part."""
    shared.mouse.move(0, 0)
    chosen = "{ layer: 10, row: 5, col: 9, head: null }"
    ask_page(shared, "page/selection.js", f"it.select({chosen})")
    turn_to(shared, "patches")
    return shared


def numbers(page: Page, name: str) -> torch.Tensor:
    """An array that the screen shows."""
    values = page.evaluate(f"Array.from(document.querySelector('{VIEW}').inside.{name})")
    return torch.tensor(values)


def turn_to(page: Page, part: str) -> None:
    page.click(f"{VIEW} .inside-choice [data-value={part}]")
    page.wait_for_function(
        f"document.querySelector('{VIEW}').inside?.part === '{part}'", timeout=60_000
    )


def test_embeddings_and_filter_responses(page: Page, cat) -> None:
    vit, image, seen = cat
    embeddings = patch_embeddings(vit, seen)  # [P, D]
    torch.testing.assert_close(
        numbers(page, "embedding"), embeddings[5 * 24 + 9], atol=1e-4, rtol=1e-4
    )
    torch.testing.assert_close(numbers(page, "response"), embeddings[:, 130], atol=1e-4, rtol=1e-4)
    assert page.locator(f"{VIEW} .inside-slider").first.inner_text().split() == [
        *("Page", "128", "to", "255", "of", "384"),
    ]
    page.click(f"{VIEW} .inside-choice [data-value=components]")
    page.locator(f"{VIEW} [aria-label^='Filters of the patch embedding']").click(
        position={"x": 10, "y": 10}
    )
    page.wait_for_function(f"document.querySelector('{VIEW}').inside.filter?.kind === 'components'")
    component = filter_components(vit.patch_embed.proj.weight).filters[:1]
    expected = F.conv2d(image[None], component, stride=14).flatten()
    torch.testing.assert_close(numbers(page, "response"), expected, atol=1e-3, rtol=1e-3)


def test_similarity_of_positions(page: Page, cat) -> None:
    vit, _, seen = cat
    turn_to(page, "positions")
    learned, given = (F.normalize(table, dim=-1) for table in position_tables(vit, seen.grid))
    torch.testing.assert_close(
        numbers(page, "given"), (given @ given[5, 9]).flatten(), atol=1e-5, rtol=0
    )
    row, col = page.evaluate(f"document.querySelector('{VIEW}').inside.cell")
    # (5 + 1/2) 37 / 16.1 - 1/2 = 12.1 and (9 + 1/2) 37 / 24.1 - 1/2 = 14.1
    assert (row, col) == (12, 14)
    torch.testing.assert_close(
        numbers(page, "learned"), (learned @ learned[row, col]).flatten(), atol=1e-5, rtol=0
    )


def test_lengths_outliers_and_updates_of_every_step(page: Page, cat, shown: Shown) -> None:
    seen = cat[2]
    turn_to(page, "blocks")
    norms = stream_norms(seen)
    outliers = find_outliers(norms[:, 1:])
    updates = relative_updates(seen)
    for step in (11, 10, 9):
        state = shown(page, "tokens")
        assert state["step"] == step
        torch.testing.assert_close(numbers(page, "norms"), norms[step, 1:])
        assert state["norm"] == pytest.approx(norms[step, 1 + 5 * 24 + 9].item(), rel=1e-5)
        assert state["threshold"] == pytest.approx(outliers.threshold[step].item(), rel=1e-5)
        assert state["outliers"] == outliers.mask[step].nonzero().flatten().tolist()
        assert page.locator(f"{VIEW} .inside-rings rect.over").count() == len(state["outliers"])
        for branch in (0, 1):
            expected = updates[step - 1, branch, 1:].mean().item()
            assert state["updates"][branch] == pytest.approx(expected, rel=1e-4)
        page.locator(f"{VIEW} .inside-part:not([hidden]) .inside-picture").focus()
        page.keyboard.press("[")
        page.wait_for_function(f"document.querySelector('{VIEW}').inside.step === {step - 1}")
    for _ in range(8):
        page.keyboard.press("[")
    page.wait_for_function(f"document.querySelector('{VIEW}').inside.step === 0")
    torch.testing.assert_close(numbers(page, "norms"), norms[0, 1:])


def test_hovering_asks_the_server_nothing(page: Page, shown: Shown) -> None:
    for part in ("patches", "blocks", "positions"):
        turn_to(page, part)
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        picture = page.locator(f"{VIEW} .inside-part:not([hidden]) .inside-picture").first
        box = picture.bounding_box()
        assert box
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
        before = shown(page, "tokens")
        page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.6 * box["height"])
        page.wait_for_function(
            f"""([row, col]) => {{ const now = document.querySelector('{VIEW}').inside;
                return now.row !== row && now.col !== col; }}""",
            arg=[before["row"], before["col"]],
        )
        page.mouse.move(0, 0)
        # Other screens get ready meanwhile; what is hovered asks nobody.
        assert [url for url in asked if f"tokens/{part}" in url or "queue/join" in url] == []


def test_the_python_lines_run_and_say_the_same(page: Page, cat, capsys) -> None:
    vit, _, seen = cat
    page.click(f"{VIEW} .inside-take >> text=Python")
    code = page.locator(f"{VIEW} .inside-code")
    marks = {"patches": "filter_comp", "positions": "position_t", "blocks": "stream_n"}
    printed = {}
    for part, mark in marks.items():
        turn_to(page, part)
        page.wait_for_function(
            "([view, mark]) => document.querySelector(`${view} .inside-code`)"
            ".textContent.includes(mark)",
            arg=[VIEW, mark],
        )
        exec(code.inner_text(), {})  # our own page's words
        printed[part] = capsys.readouterr().out
    embedding = patch_embeddings(vit, seen)[5 * 24 + 9]
    assert f"{embedding[0].item():.4f}" in printed["patches"]
    assert "1.0000" in printed["positions"]  # a position with itself
    outliers = find_outliers(stream_norms(seen)[:, 1:])
    assert f"{outliers.threshold[11].item():.4f}" in printed["blocks"]


def test_charts_follow_the_patch_and_the_step(page: Page, cat) -> None:
    """The curve of the patch, the line at the step, and a click that goes to a step."""
    norms = stream_norms(cat[2])
    turn_to(page, "blocks")
    page.wait_for_selector(f"{VIEW} .inside-growth > [data-drawn]:nth-child(2)", timeout=60_000)
    lengths, updates = page.locator(f"{VIEW} .inside-growth > *").all()
    page.wait_for_function(
        f"""(row) => {{ const chart = document.querySelector('{VIEW} .inside-growth > *');
            const trace = chart.data.find((one) => one.meta?.part === "patch");
            return Math.abs(trace.y[3] - row) < 1e-3 && chart.layout.shapes[0].x0 === 11; }}""",
        arg=norms[3, 1 + 5 * 24 + 9].item(),
    )
    assert updates.evaluate("(chart) => chart.layout.shapes[0].x0") == 11
    page.locator(f"{VIEW} .inside-part:not([hidden]) .inside-picture").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        f"""(row) => {{ const chart = document.querySelector('{VIEW} .inside-growth > *');
            const trace = chart.data.find((one) => one.meta?.part === "patch");
            return Math.abs(trace.y[3] - row) < 1e-3; }}""",
        arg=norms[3, 1 + 5 * 24 + 10].item(),
    )
    place = lengths.evaluate(
        """(chart) => { const { xaxis, yaxis } = chart._fullLayout;
            return [xaxis._offset + xaxis.d2p("after block 3"),
                yaxis._offset + yaxis._length / 2]; }"""
    )
    lengths.click(position={"x": place[0], "y": place[1]})
    page.wait_for_function(f"document.querySelector('{VIEW}').inside.step === 4")


def test_another_picture_on_the_way_is_not_read_as_the_old_one(visitor, shown: Shown) -> None:
    """The page's grid was already the new picture's while the arrays were still the old one's."""
    page = visitor("#screen=tokens&part=blocks&sample=pagoda.jpg&size=448")
    page.mouse.move(760, 560)
    page.wait_for_function(
        f"""() => {{ const now = document.querySelector('{VIEW}').inside;
            return now.key !== 'first' && now.norm > 0; }}""",
        timeout=60_000,
    )
    turn_to(page, "patches")
    assert len(shown(page, "tokens")["fits"]) == 3
