"""Every command on real pictures: arrays against the library, files, words and exit codes."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dino_core.__main__ import main
from dino_core.analysis.pca import colour_features
from dino_core.config import (
    BLUR_AS_RUN,
    BLUR_AS_WRITTEN,
    PCA_PRESETS,
    CropConfig,
    MaskConfig,
    ViTConfig,
)
from dino_core.crops import sample_crops
from dino_core.images import open_picture
from dino_core.masks import sample_block_mask
from dino_core.runs.exit_codes import LEFT_OUT
from dino_core.runs.pretrained_heads import CIFAR_PAIR
from dino_core.vit import VisionTransformer, ViTOutput
from dino_core.weights import Backbone, load_backbone, save_backbone

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "static" / "samples"
CAT, COFFEE = str(SAMPLES / "cat.jpg"), str(SAMPLES / "coffee.jpg")  # 451 x 300, 600 x 400 px
PREVIEW = ["--model", "preview_vits14"]


@pytest.fixture(scope="module")
def preview() -> Backbone:
    return load_backbone("preview_vits14")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options for a small random model with registers, with which commands are quick."""
    config = ViTConfig(dim=64, depth=3, heads=2, image_size=56, registers=3)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_backbone(VisionTransformer(config, generator=torch.Generator().manual_seed(0)), path)
    return ["--weights", str(path)]


@pytest.fixture
def small(tmp_path: Path) -> str:
    """A picture of whole patches, 28 x 42 px (height x width)."""
    Image.open(CAT).resize((42, 28)).save(tmp_path / "small.png")
    return str(tmp_path / "small.png")


def arrays(path: Path | str) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def forward(backbone: Backbone, path: str, height: int, width: int) -> ViTOutput:
    """Without anything of ours before the model: Pillow, then the ImageNet numbers."""
    picture = Image.open(path).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    pixels = np.asarray(picture, dtype=np.float64) / 255
    pixels = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    images = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        return backbone.vit(images, trace=range(backbone.vit.config.depth))


def close(ours: np.ndarray, theirs: torch.Tensor, atol: float = 1e-4) -> None:
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=atol)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Runs a command that must fail with exit code 2 and one sentence; returns the sentence."""
    assert main(list(words)) == 2
    error = capsys.readouterr().err
    assert error.endswith(".\n")
    assert error.count("\n") == 1
    return error


# --- features


def test_features_are_a_direct_forward(preview: Backbone, tmp_path: Path) -> None:
    target = tmp_path / "new" / "cat.npz"
    assert main(["features", CAT, "--size", "112x168", *PREVIEW, "--output", str(target)]) == 0
    got, out = arrays(target), forward(preview, CAT, 112, 168)
    assert set(got) == {"cls", "registers", "patches", "cls_attention"}
    assert {array.dtype for array in got.values()} == {np.dtype(np.float32)}
    assert got["registers"].shape == (1, 0, 384)
    close(got["cls"], out.cls)
    close(got["patches"], out.patches.reshape(1, 8, 12, 384))
    rows = torch.stack([trace.attention[:, :, 0] for trace in out.traces.values()], 1)
    close(got["cls_attention"], rows[..., 1:].reshape(1, 12, 6, 8, 12), 1e-5)
    close(got["cls_attention"].sum((-2, -1)), 1 - rows[..., 0], 1e-5)  # not renormalised


def test_registers_stand_apart(tiny: list[str], small: str, tmp_path: Path) -> None:
    target = str(tmp_path / "f.npz")
    assert main(["features", small, "--size", "native", *tiny, "--output", target]) == 0
    got, out = arrays(target), forward(load_backbone(weights=tiny[1]), small, 28, 42)
    close(got["registers"], out.register_tokens)
    close(got["patches"], out.patches.reshape(1, 2, 3, 64))
    rows = torch.stack([trace.attention[:, :, 0] for trace in out.traces.values()], 1)
    close(got["cls_attention"], rows[..., 4:].reshape(1, 3, 2, 2, 3), 1e-6)


def test_a_batch_is_its_pictures_one_by_one(tiny: list[str], tmp_path: Path) -> None:
    paths = [str(path) for path in sorted(SAMPLES.glob("*.jpg"))[:4]]
    options = ["--size", "56x84", *tiny, "--output"]
    assert main(["features", *paths, *options, str(tmp_path / "all.npz")]) == 0
    assert main(["features", *paths, *options, str(tmp_path / "folder")]) == 0
    assert main(["features", *paths, *options, str(tmp_path / "{name}_f.npz")]) == 0
    together = arrays(tmp_path / "all.npz")
    assert together["cls"].shape == (4, 64)
    for i, path in enumerate(paths):
        name = Path(path).stem
        for alone in (tmp_path / "folder" / f"{name}.npz", tmp_path / f"{name}_f.npz"):
            for key, array in arrays(alone).items():
                np.testing.assert_array_equal(array[0], together[key][i])


@pytest.mark.parametrize(
    ("options", "grid"),
    [
        (["--size", "112"], (8, 12)),  # 300 x 451 px: 112 x 168.4
        (["--size", "112", "--fit", "pad"], (8, 13)),
        (["--size", "56x56", "--fit", "crop"], (4, 4)),
        ([], (37, 56)),  # short side 518
    ],
)
def test_sizes(options: list[str], grid: tuple[int, int], tiny: list[str], tmp_path: Path) -> None:
    target = str(tmp_path / "f.npz")
    assert main(["features", CAT, *options, *tiny, "--output", target]) == 0
    assert arrays(target)["patches"].shape == (1, *grid, 64)


def test_native_refuses_what_it_would_have_to_change(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "f.npz"
    words = refused(capsys, "features", CAT, "--size", "native", *tiny, "--output", str(target))
    assert all(part in words for part in (CAT, "300x451", "patch size 14", "--size 294x448"))
    assert not target.exists()
    words = refused(capsys, "features", CAT, "--size", "225x224", *tiny, "--output", str(target))
    assert "--size 224x224" in words


def test_different_sizes_do_not_go_into_one_file(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = str(tmp_path / "f.npz")
    square = str(SAMPLES / "astronaut.jpg")
    for size, becomes in (("56", "56x56"), ("native", "300x451")):
        words = refused(capsys, "features", CAT, square, "--size", size, *tiny, "--output", target)
        assert all(part in words for part in (CAT, becomes))
    twins = [CAT, str(tmp_path / "cat.png")]
    words = refused(capsys, "features", *twins, *tiny, "--output", str(tmp_path / "folder"))
    assert "one name: cat" in words


def test_one_broken_file_among_several_stops_nothing(
    tiny: list[str], small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"<!DOCTYPE html>")
    two = [str(broken), small, str(tmp_path / "none.png")]
    for command in ("features", "pca"):
        target = tmp_path / command
        options = ["--size", "native", *tiny, "--output", str(target)]
        assert main([command, *two, *options]) == LEFT_OUT
        assert "broken.jpg: This is a web page" in (said := capsys.readouterr().err)
        assert "none.png: There is no such file" in said
        assert (target / "small.npz").is_file()
        assert main([command, two[0], two[2], *options]) == 2
        assert "None of the 2 files" in capsys.readouterr().err


def test_bfloat16_is_near_and_written_as_float32(preview: Backbone, tmp_path: Path) -> None:
    target = str(tmp_path / "f.npz")
    options = ["--size", "112x112", "--dtype", "bfloat16", *PREVIEW, "--output", target]
    assert main(["features", CAT, *options]) == 0
    exact = forward(preview, CAT, 112, 112).cls
    cosine = torch.cosine_similarity(torch.from_numpy(arrays(target)["cls"]), exact)
    assert arrays(target)["cls"].dtype == np.float32
    assert 0.99 < cosine.item() < 0.9999999


# --- attention, pca


@pytest.mark.slow
@pytest.mark.parametrize(("query", "token"), [([], 0), (["--query", "7,11"], 1 + 7 * 12 + 11)])
def test_attention(query: list[str], token: int, preview: Backbone, tmp_path: Path) -> None:
    options = ["--size", "112x168", *PREVIEW, "--output", str(tmp_path)]
    assert main(["attention", CAT, "--layer", "-2", *query, *options]) == 0
    rows = forward(preview, CAT, 112, 168).traces[10].attention[0, :, token]  # [A, N]
    got = arrays(tmp_path / "attention.npz")
    close(got["rows"], rows, 1e-5)
    close(got["attention"], rows[:, 1:].reshape(6, 8, 12), 1e-5)
    close(got["entropy"], -(rows * rows.log()).sum(-1))

    sizes = {path.stem: Image.open(path).size for path in tmp_path.glob("*.png")}
    alone = {f"head_0{head}": (168, 112) for head in range(6)}
    assert sizes == {**alone, "mean": (168, 112), "heads": (3 * 176 - 8, 2 * 120 - 8)}
    pixels = np.asarray(Image.open(tmp_path / "head_00.png"))
    framed = (pixels[7 * 14 : 8 * 14, 11 * 14 : 12 * 14][[0, -1]] == 255).all()
    assert framed == bool(query)


def test_attention_of_what_is_not_there(
    tiny: list[str], small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = [small, "--size", "native", *tiny, "--output", str(tmp_path / "out")]
    assert "layers 0 to 2" in refused(capsys, "attention", "--layer", "3", *rest)
    assert "layers 0 to 2" in refused(capsys, "attention", "--layer", "-4", *rest)
    words = refused(capsys, "attention", "--layer", "0", "--query", "2,0", *rest)
    assert "2 x 3 patches" in words
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_pca_of_two_pictures_together(preview: Backbone, tmp_path: Path) -> None:
    options = ["--size", "112", "--preset", "dinov3-notebook", "--layer", "8"]
    assert main(["pca", CAT, COFFEE, *options, *PREVIEW, "--output", str(tmp_path)]) == 0
    features, grids = [], [(8, 12), (8, 12)]
    for path in (CAT, COFFEE):
        out = forward(preview, path, 112, 168)
        features.append(preview.vit.norm(out.traces[8].tokens)[0, 1:])
    result = colour_features(features, grids, PCA_PRESETS["dinov3-notebook"])
    for name, view in zip(("cat", "coffee"), result.pictures, strict=True):
        got = arrays(tmp_path / f"{name}.npz")
        close(got["colours"], view.colours, 2e-3)
        np.testing.assert_array_equal(got["foreground"], view.foreground)
        close(got["components"], result.pca.components, 1e-3)
        pixels = np.asarray(Image.open(tmp_path / f"{name}.png"))
        assert pixels.shape == (112, 168, 3)
        squares = pixels.reshape(8, 14, 12, 14, 3)
        assert (squares == squares[:, :1, :, :1]).all()
        np.testing.assert_allclose(squares[:, 0, :, 0] / 255, got["colours"], atol=0.5001 / 255)


@pytest.mark.slow
def test_pca_takes_the_size_of_its_preset_and_can_be_flipped(
    tiny: list[str], tmp_path: Path
) -> None:
    for flip in ([], ["--flip"]):
        options = ["--preset", "dinov2-notebook", *flip, *tiny, "--output"]
        assert main(["pca", CAT, *options, str(tmp_path / f"{len(flip)}")]) == 0
    one, two = (arrays(tmp_path / name / "cat.npz") for name in "01")
    assert one["colours"].shape == (32, 48, 3)  # 448 px
    np.testing.assert_allclose(one["first"], -two["first"], atol=1e-5)


# --- crops, masks


def test_crops_are_those_of_the_seed(tmp_path: Path) -> None:
    options = ["--seed", "5", "--locals", "3"]
    assert main(["crops", CAT, *options, "--output", str(tmp_path)]) == 0
    answer = json.loads((tmp_path / "crops.json").read_text())
    generator = torch.Generator().manual_seed(5)
    drawn = sample_crops(open_picture(CAT), CropConfig(local_count=3), generator)
    assert len(answer["crops"]) == len(drawn) == 5
    assert answer["seed"] == 5
    for fact, crop in zip(answer["crops"], drawn, strict=True):
        assert (fact["kind"], fact["box"], fact["flip"]) == (
            crop.kind,
            list(crop.box),
            crop.flipped,
        )
        assert [operation["name"] for operation in fact["operations"]] == [
            operation.name for operation in crop.operations
        ]
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / fact["file"])), crop.pixels)
    assert Image.open(tmp_path / "boxes.png").size == (451, 300)


@pytest.mark.parametrize("seed", [0, 5])
def test_the_blur_is_the_chosen_one(seed: int, tmp_path: Path) -> None:
    for word, setting in (("as-run", BLUR_AS_RUN), ("as-written", BLUR_AS_WRITTEN)):
        out = tmp_path / word
        options = ["--seed", str(seed), "--locals", "3", "--blur", word]
        assert main(["crops", CAT, *options, "--output", str(out)]) == 0
        got = json.loads((out / "crops.json").read_text())
        config = CropConfig(local_count=3, blur_probability=setting)
        drawn = sample_crops(open_picture(CAT), config, torch.Generator().manual_seed(seed))
        assert got["blur"] == word
        for crop in drawn:
            pixels = np.asarray(Image.open(out / f"{crop.kind}_{crop.index}.png"))
            np.testing.assert_array_equal(pixels, crop.pixels)


def test_masks_are_those_of_the_seed(tmp_path: Path) -> None:
    target = str(tmp_path / "masks.npz")
    options = ["--grid", "16x12", "--ratio", "0.3", "--count", "7", "--seed", "2"]
    assert main(["masks", *options, "--output", target]) == 0
    got = arrays(target)["masks"]
    assert (got.shape, got.dtype) == ((7, 16, 12), np.bool_)
    generator = torch.Generator().manual_seed(2)
    for mask in got:
        drawn = sample_block_mask((16, 12), int(16 * 12 * 0.3), MaskConfig(), generator)
        np.testing.assert_array_equal(mask, drawn.mask)
    assert (got.sum((1, 2)) <= 57).all()
    assert got.sum((1, 2)).max() == 57


# --- models


def test_models_tells_names_sizes_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    text = capsys.readouterr().out
    for name in ("dinov2_vits14", "dinov2_vitg14_reg", "preview_vits14"):
        assert f"{name}: " in text or f"{name} (default): " in text
    assert "22,056,576 parameters" in text
    assert str(ROOT / "static" / "weights" / "vits14_preview.fp16.safetensors") in text


def test_download_shows_its_progress_and_where_the_file_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def download(name, *, progress):
        for received in (0, 500, 1000):
            progress(received, 1000)
        return tmp_path / name

    monkeypatch.setattr("dino_core.weights.fetch.download", download)
    assert main(["models", "--download", "dinov2_vits14"]) == 0
    assert str(tmp_path / "dinov2_vits14") in capsys.readouterr().out


# --- mistakes


def test_mistakes_are_said_in_one_sentence(
    tiny: list[str], small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("not a picture")
    rest = [*tiny, "--output", str(tmp_path / "f.npz")]
    assert "nowhere.jpg: There is no such file" in refused(capsys, "features", "nowhere.jpg", *rest)
    assert "notes.jpg" in refused(capsys, "features", str(text), *rest)
    assert "cannot be cropped" in refused(
        capsys, "features", small, "--size", "5", "--fit", "crop", *rest
    )
    assert "vit_huge" in refused(capsys, "features", small, "--model", "vit_huge", *rest[2:])
    assert "gpu9" in refused(capsys, "features", small, "--device", "gpu9", *rest)
    assert "no.pth" in refused(capsys, "features", small, "--weights", "no.pth", *rest[2:])
    assert "no_such" in refused(capsys, "models", "--download", "no_such")
    words = refused(capsys, "masks", "--output", str(text / "m.npz"))  # a file is no folder
    assert str(text) in words


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dream"],
        ["features", CAT],
        ["features", CAT, "--size", "big", "--output", "f.npz"],
        ["features", CAT, "--size", "0x14", "--output", "f.npz"],
        ["attention", CAT, "--output", "d"],
        ["attention", CAT, "--layer", "1", "--query", "7", "--output", "d"],
        ["pca", CAT, "--preset", "mine", "--output", "d"],
        ["crops", CAT, "--seed", "-1", "--output", "d"],
        ["crops", CAT, "--seed", str(2**63), "--output", "d"],
        ["masks", "--grid", "16", "--output", "m.npz"],
        ["masks", "--ratio", "1.5", "--output", "m.npz"],
        ["masks", "--ratio", "nan", "--output", "m.npz"],
    ],
)
def test_what_cannot_be_understood(words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "Stopped."),
        (MemoryError(), 2, "not enough memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), 2, "not enough memory"),
    ],
)
def test_interrupted_or_out_of_memory(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(*_args, **_options):
        raise error

    monkeypatch.setattr("dino_core.masks.sample_block_mask", stop)
    assert main(["masks", "--output", "m.npz"]) == code
    assert said in capsys.readouterr().err


def test_an_error_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args, **_options):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr("dino_core.masks.sample_block_mask", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        main(["masks", "--output", "m.npz"])


@pytest.mark.slow
def test_as_a_program(small: str, tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dino_core", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    done = run("features", small, "--size", "native", *PREVIEW, "--output", f"{tmp_path}/f.npz")
    assert (done.returncode, done.stderr) == (0, "")
    assert "not the official weights" in done.stdout
    assert arrays(tmp_path / "f.npz")["patches"].shape == (1, 2, 3, 384)
    done = run("features", CAT, "--size", "native", *PREVIEW, "--output", f"{tmp_path}/f.npz")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert run("--help").returncode == 0


def test_many_pictures_show_a_progress_bar(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    clock = itertools.count(step=2)  # every look at the clock takes two seconds
    monkeypatch.setattr("tqdm.std.time", lambda: next(clock))
    paths = [CAT, COFFEE]
    assert main(["features", *paths, "--size", "28x28", *tiny, "--output", f"{tmp_path}/f"]) == 0
    assert "2/2" in capsys.readouterr().err


@pytest.mark.slow
def test_losses_of_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "losses.npz"
    asked = ["losses", CAT, "--pair", CIFAR_PAIR, "--seed", 3, "--output", file]
    assert main([str(word) for word in asked]) == 0
    lines = capsys.readouterr().out.splitlines()
    held = arrays(file)
    assert held["dino"].shape == (6, 2)
    assert held["teacher"].sum(-1) == pytest.approx([1, 1], abs=1e-4)
    ibot = held["ibot"].mean() / 2
    assert next(line for line in lines if line.startswith("ibot")).split()[1] == f"{ibot:.3f}"
    assert [line.split()[0] for line in lines[1:6]] == [
        *("dino_global", "dino_local", "koleo", "ibot", "loss"),
    ]
    for words, why in (
        (["--temperature", "0"], "above 0"),
        (["--references", CAT], "bring other"),
    ):
        assert main(["losses", CAT, "--pair", str(CIFAR_PAIR), *words]) == 2
        assert why in capsys.readouterr().err
