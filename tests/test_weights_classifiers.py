"""weights/classifiers.py: logits are those of transformers, of timm and of the official formula."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_models import TINY, shake, tiny_vit

from dino_core.config import ViTConfig
from dino_core.embedding.preparation import square_input
from dino_core.finetuning.classifier import classifier_of, load_classifier, save_brought
from dino_core.finetuning.explaining import explain
from dino_core.weights import load_backbone
from dino_core.weights.classifiers import Reads
from dino_core.weights.peers import hugging_face_config, hugging_face_state, timm_state

WIDE = replace(TINY, dim=64, heads=1)  # a width that tells the number of heads
NAMES = {"0": "tabby", "1": "<img src=x onerror=alert(1)>", "2": "LABEL_2"}


@pytest.fixture
def picture() -> Image.Image:
    noise = torch.randint(0, 256, (90, 130, 3), generator=torch.Generator().manual_seed(5))
    return Image.fromarray(noise.to(torch.uint8).numpy())


def head(width: int, classes: int = 3, seed: int = 7) -> torch.nn.Linear:
    made = torch.nn.Linear(width, classes)
    shake(made, seed)
    return made.requires_grad_(False)


def parts(name: str, made: torch.nn.Linear) -> dict[str, torch.Tensor]:
    return {f"{name}.{part}": tensor for part, tensor in made.state_dict().items()}


def transformers_folder(folder: Path, config: ViTConfig = TINY, **changes: Any) -> Path:
    """As `Dinov2ForImageClassification.save_pretrained` writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {f"dinov2.{n}": t for n, t in hugging_face_state(tiny_vit(config)).items()}
    tensors = state | parts("classifier", head(2 * config.dim)) | changes
    save_file({n: t.contiguous() for n, t in tensors.items()}, folder / "model.safetensors")
    stated = {"architectures": ["Dinov2ForImageClassification"], "id2label": NAMES}
    text = json.dumps(hugging_face_config(config) | stated)
    (folder / "config.json").write_text(text)
    return folder


def of(tensors: dict[str, torch.Tensor], path: Path) -> Path:
    torch.save(tensors, path)
    return path


@pytest.mark.parametrize("size", [56, 84])  # as the positions were learnt, and interpolated
def test_logits_are_those_of_transformers(tmp_path: Path, picture: Image.Image, size: int) -> None:
    transformers = pytest.importorskip("transformers")
    folder = transformers_folder(tmp_path / "cats")
    theirs = transformers.AutoModelForImageClassification.from_pretrained(
        str(folder), local_files_only=True
    ).eval()
    assert type(theirs).__name__ == "Dinov2ForImageClassification"
    ours = load_classifier(folder)
    images = square_input(picture, size, 14)[None]
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images).logits, atol=1e-4, rtol=1e-5)
    assert ours.classes == ("tabby", "<img src=x onerror=alert(1)>", "class 2")
    assert (ours.size, ours.reads) == (56, Reads(1, True))
    assert "as in transformers: it reads the class token and the mean of the" in ours.words


def test_registers_are_in_no_mean_of_patches(tmp_path: Path, picture: Image.Image) -> None:
    """Versions of transformers differ: here it is what its classifier makes of the patches."""
    transformers = pytest.importorskip("transformers")
    config = replace(TINY, registers=4, position_offset=0.0, position_antialias=True)
    folder = transformers_folder(tmp_path / "cats", config)
    stated = json.loads((folder / "config.json").read_text())
    stated["architectures"] = ["Dinov2WithRegistersForImageClassification"]
    (folder / "config.json").write_text(json.dumps(stated))
    tensors = load_file(folder / "model.safetensors")
    named = {n.replace("dinov2.", "dinov2_with_registers."): t for n, t in tensors.items()}
    save_file(named, folder / "model.safetensors")
    theirs = transformers.AutoModelForImageClassification.from_pretrained(
        str(folder), local_files_only=True
    ).eval()
    ours, images = load_classifier(folder), square_input(picture, 84, 14)[None]
    with torch.inference_mode():
        tokens = theirs.dinov2_with_registers(images).last_hidden_state
        read = torch.cat([tokens[:, 0], tokens[:, 5:].mean(1)], 1)
        torch.testing.assert_close(ours(images), theirs.classifier(read), atol=1e-4, rtol=1e-5)
    notes = load_backbone(weights=folder).info.notes
    assert "transformers 5, which counts registers in" in notes[-1]


@pytest.mark.parametrize("size", [56, 84])
def test_logits_are_those_of_timm(tmp_path: Path, picture: Image.Image, size: int) -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model(
        "vit_small_patch14_dinov2", img_size=56, embed_dim=64, depth=2, num_heads=1,
        num_classes=5, dynamic_img_size=True,
    ).eval()  # fmt: skip
    shake(theirs, 3)
    path = of(theirs.state_dict(), tmp_path / "timm.pth")
    ours, images = load_classifier(path), square_input(picture, size, 14)[None]
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images), atol=1e-4, rtol=1e-4)
    assert ours.classes == tuple(f"class {i}" for i in range(5))
    assert ours.reads == Reads(1, False)
    assert "as in timm: it reads the class token alone, after the final norm." in ours.words
    found = explain(ours, picture)
    assert not found.patches.any()
    torch.testing.assert_close(found.bias + found.class_token, found.logits, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "layers", "reads"),
    [
        ("head", 0, Reads(1, False)),
        ("linear_head", 1, Reads(1, True)),
        ("linear_head", 4, Reads(4, True)),
    ],
)
def test_official_heads_read_what_the_official_code_gives_them(
    tmp_path: Path, picture: Image.Image, name: str, layers: int, reads: Reads
) -> None:
    """By the formula of hubconf's _LinearClassifierWrapper, and of forward()."""
    vit, made = tiny_vit(replace(WIDE, depth=5)), head(reads.width(64))
    before = "backbone." if layers else ""
    state = {f"{before}{n}": t for n, t in vit.state_dict().items()} | parts(name, made)
    ours = load_classifier(of(state, tmp_path / "lc.pth"))
    images = square_input(picture, 56, 14)[None]
    with torch.inference_mode():
        out = vit(images, trace=range(5))
        ends = [vit.norm(out.traces[block].tokens) for block in range(5)]  # [1, N, D] each
        tokens = [end[:, 0] for end in ends[-max(layers, 1) :]]
        mean = [ends[-1][:, 1:].mean(1)] if layers else []
        expected = made(torch.cat([*tokens, *mean], 1))
        torch.testing.assert_close(ours(images), expected, atol=1e-4, rtol=1e-5)
    assert ours.reads == reads
    found = explain(ours, picture, likeliest=2)
    total = found.bias + found.class_token + found.patches.sum((1, 2))
    torch.testing.assert_close(total, found.logits[found.explained], atol=1e-4, rtol=1e-5)
    assert found.explained.tolist() == found.logits.argsort(descending=True)[:2].tolist()


def nan(weight: torch.Tensor) -> dict[str, torch.Tensor]:
    weight = weight.clone()
    weight[1, 3] = float("nan")
    return {"weight": weight}


WRONG: dict[str, tuple[Callable[[torch.Tensor], dict[str, torch.Tensor]], str]] = {
    "NaN": (nan, "no finite numbers"),
    "a bias of another length": (lambda w: {"bias": torch.zeros(4)}, r"bias has shape \[4\]"),
    "three dimensions": (lambda w: {"weight": w[None]}, r"shape \[1, 3, 128\]"),
    "another width": (
        lambda w: {"weight": w[:, :77]},
        "reads 77 numbers of a backbone of width 64",
    ),
    "the class token's width": (lambda w: {"weight": w[:, :64]}, "reads 64 numbers"),
    "one class": (lambda w: {"weight": w[:1], "bias": torch.zeros(1)}, "tells no classes apart"),
    "whole numbers": (lambda w: {"weight": w.to(torch.int8)}, "no floating-point"),
    "10^8 classes": (
        lambda w: {"weight": torch.zeros(1).expand(10**8, 128), "bias": torch.zeros(3)},
        "100,000,000 classes of 128 numbers each are more than are read",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_classifier_that_cannot_be_asked_is_set_aside_and_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    change, words = WRONG[what]
    state = {f"dinov2.{n}": t for n, t in hugging_face_state(tiny_vit(WIDE)).items()}
    made = head(128).state_dict()
    made |= change(made["weight"])
    tensors = state | {f"classifier.{n}": t for n, t in made.items()}
    monkeypatch.setattr(  # no test writes 50 GB
        "dino_core.weights.backbone.read_state_dict", lambda path: (tensors, {})
    )
    backbone = load_backbone(weights=tmp_path / "hostile.pth")
    assert backbone.classifier is None
    assert backbone.vit.config.dim == 64, "the backbone is as good as without it"
    (note,) = [note for note in backbone.info.notes if "set aside" in note]
    assert note.startswith("Its classifier classifier was set aside: ")
    with pytest.raises(ValueError, match=f"holds no classifier: .*{words}") as refused:
        load_classifier(tmp_path / "hostile.pth")
    others = [one for one in backbone.info.notes if one != note]
    assert others
    assert not any(one in str(refused.value) for one in others), "that note alone says why"


def test_a_trainers_own_head_may_read_anything(tmp_path: Path) -> None:
    state = {f"backbone.{n}": t for n, t in timm_state(tiny_vit(WIDE)).items()}
    backbone = load_backbone(weights=of(state | parts("head", head(64)), tmp_path / "own.pth"))
    assert backbone.classifier is None
    assert any("nobody can tell which" in note for note in backbone.info.notes)
    projection = {"head.mlp.0.weight": torch.zeros(8, 64), "head.weight": torch.zeros(3, 64)}
    plain = load_backbone(weights=of(timm_state(tiny_vit(WIDE)) | projection, tmp_path / "p.pth"))
    assert plain.classifier is None, "a projection head is none"
    assert not any("set aside" in note for note in plain.info.notes)


@pytest.mark.parametrize(
    "names",
    ["no JSON", json.dumps([1, 2]), json.dumps({"id2label": {"0": 5, "9" * 30: "x", "-1": "y"}})],
)
def test_names_that_are_none_become_numbers(tmp_path: Path, names: str) -> None:
    folder = transformers_folder(tmp_path / "odd", WIDE)
    (folder / "config.json").write_text(names)
    assert load_classifier(folder).classes == ("class 0", "class 1", "class 2")


def test_a_brought_classifier_is_kept_as_one_of_ours(tmp_path: Path, picture: Image.Image) -> None:
    """For a checkpoint whose heads somebody had to say."""
    backbone = load_backbone(weights=transformers_folder(tmp_path / "cats"))
    theirs = classifier_of(backbone)
    assert theirs is not None
    save_brought(backbone, tmp_path / "kept.safetensors", "a test")
    again = load_classifier(tmp_path / "kept.safetensors")
    for name in ("classes", "size", "reads", "words"):
        assert getattr(again, name) == getattr(theirs, name), name
    alone = load_backbone(weights=tmp_path / "kept.safetensors").vit
    assert alone.config == backbone.vit.config, "the backbone is as it was brought"
    images = square_input(picture, 84, 14)[None]
    with torch.inference_mode():
        torch.testing.assert_close(again(images), theirs(images))
