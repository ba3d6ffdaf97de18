"""features, attention, pca, crops, masks: all that each says, writes and draws."""

import json
import math
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_commands import (
    Drawn,
    Place,
    asked_with_figure,
    files_in,
    holds,
    line_of,
    run,
    same_calls,
    shows,
)

from dino_core.analysis.pca import colour_features
from dino_core.cli.pictures import check_count, save_attention
from dino_core.config import PCA_PRESETS, CropConfig, MaskConfig
from dino_core.crops import sample_crops
from dino_core.draw.colours import crop_colour
from dino_core.draw.pictures import contact_sheet, draw_boxes, map_over
from dino_core.images import patch_box
from dino_core.masks import sample_block_mask

Said = pytest.CaptureFixture[str]


def said_of(words: list[Any], done: str) -> list[str]:
    return [f"Figure -> {words[-1]}", line_of(*words), done]


def saved(words: list[Any]) -> tuple[str, list[Any], dict[str, Any]]:
    options = {"dpi": 300, "caption": line_of(*words), "charts": None}
    return ("save", ["panel", words[-1]], options)


def test_features(place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    words = asked_with_figure(place, out, "features")
    ran = run(capsys, *words)
    assert ran.out == said_of(words, f"Features -> {out} ({place.title})")
    assert files_in(out) == ["one.npz", "two.npz"]
    for name, seen in zip(("one", "two"), place.seen, strict=True):
        holds(
            out / f"{name}.npz",
            cls=seen.normed[:1].numpy(),
            registers=seen.normed[None, 1:3].numpy(),
            patches=seen.normed[3:].reshape(1, *seen.grid, 24).numpy(),
            cls_attention=seen.on_grid(seen.cls_rows())[None].numpy(),
        )
    patches, grids = [one.normed[3:] for one in place.seen], [one.grid for one in place.seen]
    config = PCA_PRESETS["paper"]
    shown = [np.asarray(one.picture) for one in place.fitted]
    panel = [shown, colour_features(patches, grids, config), config]
    options = {"header": "last layer", "width": "page"}
    same_calls(drawn.pop(), ("pca_panel", panel, options), saved(words))


def test_features_in_one_file_and_by_a_pattern(
    place: Place, drawn: Drawn, tmp_path: Path, capsys: Said
) -> None:
    """One file of several pictures is refused before the work where their sizes differ."""
    one, two, model = *place.pictures, ("--weights", place.weights)
    target = tmp_path / "new" / "all.npz"
    words = ["features", one, two, "--size", "native", *model, "--output", target]
    ran = run(capsys, *words)
    assert ran.err == [
        f"One file holds pictures of one size, but {one} becomes 56x84 px and {two} 70x56: give "
        f"--size 56x84, or let --output be a folder."
    ]
    assert not target.parent.exists()
    words[words.index("native")] = "28x42"
    assert run(capsys, *words).out == [f"Features -> {target} ({place.title})"]
    with np.load(target) as file:
        assert file["patches"].shape == (2, 2, 3, 24)
        assert file["cls_attention"].shape == (2, 3, 3, 2, 3)
    for folder, pattern, names in (
        ("a", "{name}.npz", ["one.npz", "two.npz"]),
        ("b", "of {name}", ["of one.npz", "of two.npz"]),
        ("c", "{name}/features", ["one/features.npz", "two/features.npz"]),
    ):
        words[-1] = tmp_path / folder / pattern
        assert run(capsys, *words).code == 0
        assert files_in(tmp_path / folder) == names


@pytest.mark.parametrize("query", [None, (1, 4)])
def test_attention(
    query: tuple[int, int] | None, place: Place, drawn: Drawn, tmp_path: Path, capsys: Said
) -> None:
    out = tmp_path / "out"
    chosen = ["--query", "1,4"] if query else ["--head", "2", "0"]
    words = asked_with_figure(place, out, "attention", "--layer", "1", *chosen, pictures=1)
    ran = run(capsys, *words)
    assert ran.out == said_of(words, f"Layer 1, 3 heads -> {out} ({place.title})")
    seen = place.seen[0]
    rows = seen.row(1, seen.token_at(*query) if query else 0)
    maps = seen.on_grid(rows).numpy()
    entropy = -(rows * rows.log()).sum(-1)
    holds(out / "attention.npz", rows=rows.numpy(), attention=maps, entropy=entropy.numpy())
    box = patch_box(1, 4, 14) if query else None
    over = [map_over(one, np.asarray(place.fitted[0].picture), box) for one in maps]
    names = [f"head_0{head}.png" for head in range(3)]
    assert files_in(out) == ["attention.npz", *names, "heads.png", "mean.png"]
    for name, picture in zip(names, over, strict=True):
        shows(out / name, picture)
    shows(out / "heads.png", contact_sheet(over, columns=2))
    shows(out / "mean.png", map_over(maps.mean(0), np.asarray(place.fitted[0].picture), box))
    heads = None if query else [2, 0]
    options = {"query": query, "layer": 1, "heads": heads, "width": "page"}
    same_calls(drawn.pop(), ("attention", [seen], options), saved(words))
    assert run(capsys, *words[:-2]).code == 0  # without a figure the rest is the same
    holds(out / "attention.npz", rows=rows.numpy(), attention=maps, entropy=entropy.numpy())


def test_attention_of_several(place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    words = asked_with_figure(place, out, "attention", "--layer", "-1")
    ran = run(capsys, *words)
    assert ran.out == said_of(words, f"Layer 2, 3 heads -> {out} ({place.title})")
    assert {str(Path(name).parent) for name in files_in(out)} == {"one", "two"}
    options = {"query": None, "layer": 2, "heads": None, "width": "page"}
    same_calls(drawn.pop(), ("attention_of_pictures", [place.seen], options), saved(words))
    ran = run(capsys, *words, "--head", "3")
    assert ran.code == 2
    assert "there is no head 3" in ran.err[0]


@pytest.mark.parametrize("heads", [1, 4, 5])
def test_heads_on_a_sheet_that_is_nearly_square(heads: int, tmp_path: Path, place: Place) -> None:
    rows = torch.full((heads, 25), 1 / 25)
    save_attention(str(tmp_path), place.fitted[0], rows, None)
    columns = math.ceil(math.sqrt(heads))
    with Image.open(tmp_path / "heads.png") as sheet:
        assert sheet.width == columns * (84 + 8) - 8
    with np.load(tmp_path / "attention.npz") as file:
        np.testing.assert_allclose(file["entropy"], math.log(25), rtol=1e-5)


def test_pca(place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    words = asked_with_figure(
        place, out, "pca", "--layer", "1", "--flip", "--preset", "dinov3-notebook"
    )
    ran = run(capsys, *words)
    patches, grids = [one.patches(1) for one in place.seen], [one.grid for one in place.seen]
    config = replace(PCA_PRESETS["dinov3-notebook"], flip=True)
    result = colour_features(patches, grids, config)
    done = [f"Layer 1 in colours -> {out} ({place.title})", *filter(None, [result.note])]
    assert ran.out == [*said_of(words, done[0]), *done[1:]]
    assert files_in(out) == ["one.npz", "one.png", "two.npz", "two.png"]
    shared = {name: value.numpy() for name, value in vars(result.pca).items()}
    for name, view in zip(("one", "two"), result.pictures, strict=True):
        arrays = {name: value.numpy() for name, value in vars(view).items()}
        holds(out / f"{name}.npz", **arrays, **shared)
        shows(out / f"{name}.png", (255 * arrays["colours"]).round().repeat(14, 0).repeat(14, 1))
    shown = [np.asarray(one.picture) for one in place.fitted]
    header = "layer 1 of 0–2; 4 × 6 patches of 14 px"
    panel = ("pca_panel", [shown, result, config], {"header": header, "width": "page"})
    same_calls(drawn.pop(), panel, saved(words))


def test_a_note_on_a_result_stands_below_it(capsys: Said, place: Place) -> None:
    from dino_core.cli.files import report

    report("Done", place.backbone, "Few patches.")
    report("Done")
    assert capsys.readouterr().out == f"Done ({place.title})\nFew patches.\nDone\n"


# --- crops, masks


def test_crops(place: Place, drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "out"
    images, figure = place.pictures[:1], tmp_path / "a.svg"
    words = ["crops", *images, "--seed", "3", "--locals", "2", "--output", out, "--figure", figure]
    ran = run(capsys, *words)
    assert ran.out == said_of(words, f"4 crops -> {out}")
    source = place.fitted[0].picture
    found = sample_crops(source, CropConfig(local_count=2), torch.Generator().manual_seed(3))
    names = ["global_0", "global_1", "local_0", "local_1"]
    assert files_in(out) == sorted(["boxes.png", "crops.json", *(f"{name}.png" for name in names)])
    answer = json.loads((out / "crops.json").read_text(encoding="utf-8"))
    facts = answer.pop("crops")
    assert answer == {"picture": str(images[0]), "seed": 3, "blur": "as-run"}
    for fact, crop, name in zip(facts, found, names, strict=True):
        known = json.loads(json.dumps(crop.as_dict()))
        assert fact.pop("file") == f"{name}.png"
        assert fact.pop("flip") == known["flipped"]
        assert fact == {key: known[key] for key in fact}
        assert known.keys() - fact.keys() <= {"flipped"}
        shows(out / f"{name}.png", np.asarray(crop.pixels))
    colours = [crop_colour(crop.kind, crop.index) for crop in found]
    shows(out / "boxes.png", draw_boxes(source, [crop.box for crop in found], colours))
    same_calls(drawn.pop(), ("crops", [source, found], {"width": "page"}), saved(words))
    text = (out / "crops.json").read_text(encoding="utf-8")
    assert text.startswith('{\n "picture"')
    assert text.endswith("\n}\n")


def test_crops_of_a_name_with_other_letters(place: Place, tmp_path: Path, capsys: Said) -> None:
    image = tmp_path / "γάτα.png"
    image.write_bytes(place.pictures[0].read_bytes())
    assert run(capsys, "crops", image, "--output", tmp_path / "out").code == 0
    text = (tmp_path / "out" / "crops.json").read_text(encoding="utf-8")
    assert "γάτα.png" in text
    assert len(json.loads(text)["crops"]) == 10, "two and eight"


def test_masks(drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    target, page = tmp_path / "new" / "m.npz", tmp_path / "a.html"
    words = ["masks", "--grid", "6x5", "--ratio", "0.4", "--count", "26", "--seed", "2"]
    words += ["--output", str(target), "--figure", str(page)]
    ran = run(capsys, *words)
    generator = torch.Generator().manual_seed(2)
    found = [sample_block_mask((6, 5), 12, MaskConfig(), generator) for _ in range(26)]
    holds(target, masks=np.stack([one.mask.numpy() for one in found]))
    assert ran.out == [f"26 masks of 12 among 30 patches -> {target}"]
    achieved = [sum(one.achieved == n for one in found) for n in range(13)]
    most = max(len(one.blocks) for one in found)
    blocks = [sum(len(one.blocks) == n for one in found) for n in range(most + 1)]
    charts = {"counts": "panel", "blocks": "panel"}
    html = ("save", [charts, page], {})
    same_calls(drawn.pop(), ("mask_counts", [achieved], {}), ("mask_blocks", [blocks], {}), html)
    words[-1] = tmp_path / "a.pdf"
    ran = run(capsys, *words)
    assert ran.out == said_of(words, f"26 masks of 12 among 30 patches -> {target}")
    same_calls(drawn.pop(), ("masks", [found[:24]], {"width": "page"}), saved(words))


def test_of_no_masks_there_is_nothing_to_count(tmp_path: Path, capsys: Said) -> None:
    words = ["masks", "--count", "0", "--output", tmp_path / "m.npz"]
    assert run(capsys, *words).out == [f"0 masks of 76 among 256 patches -> {tmp_path / 'm.npz'}"]
    ran = run(capsys, *words, "--figure", tmp_path / "a.html")
    assert (ran.code, ran.err) == (2, ["There are no masks to count: give --count."])


def test_a_figure_has_room_for_four_and_twenty_pictures() -> None:
    for figure, count in (("a.svg", 24), (None, 25)):
        check_count(Namespace(figure=figure, images=["x.png"] * count))
    with pytest.raises(ValueError, match="room for 24 pictures, and these are 25: give fewer, or"):
        check_count(Namespace(figure="a.svg", images=["x.png"] * 25))
