"""The command whatif on pictures: its numbers against forwards that it knows nothing of."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_galleries import build_gallery, quick_maps  # noqa: F401  (a fixture)
from tiny_runs import coloured, files
from torch import Tensor

from dino_core.__main__ import main
from dino_core.config import ViTConfig
from dino_core.datasets import find_pictures
from dino_core.embedding.preparation import Preparation
from dino_core.evaluation.knn import knn
from dino_core.gallery.folder import GalleryFolder
from dino_core.gallery.listing import Listing
from dino_core.images import fit_to_patches, open_picture, to_tensor
from dino_core.runs.exit_codes import LEFT_OUT
from dino_core.vit import Edit, VisionTransformer
from dino_core.weights import Backbone, load_backbone, save_backbone
from dino_core.whatif import Reference
from dino_core.whatif.reference import measure

CONFIG = ViTConfig(dim=32, depth=3, heads=2, image_size=56, registers=2)
KEYS = {
    *("cls_before", "cls_after", "patches_before", "patches_after", "cls_cosine", "patch_cosine"),
    *("cls_cosine_by_layer", "patch_cosine_by_layer"),
}


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    vit = VisionTransformer(CONFIG).requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for parameter in vit.parameters():
        parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_backbone(vit, path)
    return load_backbone(weights=path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures that are not of one size."""
    (tmp_path / "pictures").mkdir()
    for i in range(3):
        pixels = np.random.default_rng(i).integers(0, 256, (30 + i, 44 + i, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{i}.png")
    return tmp_path / "pictures"


def asked(backbone: Backbone, folder: Path, *words: str) -> list[str]:
    """A command on the first two pictures, with all of them as reference."""
    images = [str(folder / f"{i}.png") for i in range(2)]
    common = ["--weights", str(backbone.info.path), "--size", "28x42", "--reference", str(folder)]
    return ["whatif", *images, *common, *words]


def image_of(path: Path) -> Tensor:
    """Without anything of ours before the model: Pillow, then the ImageNet numbers."""
    picture = Image.open(path).convert("RGB").resize((42, 28), Image.Resampling.BICUBIC)
    pixels = np.asarray(picture, dtype=np.float64) / 255
    pixels = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float()


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a.astype(float), b.astype(float)
    return (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def close(ours: np.ndarray, theirs: np.ndarray | Tensor, atol: float = 1e-5) -> None:
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=0, atol=atol)


def mean_head(backbone: Backbone, folder: Path) -> Tensor:
    """[9, 16] what head 1 of block 1 mixes on average over the reference, by kind of token."""
    found: list[Tensor] = []

    def look(there: Tensor) -> Tensor:
        found.append(there[0, 1])
        return there

    for path in sorted(folder.iterdir()):
        backbone.vit(image_of(path), edits=[Edit("head", look, block=1)])
    every = torch.stack(found)  # [3, 9, 16]
    patches = every[:, 3:].mean((0, 1))
    return torch.cat([every[:, :3].mean(0), patches.expand(6, -1)])


def test_before_and_after(backbone: Backbone, folder: Path, tmp_path: Path) -> None:
    target, figure = tmp_path / "new" / "out.npz", tmp_path / "out.html"
    words = ["--edit", "head:1.1=mean", "--edit", "scores:1-2=cls!patches"]
    words += ["--output", str(target), "--figure", str(figure)]
    assert main(asked(backbone, folder, *words)) == 0
    got = arrays(target)
    assert set(got) == KEYS
    assert {array.dtype for array in got.values()} == {np.dtype(np.float32)}
    edits = [Edit("head", mean_head(backbone, folder), block=1, unit=1)]
    blind = {"tokens": [0], "keys": range(3, 9)}
    edits += [Edit("scores", -torch.inf, block=block, **blind) for block in (1, 2)]
    for i in range(2):
        image = image_of(folder / f"{i}.png")
        before = backbone.vit(image, trace=range(3))
        after = backbone.vit(image, trace=range(3), edits=edits)
        for name, out in (("before", before), ("after", after)):
            close(got[f"cls_{name}"][i], out.cls[0])
            close(got[f"patches_{name}"][i], out.patches[0].reshape(2, 3, 32))
        close(got["cls_cosine"][i], cosine(before.cls[0].numpy(), after.cls[0].numpy()))
        patches = cosine(before.patches[0].numpy(), after.patches[0].numpy())
        close(got["patch_cosine"][i].ravel(), patches)
        for layer in range(3):
            pair = [backbone.vit.norm(o.traces[layer].tokens)[0].numpy() for o in (before, after)]
            by_token = cosine(*pair)
            close(got["cls_cosine_by_layer"][i, layer], by_token[0])
            close(got["patch_cosine_by_layer"][i, layer], by_token[3:].mean())
    assert (got["cls_cosine_by_layer"][:, 0] == 1).all()
    assert got["cls_cosine"].max() < 0.999
    page = figure.read_text(encoding="utf-8")
    assert "How the change spreads" in page
    assert "What if: head:1.1=mean, scores:1-2=cls!patches." in page
    assert "Repeated by: python -m dino_core whatif" in page


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_before_and_after_as_a_panel(
    backbone: Backbone,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ending: str,
) -> None:
    figure = tmp_path / f"out.{ending}"
    words = [
        "--edit",
        "attention:1=zero",
        "--layer",
        "1",
        "--head",
        "0",
        "--figure-width",
        "column",
    ]
    words += ["--output", str(tmp_path / "out.npz"), "--figure", str(figure)]
    assert main(asked(backbone, folder, *words)) == 0
    said = capsys.readouterr().out
    assert "Layer 1 of 0–2: attention of the class token (head 0)" in said
    assert figure.read_bytes().startswith(
        {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}[ending]
    )


def test_a_figure_that_cannot_be_is_refused_before_the_work(
    backbone: Backbone, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, target = ["--edit", "attention:1=zero"], tmp_path / "out.npz"
    to = ["--output", str(target), "--figure", str(tmp_path / "out.svg")]
    many = asked(backbone, folder, *edit, *to)
    for line, sentence in (
        (asked(backbone, folder, "--screen", "blocks", *to), "name it FILE.html"),
        (asked(backbone, folder, *edit, "--head", "2", *to), "heads 0 to 1, not 2"),
        ([many[0], *[many[1]] * 11, *many[1:]], "at most 12 pictures, not 13"),
    ):
        assert main(line) == 2
        assert sentence in capsys.readouterr().err
    assert not target.exists()


def test_own_is_no_edit_to_the_last_bit(backbone: Backbone, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "own.npz"
    words = ["--edit", "scores:0-2=own", "--edit", "tokens:1=own", "--output", str(target)]
    assert main(asked(backbone, folder, *words)) == 0
    got = arrays(target)
    for part in ("cls", "patches"):
        np.testing.assert_array_equal(got[f"{part}_before"], got[f"{part}_after"])
    for name in ("cls_cosine", "patch_cosine", "cls_cosine_by_layer", "patch_cosine_by_layer"):
        assert (got[name] == 1).all()


@pytest.mark.parametrize(
    ("words", "edits"),
    [
        ("registers=out", [Edit("registers", None)]),
        ("attention:1=zero", [Edit("attention", 0.0, block=1)]),
        ("neuron:0.5=zero", [Edit("neuron", 0.0, block=0, unit=5)]),
        ("scores:2.1=temperature 0.5", [Edit("scores", lambda s: s / 0.5, block=2, unit=1)]),
        ("tokens:1[1,2;0,0]=zero", [Edit("tokens", 0.0, block=1, tokens=[3, 8])]),
        ("positions[1,2]=zero", [Edit("positions", 0.0, tokens=[6])]),
    ],
)
def test_each_site(
    words: str, edits: list[Edit], backbone: Backbone, folder: Path, tmp_path: Path
) -> None:
    target = str(tmp_path / "out.npz")
    assert main(asked(backbone, folder, "--edit", words, "--output", target)) == 0
    for i, ours in enumerate(arrays(Path(target))["cls_after"]):
        close(ours, backbone.vit(image_of(folder / f"{i}.png"), edits=edits).cls[0])


def test_other_is_the_first_that_is_not_the_picture_itself(
    backbone: Backbone, folder: Path, tmp_path: Path
) -> None:
    target = str(tmp_path / "out.npz")
    words = ["--edit", "mlp:2=other", "--output", target, "--seed"]
    for seed, others in ((0, (1, 0)), (2, (2, 2)), (4, (1, 2))):
        assert main(asked(backbone, folder, *words, str(seed))) == 0
        for i, other in enumerate(others):
            found: list[Tensor] = []
            look = Edit("mlp", lambda there, found=found: found.append(there) or there, block=2)
            backbone.vit(image_of(folder / f"{other}.png"), edits=[look])
            after = backbone.vit(
                image_of(folder / f"{i}.png"), edits=[Edit("mlp", found[0], block=2)]
            )
            close(arrays(Path(target))["cls_after"][i], after.cls[0])


@pytest.mark.parametrize(("parts", "units"), [("heads", 2), ("blocks", 2)])
def test_screening(
    parts: str, units: int, backbone: Backbone, folder: Path, tmp_path: Path
) -> None:
    target, figure = tmp_path / "out.npz", tmp_path / "out.html"
    words = ["--screen", parts, "--output", str(target), "--figure", str(figure), "--seed", "2"]
    assert main(asked(backbone, folder, *words)) == 0
    got = arrays(target)
    assert set(got) == {"effect_cls", "effect_patches"}
    assert got["effect_cls"].shape == got["effect_patches"].shape == (4, 3, units, 2)
    values = ("zero", "mean", "noise", "other")
    for n, block, unit in [(0, 0, 1), (1, 2, 0), (2, 1, 1), (3, 1, 0)]:
        site = (
            f"head:{block}.{unit}" if parts == "heads" else f"{('attention', 'mlp')[unit]}:{block}"
        )
        edited = tmp_path / "one.npz"
        words = ["--edit", f"{site}={values[n]}", "--output", str(edited), "--seed", "2"]
        assert main(asked(backbone, folder, *words)) == 0
        one = arrays(edited)
        close(got["effect_cls"][n, block, unit], 1 - one["cls_cosine"])
        close(got["effect_patches"][n, block, unit], 1 - one["patch_cosine"].mean((1, 2)))
    drawn = figure.read_text(encoding="utf-8")
    assert "Patches, noise" in drawn
    assert "Class token, zero minus mean" in drawn


@pytest.mark.usefixtures("quick_maps")
def test_what_a_screening_does_to_the_accuracy_of_a_gallery(
    backbone: Backbone,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Against k-NN asked about the pictures of `--edit`, one change at a time."""
    data, folder = files(tmp_path / "data", coloured(8)), tmp_path / "gallery"
    build_gallery(data, folder, backbone.info.path)
    images = [str(data / name) for name in ("red/01.png", "green/05.png", "blue/06.png")]
    common = ["--weights", str(backbone.info.path), "--size", "28x28", "--fit", "crop"]
    target = tmp_path / "out.npz"
    words = [*images, *common, "--output", str(target), "--reference", str(data)]
    screen = ["--screen", "blocks", "--values", "zero,mean", "--gallery", str(folder)]
    assert main(["whatif", *words, *screen]) == 0
    assert "20-NN accuracy" in capsys.readouterr().out
    got = arrays(target)
    assert got["accuracy_change"].shape == (2, 3, 2)
    store = GalleryFolder(folder)
    rows = [store.listing().names().index(name[len(str(data)) + 1 :]) for name in images]
    bank, labels = (
        torch.from_numpy(np.array(part))
        for part in (store.features("cls", None), store.listing().labels().astype(np.int64))
    )

    def share(queries: np.ndarray) -> float:
        right = []
        for query, row in zip(torch.from_numpy(queries), rows, strict=True):
            others = torch.arange(len(bank)) != row
            votes = knn(bank[others], labels[others], query[None], classes=3)[20]
            right.append(bool(votes.argmax() == labels[row]))
        return float(np.mean(right))

    for n, value in enumerate(("zero", "mean")):
        for unit, site in enumerate(("attention", "mlp")):
            assert main(["whatif", *words, "--edit", f"{site}:1={value}"]) == 0
            one = arrays(target)
            assert got["accuracy"] == pytest.approx(share(one["cls_before"]))
            after = got["accuracy"] + got["accuracy_change"][n, 1, unit]
            assert after == pytest.approx(share(one["cls_after"]), abs=1e-6)
    stranger = [str(tmp_path / "stranger.png"), *common, "--output", str(target)]
    Image.new("RGB", (30, 30), "white").save(stranger[0])
    assert main(["whatif", *stranger, *screen]) == 2
    assert "is none of the pictures of" in capsys.readouterr().err
    found = store.listing().labels().copy()
    found[rows[1]] = -1
    monkeypatch.setattr(Listing, "labels", lambda _: found)
    assert main(["whatif", *words, *screen]) == 2
    assert f"{images[1]} has no label in {folder}" in capsys.readouterr().err


def test_values_are_in_the_order_given(backbone: Backbone, folder: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    words = ["--screen", "blocks", "--output"]
    assert main(asked(backbone, folder, *words, str(one), "--values", "mean,zero")) == 0
    assert main(asked(backbone, folder, *words, str(two), "--values", "zero")) == 0
    np.testing.assert_array_equal(arrays(one)["effect_cls"][1:], arrays(two)["effect_cls"])


def test_what_cannot_be_read_is_left_out(backbone: Backbone, folder: Path, tmp_path: Path) -> None:
    (folder / "1.png").write_bytes(b"junk")
    target = tmp_path / "out.npz"
    words = ["--edit", "mlp:0=mean", "--output", str(target)]
    assert main(asked(backbone, folder, *words)) == LEFT_OUT
    assert len(arrays(target)["cls_after"]) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Give --edit SITE=VALUE, once or several times, or --screen"),
        (["--edit", "mlp:0=zero", "--screen", "heads"], "one of both"),
        (["--edit", "mlp:0=zero", "--values", "zero"], "--values are of --screen"),
        (["--edit", "mlp:0=zero", "--gallery", "."], "--gallery is of --screen"),
        (["--edit", "head:14.3=mean"], "blocks 0 to 2; there is no block 14"),
        (["--edit", "head:1.3=mean"], "heads 0 to 1; there is no head 3"),
        (["--edit", "neck:1=mean"], "no site 'neck': they are tokens, positions"),
        (["--edit", "mlp:1=medium"], "takes one of zero, mean, noise, other, own"),
        (["--edit", "tokens:0[2,0]=zero"], "rows 0 to 1 and columns 0 to 2"),
        (["--screen", "heads", "--values", "zero,median"], "not 'median'"),
        (["--edit", "mlp:0=mean", "--reference", "/nowhere"], "/nowhere"),
    ],
)
def test_mistakes_are_a_sentence(
    words: list[str],
    message: str,
    backbone: Backbone,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "out.npz"
    assert main(asked(backbone, folder, *words, "--output", str(target))) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not target.exists()


def test_reference_pictures_are_read_as_the_pictures_are(
    backbone: Backbone, tmp_path: Path
) -> None:
    """A deep picture that fills a small part of its range is another picture when stretched."""
    shallow = np.linspace(100, 900, 30 * 44).reshape(30, 44).astype(np.uint16)
    (tmp_path / "deep").mkdir()
    for i in range(2):
        Image.fromarray(np.roll(shallow, 7 * i, 1)).save(tmp_path / "deep" / f"{i}.png")
    target = str(tmp_path / "out.npz")
    got = []
    for words in ([], ["--stretch"]):
        edit = ["--edit", "mlp:0=mean", "--output", target, *words]
        assert main(asked(backbone, tmp_path / "deep", *edit)) == 0
        got.append(arrays(Path(target)))
    assert np.abs(got[0]["cls_before"] - got[1]["cls_before"]).max() > 1e-3
    found = Reference(
        find_pictures(tmp_path / "deep", stretch=True), Preparation((28, 42), "resize")
    )
    mean = measure(backbone.vit, found).mean["mlp"][0]
    for i in range(2):
        seen = look_stretched(tmp_path / "deep" / f"{i}.png")
        value = torch.cat([mean[:3], mean[3:].expand(6, -1)])
        after = backbone.vit(seen, edits=[Edit("mlp", value, block=0)])
        close(got[1]["cls_after"][i], after.cls[0])


def look_stretched(path: Path) -> Tensor:
    picture = open_picture(path, stretch=True)
    return to_tensor(fit_to_patches(picture, 14, (28, 42)).picture)[None]
