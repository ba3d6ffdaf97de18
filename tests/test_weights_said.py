"""weights/: what is found in a checkpoint, and every word that is said of it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tiny_models import TINY, tiny_vit

from dino_core.weights import load_backbone, save_backbone
from dino_core.weights.backbone import architecture_name
from dino_core.weights.candidates import Found, choose, find_backbone, is_average
from dino_core.weights.classifiers import LinearClassifier, Reads, find_classifier
from dino_core.weights.layouts import Converted, convert
from dino_core.weights.untold import Untold

BODY = ("cls_token", "patch_embed.proj.weight", "norm.bias")
HEAD = ("dino_head.mlp.0.weight", "dino_loss.center")


def found(names: Sequence[str], branch: str | None = None) -> tuple[str, set[str], set[str], Any]:
    tensors = {name: torch.full((1,), float(i)) for i, name in enumerate(names)}
    one: Found = find_backbone(tensors, branch)
    return one.prefix, set(one.backbone), set(one.extras), one.notes


def under(prefix: str, names: Sequence[str]) -> list[str]:
    return [prefix + name for name in names]


def test_where_a_backbone_lies() -> None:
    body, head = set(BODY), set(HEAD)
    assert found(BODY) == ("", body, set(), ())
    assert found([*BODY, *HEAD]) == ("", body | head, set(), ()), "its own module's, perhaps"
    said = "In the file every name of the backbone begins with {!r}."
    assert found(under("model.", BODY)) == ("", body, set(), (said.format("model."),))
    assert found(under("module.", BODY)) == ("", body, set(), ())
    assert found([*under("backbone.", BODY), *HEAD]) == (
        "backbone.", body, head, (said.format("backbone."),),
    )  # fmt: skip
    assert found([*under("net.backbone.", BODY), *under("net.", HEAD), "other.x"]) == (
        "net.backbone.", body, head | {"other.x"}, (said.format("net.backbone."),),
    )  # fmt: skip
    assert found(under("student.", BODY)) == ("student.", body, set(), (said.format("student."),))


def test_which_of_several() -> None:
    body, head = set(BODY), set(HEAD)
    both = [
        *under("student.backbone.", BODY), *under("student.", HEAD),
        *under("teacher.backbone.", BODY), *under("teacher.", HEAD), "iteration",
    ]  # fmt: skip
    teacher = (
        "Of 2 backbones in the file this is the moving average, 'teacher.backbone'; beside it: "
        "'student.backbone'."
    )
    wanted = ("teacher.backbone.", body, head | {"iteration"}, (teacher,))
    for branch in (None, "teacher", "teacher.backbone", "teacher.backbone."):
        assert found(both, branch) == wanted, branch
    student = (
        "Of 2 backbones in the file this is the trained network, 'student.backbone'; beside it: "
        "'teacher.backbone'."
    )
    assert found(both, "student") == (
        "student.backbone.", body, head | {"iteration"}, (student,),
    )  # fmt: skip
    beside = [*BODY, *under("ema.", BODY)]
    assert found(beside)[:2] == ("ema.", body)
    assert found(beside)[2] == set(), "what belongs to the other one"
    assert found(beside, "student")[:3] == ("", body, set())
    assert "(no prefix)" in found(beside, "student")[3][0]
    with pytest.raises(ValueError, match=r"has no swa, only 'student\.backbone', 'teacher\.backb"):
        found(both, "swa")


@pytest.mark.parametrize(
    ("prefixes", "branch", "choices"),
    [
        (["a.", "b."], None, ("a", "b")),
        (["ema.", "teacher.", "x."], None, ("ema", "teacher")),
        (["ema.", "teacher.", "x."], "teacher", ("ema", "teacher")),
        (["a.", "b."], "student", ("a", "b")),
    ],
)
def test_where_it_is_not_clear_it_is_asked(
    prefixes: list[str], branch: str | None, choices: tuple[str, ...]
) -> None:
    with pytest.raises(Untold) as caught:
        choose(prefixes, branch)
    assert (caught.value.field, caught.value.choices) == ("branch", choices)
    listed = ", ".join(repr(one.rstrip(".")) for one in prefixes)
    assert caught.value.what == f"This checkpoint holds {len(prefixes)} backbones: {listed}."


def test_what_is_called_an_average() -> None:
    averages = ("teacher.", "model_ema.", "net.EMA.", "swa_model.", "momentum.encoder.", "target.")
    assert all(map(is_average, averages))
    assert not any(map(is_average, ("", "student.", "schema.", "meaner.")))
    assert choose([""], "teacher") == "", "alone it is everybody's"
    with pytest.raises(ValueError, match="has no teacher, only 'student'"):
        choose(["student."], "teacher")


# --- a classifier beside it


def beside(
    layout: Any,
    group: str,
    features: int,
    classes: int = 3,
    inside: bool = True,
    metadata: dict[str, str] | None = None,
    **parts: torch.Tensor,
) -> tuple[LinearClassifier | None, tuple[str, ...]]:
    aside = {f"{group}.weight": torch.ones(classes, features)}
    aside |= {f"{group}.{name}": tensor for name, tensor in parts.items()}
    kept = frozenset(aside) if inside else frozenset()
    return find_classifier(Converted({}, layout, aside, kept), TINY, metadata or {})


@pytest.mark.parametrize(
    ("layout", "group", "features", "reads", "whose", "positions"),
    [
        ("Hugging Face", "classifier", 96, Reads(1, True), "as in transformers", (0.0, False)),
        ("timm", "head", 48, Reads(1, False), "as in timm", (0.0, True)),
        ("plain ViT", "head", 48, Reads(1, False), "as in timm", (0.0, True)),
        ("official", "head", 48, Reads(1, False), "as in the official code", None),
        ("official training checkpoint", "linear_head", 96, Reads(1, True),
         "as in the official code", None),
        ("own", "head", 96, Reads(1, True), "made here", None),
        ("own", "head", 48, Reads(1, False), "made here", None),
    ],
)  # fmt: skip
def test_whose_a_classifier_is(
    layout: str, group: str, features: int, reads: Reads, whose: str, positions: Any
) -> None:
    one, notes = beside(layout, group, features)
    assert one is not None
    assert (one.reads, one.positions, one.size) == (reads, positions, 56)
    assert one.classes == ("class 0", "class 1", "class 2")
    assert one.bias.tolist() == [0, 0, 0]
    assert (one.mean.unique().tolist(), one.std.unique().tolist()) == ([0], [1])
    tokens = "the class token alone"
    if reads.mean_patch:
        tokens = "the class token and the mean of the patches"
    own = ", each number in its training mean and spread" if whose == "made here" else ""
    assert notes == (
        f"A linear classifier of 3 classes, {whose}: it reads {tokens}, after the final norm{own}.",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": 1}, "1 number alone tells no classes apart."),
        ({"features": 47}, "it reads 47 numbers of a backbone of width 48, and no head"),
        ({"features": 5 * 48}, "it reads 240 numbers"),  # of four blocks, where there are two
        ({"bias": torch.ones(2)}, "its bias has shape [2], wanted is [3]."),
        ({"mean": torch.ones(3)}, "its mean has shape [3], wanted is [96]."),
        ({"std": torch.zeros(96)}, "a spread of 0 cannot be divided by."),
        ({"bias": torch.ones(3).int()}, "its bias holds no floating-point numbers."),
        ({"bias": torch.full((3,), torch.nan)}, "its bias holds values that are no finite"),
    ],
)
def test_a_classifier_is_set_aside(change: dict[str, Any], words: str) -> None:
    one, notes = beside(**{"layout": "own", "group": "head", "features": 96} | change)
    assert one is None
    assert notes[0].startswith("Its classifier head was set aside: ")
    assert words in notes[0]


def test_what_is_no_classifier_at_all() -> None:
    assert beside("own", "dino_head", 96) == (None, ())
    assert beside("own", "head", 96, scale=torch.ones(3)) == (None, ())
    nested = {"head.weight": torch.ones(3, 96), "head.mlp.weight": torch.ones(3, 96)}
    assert find_classifier(Converted({}, "own", nested), TINY, {}) == (None, ())
    one, notes = beside("timm", "head", 48, inside=False)
    assert one is None
    assert "nobody can tell which" in notes[0]


def test_what_a_file_says_of_its_classes() -> None:
    def classes(**metadata: Any) -> tuple[str, ...]:
        said = {name: json.dumps(value) for name, value in metadata.items()}
        if "id2label" in said:
            said["config.json"] = json.dumps({"id2label": metadata["id2label"]})
        one, _ = beside("own", "head", 96, metadata=said)
        assert one is not None
        return one.classes

    assert classes(classes=["a", " b  c ", "x" * 120]) == ("a", "b c", "x" * 100)
    assert classes(classes=["a", "b"]) == ("class 0", "class 1", "class 2")
    assert classes(classes=["a", 3, ""]) == ("a", "class 1", "class 2")
    named = {"2": "dog", "0": "LABEL_0", "x": "cat", "9": "far"}
    assert classes(id2label=named) == ("class 0", "class 1", "dog")
    assert classes(classes=["a", "b", "c"], id2label=named) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("said", "size"), [("28", 28), ("14", 14), ("13", 56), ("30", 56), ("5600", 56), ("x", 56)]
)
def test_at_which_size_it_is_asked(said: str, size: int) -> None:
    one, _ = beside("own", "head", 96, metadata={"size": said})
    assert one is not None
    assert one.size == size


def test_a_brought_one_says_whose_it_was() -> None:
    for said, origin in (("timm", "timm"), ("own", "own"), ("somebody", "own")):
        metadata = {"origin": said, "config": "{}", "positions": "[0.0, true]"}
        one, _ = beside("own", "head", 48, metadata=metadata)
        assert one is not None
        assert (one.origin, one.positions) == (origin, (0.0, True))
    registers = replace(TINY, registers=2)
    aside = {"classifier.weight": torch.ones(3, 96)}
    one, notes = find_classifier(Converted({}, "Hugging Face", aside), registers, {})
    assert one is not None
    assert one.positions == (0.0, True)
    assert notes[1].startswith("The mean is of the patches alone, as before transformers 5")


# --- all of it together


def test_what_is_known_of_a_file_of_one_s_own(tmp_path: Path) -> None:
    save_backbone(tiny_vit(), tmp_path / "mine.safetensors", {"licence": "MIT", "source": "here"})
    backbone = load_backbone(weights=tmp_path / "mine.safetensors")
    parameters = sum(p.numel() for p in tiny_vit().parameters())
    assert backbone.name == "mine"
    assert asdict(backbone.info) == {
        "title": "mine.safetensors (width 48, 2 blocks, patch 14)",
        "path": tmp_path / "mine.safetensors",
        "layout": "own",
        "official": False,
        "standing": "other",
        "parameters": parameters,
        "licence": "MIT",
        "source": "here",
        "notes": (),
    }
    tensors = {f"teacher.backbone.{n}": t for n, t in tiny_vit().state_dict().items()}
    tensors |= {
        "teacher.dino_head.mlp.0.weight": torch.ones(2, 2),
        "dino_loss.center": torch.ones(1),
    }
    save_file(tensors, tmp_path / "run.safetensors")
    info = load_backbone(weights=tmp_path / "run.safetensors", heads=3).info
    assert (info.layout, info.licence, info.source) == (
        "official training checkpoint", "not stated in the file", "a file of your own",
    )  # fmt: skip
    assert info.notes == (
        "Left aside, not part of the backbone: dino_head, dino_loss.",
        "In the file every name of the backbone begins with 'teacher.backbone.'.",
    )


def test_what_architectures_are_called() -> None:
    from dino_core.config import VIT_SMALL

    assert architecture_name(VIT_SMALL).startswith("ViT-S/14")
    assert architecture_name(replace(VIT_SMALL, depth=3)) == "width 384, 3 blocks, patch 14"


def test_zeros_stand_in_for_a_mask_token() -> None:
    tensors = {n: t for n, t in tiny_vit().state_dict().items() if n != "mask_token"}
    one = convert(tensors)
    assert one.layout == "timm"
    assert one.tensors["mask_token"].equal(torch.zeros(1, 48))
    assert one.notes == ("There is no mask token in the file: zeros stand in for it.",)
