"""film, webpage, grid, compare, tray, video: all that each says, writes and draws."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_commands import (
    SHEET,
    Drawn,
    Place,
    files_in,
    holds,
    line_of,
    plain,
    run,
    same_calls,
    shows,
)
from tiny_models import tiny_vit

from dino_core.analysis.comparison import cka_matrix, to_grid
from dino_core.analysis.depth import attention_by_layer, layers_in_colours
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.analysis.model_grid import View, models_by_layers
from dino_core.analysis.side_by_side import compared
from dino_core.analysis.tray import TraySettings, fill_tray
from dino_core.analysis.tray_columns import column_of
from dino_core.analysis.videos import in_one_basis, one_hot, track
from dino_core.config import PCA_PRESETS, PropagationConfig, ViTConfig
from dino_core.draw.film import film_bytes, layer_frames, patch_frames, tinted
from dino_core.images import patch_box, to_tensor
from dino_core.weights import load_backbone, save_backbone

Said = pytest.CaptureFixture[str]
Call = tuple[str, list[Any], dict[str, Any]]
COLOURS = ["--preset", "dinov3-notebook", "--flip", "--align", "signs", "--robust"]
CONFIG = replace(PCA_PRESETS["dinov3-notebook"], flip=True)
PIXELS: Call = ("panel_pixels", ["panel", 150], {})


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "other.safetensors"
    save_backbone(tiny_vit(ViTConfig(dim=36, depth=2, heads=2, image_size=56), 1), path)
    return path


def seen_by(weights: Path, place: Place) -> list[Inspection]:
    vit = load_backbone(weights=weights).vit
    return [inspect(vit, to_tensor(one.picture)) for one in place.fitted]


def said_of(words: list[Any], *done: str) -> list[str]:
    return [f"Figure -> {words[-1]}", line_of(*words), *done]


def saved(words: list[Any]) -> Call:
    options = {"dpi": 300, "caption": line_of(*words), "charts": None}
    return ("save", ["panel", words[-1]], options)


# --- film, webpage


def test_film_of_pca(place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    film, numbers = tmp_path / "new" / "a.webp", tmp_path / "more" / "a.npz"
    words = ["film", place.pictures[0], *COLOURS, "--steps", "2", "--milliseconds", "50"]
    words += ["--size", "native", "--weights", place.weights, "--output", film]
    words += ["--arrays", numbers, "--figure", tmp_path / "a.svg"]
    ran = run(capsys, *words)
    seen = place.seen[0]
    family = layers_in_colours(seen, CONFIG, method="signs", robust=True)
    notes = [family.note] if family.note else []
    assert ran.out == said_of(words, f"3 layers -> {film} ({place.title})", *notes)
    colours = torch.stack([one.colours for one in family.maps]).numpy()
    holds(
        numbers,
        colours=colours,
        foreground=family.maps[-1].foreground.numpy(),
        scores=torch.stack([one.scores for one in family.maps]).numpy(),
        cosine=[one.cosine for one in family.maps],
        variance=[one.variance for one in family.maps],
    )
    frames = layer_frames(colours, np.asarray(place.fitted[0].picture), 2, None)
    assert film.read_bytes() == film_bytes(frames, "webp", 50)
    panel = ("layers_in_colours", [seen, family], {"width": "page"})
    same_calls(drawn.pop(), panel, saved(words))


@pytest.mark.parametrize(("query", "head"), [(None, None), ((1, 4), 2)])
def test_film_of_attention(
    query: tuple[int, int] | None,
    head: int | None,
    place: Place,
    drawn: Drawn,
    tmp_path: Path,
    capsys: Said,
) -> None:
    film, numbers = tmp_path / "a.GIF", tmp_path / "a.npz"
    chosen = ["--query", "1,4", "--head", "2"] if query else []
    words = [
        "film",
        place.pictures[0],
        "--steps",
        "2",
        "--view",
        "attention",
        *chosen,
        "--size",
        "native",
    ]
    words += ["--weights", place.weights, "--output", film, "--arrays", numbers]
    words += ["--figure", tmp_path / "a.svg"]
    ran = run(capsys, *words)
    assert ran.out == said_of(words, f"3 layers -> {film} ({place.title})")
    values = attention_by_layer(place.seen[0], query, head=head).numpy()
    holds(numbers, attention=values)
    known = values / values.max((1, 2))[:, None, None]
    box = patch_box(1, 4, 14) if query else None
    frames = layer_frames(known, np.asarray(place.fitted[0].picture), 2, box)
    assert film.read_bytes() == film_bytes(frames, "gif", 40)
    panel = ("attention_by_layer", [place.seen[0], query], {"head": head, "width": "page"})
    same_calls(drawn.pop(), panel, saved(words))
    assert run(capsys, *words[:-4]).code == 0, "numbers and a figure only where asked"
    assert files_in(tmp_path) == ["a.GIF", "a.npz"]


@pytest.mark.parametrize("title", [None, "A title"])
def test_webpage(
    title: str | None,
    place: Place,
    tmp_path: Path,
    capsys: Said,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[Call] = []

    def page(*args: Any, **options: Any) -> str:
        calls.append(("page", [*args], options))
        return "ä" * 600_000

    monkeypatch.setattr("dino_core.figures.offline_page.offline_page", page)
    out, chosen = tmp_path / "new", ["--title", title] if title else []
    words = ["webpage", *place.pictures, *COLOURS, *chosen, "--size", "native"]
    words += ["--weights", place.weights, "--output", out]
    ran = run(capsys, *words)
    wanted, done = [], []
    for name, seen in zip(("one", "two"), place.seen, strict=True):
        family = layers_in_colours(seen, CONFIG, method="signs", robust=True)
        h, w = seen.grid
        told = {
            "title": title or f"{name}.png",
            "words": f"{place.title}, {h} × {w} patches of 14 px.",
        }
        wanted.append(("page", [seen, family], told))
        done.append(f"A page of 1.2 MB -> {out / name}.html ({place.title})")
        done += [family.note] if family.note else []
        assert (out / f"{name}.html").read_text(encoding="utf-8") == "ä" * 600_000
    assert ran.out == done
    same_calls(calls, *wanted)


def test_a_webpage_of_the_usual_size_and_colours(
    place: Place, tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(
        "dino_core.figures.offline_page.offline_page", lambda *a, **_: calls.append(a) or ""
    )
    target = tmp_path / "a.html"
    words = ["webpage", place.pictures[0], "--weights", place.weights, "--output", target]
    assert run(capsys, *words).code == 0
    ((seen, family),) = calls
    assert seen.grid == (16, 24), "a short side of 224 px"
    usual = layers_in_colours(seen, PCA_PRESETS["paper"])
    assert plain(family.maps[0].colours) == plain(usual.maps[0].colours)


# --- grid, compare


def test_grid(place: Place, other: Path, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    words = ["grid", place.pictures[0], "--models", place.weights, other, "--layers", "0", "-1"]
    words += [*COLOURS, "--size", "native", "--output", out, "--figure", tmp_path / "a.svg"]
    ran = run(capsys, *words)
    assert ran.out == said_of(words, f"2 models, 2 layers each -> {out}")
    seen = [place.seen[0], seen_by(other, place)[0]]
    layers = [[0, 2], [0, 1]]
    found = models_by_layers(seen, layers, View("pca", None, CONFIG, "signs", True))
    maps = {f"map_{i}_{j}": found.maps[i][j].numpy() for i in (0, 1) for j in (0, 1)}
    cosines = {f"cosine_{i}_{j}": found.cosine[i][j] for i in (0, 1) for j in (0, 1)}
    holds(out / "one.npz", cka=found.cka.numpy(), **maps, **cosines)
    shows(out / "one.png", SHEET)
    options = {
        "cka": found.cka,
        "header": "pca, models by layers",
        "query": None,
        "colours": "magma",
    }
    panel = ("model_grid", [seen[0], found.maps, ["tiny", "other"], layers], options)
    wide = (*panel[:2], options | {"width": "page"})
    same_calls(drawn.pop(), panel, PIXELS, wide, saved(words))


@pytest.mark.parametrize(("view", "colours"), [("attention", "magma"), ("similar", "blue-red")])
def test_grid_of_a_query(
    view: str, colours: str, place: Place, drawn: Drawn, tmp_path: Path, capsys: Said
) -> None:
    out = tmp_path / "out"
    words = ["grid", *place.pictures, "--models", place.weights, "--view", view]
    words += ["--query", "3,1", "--size", "native", "--output", out]
    assert run(capsys, *words).out == [f"1 models, 1 layers each -> {out}"]
    calls: list[Call] = []
    for name, seen in zip(("one", "two"), place.seen, strict=True):
        found = models_by_layers([seen], [[2]], View(view, (3, 1)))  # type: ignore[arg-type]
        holds(out / f"{name}.npz", cka=found.cka.numpy(), map_0_0=found.maps[0][0].numpy())
        options = {
            "cka": found.cka,
            "header": f"{view}, models by layers",
            "query": (3, 1),
            "colours": colours,
        }
        calls += [("model_grid", [seen, found.maps, ["tiny"], [[2]]], options), PIXELS]
    same_calls(drawn.pop(), *calls)


def test_compare(place: Place, other: Path, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    words = ["compare", place.weights, other, place.pictures[0], "--layers", "1", "0"]
    words += ["--preset", "dinov3-notebook", "--flip", "--size", "native", "--output", out]
    words += ["--figure", tmp_path / "a.svg"]
    ran = run(capsys, *words)
    seen, second = place.seen[0], seen_by(other, place)[0]
    found = compared(seen.patches(1), second.patches(0), [seen.grid, second.grid], CONFIG)
    names = ["tiny, layer 1", "other, layer 0"]
    assert ran.out == [
        f"{place.pictures[0]}: CKA {found.cka:.3f}",
        *said_of(words, f"{names[0]} and {names[1]} -> {out}"),
    ]
    own = [seen.patches(layer) for layer in range(3)]
    theirs = [to_grid(second.patches(layer), second.grid, seen.grid) for layer in range(2)]
    maps = ("colours", "scores", "second_colours", "second_scores")
    holds(
        out / "one.npz",
        cka=found.cka,
        cka_biased=found.cka_biased,
        **{name: value.numpy() for name, value in vars(found.alignment).items()},
        **{name: getattr(found, name).numpy() for name in maps},
        layers=cka_matrix(own, theirs).numpy(),
    )
    shows(out / "one.png", SHEET)
    panel = ("comparison", [seen, found, names], {})
    same_calls(drawn.pop(), panel, PIXELS, (*panel[:2], {"width": "page"}), saved(words))


def test_two_layers_of_one_model(place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    """Opened once: both inspections are of the same weights."""
    opened: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        from dino_core.cli import families

        load = families.load_named
        patch.setattr(families, "load_named", lambda *a: opened.append(a[0]) or load(*a))
        words = ["compare", place.weights, place.weights, place.pictures[1], "--size", "native"]
        ran = run(capsys, *words, "--output", tmp_path)
    assert opened == [str(place.weights)]
    assert ran.out[0] == f"{place.pictures[1]}: CKA 1.000"
    assert ran.out[1] == f"tiny, layer 2 and tiny, layer 2 -> {tmp_path}"
    drawn.pop()


# --- tray


def test_tray(place: Place, other: Path, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    columns = ["input", "pca:0", "pca/1", "attention:1.2", "clusters", "norms:0", "similar@1:2,3"]
    columns += ["difference", "norms"]
    words = ["tray", *place.pictures, "--columns", *columns, "--second", other]
    words += ["--k", "3", "--seed", "5", *COLOURS, "--size", "native", "--weights", place.weights]
    words += ["--output", out, "--figure", tmp_path / "a.svg"]
    ran = run(capsys, *words)
    assert ran.out == said_of(words, f"2 pictures, 9 columns -> {out} ({place.title})")
    both = list(zip(place.seen, seen_by(other, place), strict=True))
    settings = TraySettings(CONFIG, "signs", True, 3, 5)
    filled = fill_tray(2, lambda row: both[row], [column_of(word) for word in columns], settings)
    arrays: dict[str, Any] = {}
    for number, one in enumerate(filled.columns[1:], 1):
        arrays |= {f"map_{number}_{row}": one.maps[row].numpy() for row in (0, 1)}
        arrays[f"numbers_{number}"] = np.array(one.numbers, np.float32)
    holds(
        out / "tray.npz",
        **arrays,
        columns=[one.column.word for one in filled.columns],
        names=["one.png", "two.png"],
        models=["tiny", "other"],
        limits=[one.limits or (np.nan, np.nan) for one in filled.columns],
    )
    shows(out / "tray.png", SHEET)
    rest = [filled, ["one.png", "two.png"]]
    models = {"models": ["tiny", "other"]}
    same_calls(
        drawn.pop(),
        ("tray", rest, {"width": 216.0} | models),
        PIXELS,
        ("tray", rest, {"width": "page"} | models),
        saved(words),
    )


def test_a_tray_of_few_columns_is_as_wide_as_a_page(
    place: Place, drawn: Drawn, tmp_path: Path, capsys: Said
) -> None:
    words = ["tray", *place.pictures, "--size", "native", "--weights", place.weights]
    assert run(capsys, *words, "--output", tmp_path).code == 0
    (_, (filled, _), options), _ = drawn.pop()
    assert options == {"width": 183.0, "models": ["tiny"]}
    assert [one.column.view for one in filled.columns] == ["input", "pca", "attention"]


# --- video


def test_video(place: Place, tmp_path: Path, capsys: Said) -> None:
    frames, film = tmp_path / "frames", tmp_path / "new" / "a.webp"
    frames.mkdir()
    for number in range(3):
        picture = np.roll(np.asarray(place.fitted[0].picture), 9 * number, 1)
        Image.fromarray(picture).save(frames / f"{number}.png")
    words = ["video", frames, "--layer", "1", "--preset", "dinov3-notebook", "--flip"]
    words += ["--size", "native", "--weights", place.weights, "--milliseconds", "70"]
    words += ["--every", "2", "--output", film, "--arrays", tmp_path / "a.npz"]
    ran = run(capsys, *words)
    assert ran.out == [f"2 frames, one PCA -> {film} ({place.title})"]
    fitted = [replace(place.fitted[0], picture=Image.open(frames / f"{n}.png")) for n in (0, 2)]
    features = [inspect(place.backbone.vit, to_tensor(one.picture)).patches(1) for one in fitted]
    found = in_one_basis(features, fitted, CONFIG)
    holds(tmp_path / "a.npz", **{name: value.numpy() for name, value in vars(found).items()})
    shown = patch_frames(found.colours.numpy(), ["0.png", "2.png"], 14)
    assert film.read_bytes() == film_bytes(shown, "webp", 70)
    mask = np.zeros((56, 84), np.uint8)
    mask[14:42, 28:56] = 1
    Image.fromarray(mask).save(tmp_path / "mask.png")
    tracking = ["--mask", tmp_path / "mask.png", "--neighbours", "2", "--radius", "3"]
    ran = run(capsys, *words, *tracking, "--queue", "4", "--most", "1")
    assert ran.out == [f"1 frames, 1 tracked -> {film} ({place.title})"]
    assert ran.err == [f"{frames}: Only the first 1 frames are used."]
    ran = run(capsys, *words, *tracking, "--queue", "4", "--every", "1")
    assert ran.out == [f"3 frames, 1 tracked -> {film} ({place.title})"]
    pictures = [Image.open(frames / f"{n}.png") for n in range(3)]
    features = [inspect(place.backbone.vit, to_tensor(one)).patches(1) for one in pictures]
    first = one_hot(torch.from_numpy(mask[7::14, 7::14].astype(np.int64)).flatten())
    tracked = track(features, first, place.fitted[0], PropagationConfig(2, 3, 4))
    holds(tmp_path / "a.npz", **{name: value.numpy() for name, value in vars(tracked).items()})
    shown = tinted(
        list(map(np.asarray, pictures)), tracked.masks.numpy(), ["0.png", "1.png", "2.png"]
    )
    assert film.read_bytes() == film_bytes(shown, "webp", 70)


@pytest.mark.parametrize(
    ("words", "size"),
    [([], (224, 336)), (["--size", "56"], (56, 84)), (["--fit", "pad"], (224, 336))],
)
def test_the_size_of_frames(words: list[str], size: tuple[int, int], place: Place) -> None:
    from dino_core.cli.main import build_parser
    from dino_core.cli.videos import fitting

    args = build_parser().parse_args(["video", "x", "--output", "a.gif", *words])
    fitted = fitting(args, place.backbone)(Image.new("RGB", (460, 300)))
    assert (fitted.picture.height, fitted.picture.width) in (size, (size[0], size[1] + 14))
    assert fitted.patch_size == 14
