"""--figure: every command that draws writes the library's figure, or says why not."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from alike import assert_same
from PIL import Image

from dino_core import figures
from dino_core.__main__ import main
from dino_core.analysis.inspection import inspect
from dino_core.config import CropConfig, MaskConfig, ViTConfig
from dino_core.crops import sample_crops
from dino_core.images import to_tensor
from dino_core.masks import sample_block_mask
from dino_core.runs.folder import FORMAT
from dino_core.vit import VisionTransformer
from dino_core.weights import load_backbone, save_backbone


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = ViTConfig(dim=64, depth=3, heads=2, image_size=56)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_backbone(VisionTransformer(config, generator=torch.Generator().manual_seed(0)), path)
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Of whole patches, 42 x 56 px (height x width)."""
    pixels = np.random.default_rng(0).integers(0, 256, (42, 56, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


def written(command: str, *words: object, figure: Path) -> bytes:
    assert main([command, *map(str, words), "--figure", str(figure)]) == 0
    return figure.read_bytes()


def caption(capsys: pytest.CaptureFixture[str]) -> str:
    """What the command printed below the name of the figure."""
    lines = capsys.readouterr().out.splitlines()
    (place,) = [i for i, line in enumerate(lines) if line.startswith("Figure -> ")]
    return lines[place + 1]


def test_attention_is_the_library_s(
    tiny: Path, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = (picture, "--layer", -2, "--query", "1,3", "--output", out)
    options = ("--weights", tiny, "--size", "native")
    data = written("attention", *words, *options, figure=tmp_path / "a.svg")
    backbone = load_backbone(None, tiny)
    seen = inspect(backbone.vit, to_tensor(Image.open(picture).convert("RGB")))
    said, panel = caption(capsys), figures.attention(seen, (1, 3), layer=1)
    expected = figures.save(panel, tmp_path / "b.svg", caption=said)
    assert said.startswith("Attention, layer 1 of 0–2, query: patch 1,3;")
    assert f" attention {picture} --layer -2 --query 1,3 --output {out} " in said
    assert_same(data, expected.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("command", ["pca", "features"])
def test_pca_under_the_pictures(command: str, tiny: Path, picture: Path, tmp_path: Path) -> None:
    out = tmp_path / ("out" if command == "pca" else "out.npz")
    options = ("--output", out, "--weights", tiny, "--size", "native")
    data = written(command, picture, *options, figure=tmp_path / "a.svg")
    text = data.decode()
    assert ">input</text>" in text
    assert "% foreground</text>" in text
    named = "layer 2" if command == "pca" else "last layer"
    assert named in text
    if command == "pca":
        backbone = load_backbone(None, tiny)
        seen = inspect(backbone.vit, to_tensor(Image.open(picture).convert("RGB")))
        ours = figures.save(figures.pca([seen]), tmp_path / "b.svg").read_text(encoding="utf-8")
        assert [line for line in text.split("\n") if "xlink:href" in line] == [
            line for line in ours.split("\n") if "xlink:href" in line
        ], "the same pictures and colours"


def test_more_pictures_than_a_figure_has_room_for(
    tiny: Path, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copies = [tmp_path / f"{number}.png" for number in range(25)]
    for copy in copies:
        copy.write_bytes(picture.read_bytes())
    words = ["pca", *map(str, copies), "--output", str(tmp_path / "out")]
    assert main([*words, "--weights", str(tiny), "--figure", str(tmp_path / "a.pdf")]) == 2
    assert "room for 24 pictures, and these are 25" in capsys.readouterr().err
    assert not (tmp_path / "out").exists(), "said before the long work"


@pytest.mark.slow
def test_crops_are_those_of_the_seed(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (picture, "--seed", 3, "--locals", 2, "--output", tmp_path / "out")
    data = written("crops", *words, figure=tmp_path / "a.pdf")
    source = Image.open(picture).convert("RGB")
    drawn = sample_crops(source, CropConfig(local_count=2), torch.Generator().manual_seed(3))
    panel = figures.crops(source, drawn)
    expected = figures.save(panel, tmp_path / "b.pdf", caption=caption(capsys))
    assert_same(data, expected.read_bytes())


@pytest.mark.slow
def test_masks_as_a_panel_and_as_charts(tmp_path: Path) -> None:
    words = ("--grid", "8x10", "--count", 30, "--seed", 5, "--output", tmp_path / "masks.npz")
    panel = written("masks", *words, figure=tmp_path / "a.svg").decode()
    generator = torch.Generator().manual_seed(5)
    drawn = [sample_block_mask((8, 10), 24, MaskConfig(), generator) for _ in range(30)]
    assert panel.count(" of 80, ") == 24, "the first, as many as there is room for"
    assert f">{drawn[0].achieved} of 80, {len(drawn[0].blocks)} blocks</text>" in panel
    with np.load(tmp_path / "masks.npz") as file:
        np.testing.assert_array_equal(file["masks"], [one.mask.numpy() for one in drawn])
    page = written("masks", *words, figure=tmp_path / "a.html").decode()
    met = sum(one.achieved == 24 for one in drawn)
    assert f"the target 24 met in {met} of 30 draws" in page


def test_width_in_mm_and_dots_per_inch(tmp_path: Path) -> None:
    words = ("--grid", "8x10", "--output", tmp_path / "m.npz", "--figure-dpi", 100)
    written("masks", *words, "--figure-width", 85, figure=tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as narrow:
        assert narrow.width == int(85 / 25.4 * 100)
    page = written("masks", *words, "--figure-width", "column", figure=tmp_path / "a.svg").decode()
    found = re.search(r'<svg [^>]*width="([0-9.]+)pt"', page)
    assert found
    assert float(found[1]) == pytest.approx(89 / 25.4 * 72, abs=1e-3)


def make_run(folder: Path, kind: str, line: dict[str, object]) -> None:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"format": FORMAT, "kind": kind}))
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")


def test_curves_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    make_run(run, "pretraining", {"step": 1, "loss": 2.5, "logged": {"ibot_loss": 1.5}})
    page = written("runs", run, figure=tmp_path / "a.html").decode()
    assert "Total loss" in page
    assert "KoLeo" not in page, "what has no point is left out"
    assert "a.html" in capsys.readouterr().out
    assert main(["runs", str(tmp_path), "--figure", str(tmp_path / "b.html")]) == 2
    assert "holds no run" in capsys.readouterr().err


def test_curves_and_confusions_of_a_fine_tuning(tmp_path: Path) -> None:
    run = tmp_path / "run"
    make_run(run, "fine-tuning", {"step": 1, "train_loss": 0.5, "validation_accuracy": 0.5})
    before = written("runs", run, figure=tmp_path / "a.html").decode()
    assert "Confusions" not in before
    report = {"classes": [{"name": "cat"}], "confusion": [[3]], "mistakes": []}
    (run / "report.json").write_text(json.dumps(report))
    assert "Confusions" in written("runs", run, figure=tmp_path / "b.html").decode()


@pytest.mark.parametrize(
    ("command", "ending", "wanted"),
    [
        ("attention", "gif", r".svg, .pdf, .png or .html"),
        ("crops", "jpg", r".svg, .pdf, .png or .html"),
        ("masks", "gif", r".svg, .pdf, .png or .html"),
        ("grid", "jpg", r".svg, .pdf, .png or .html"),
        ("runs", "svg", r".html"),
    ],
)
def test_other_endings_are_refused_before_anything_is_done(
    command: str,
    ending: str,
    wanted: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    figure = str(tmp_path / f"a.{ending}")
    places = {"attention": ["x.png", "--layer", "0"], "crops": ["x.png"], "masks": [], "runs": []}
    places["grid"] = ["x.png", "--models", "y"]
    output = [] if command == "runs" else ["--output", str(tmp_path / "out")]
    try:
        code: object = main([command, *places[command], *output, "--figure", figure])
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert f"a file that ends in {wanted}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
