"""A linear classifier that lies beside a backbone: what it reads, and what its classes are called.

    transformers  classifier.*    class token, mean of the patches    Dinov2ForImageClassification
    timm          head.*          class token                         its pooling for DINOv2
    official      head.*          class token                         where forward() ends
    official      linear_head.*   class token, or those of the last four blocks, and mean of the
                                  patches                             hubconf's dinov2_*_lc
    own           head.*          as transformers, each number in its training mean and spread

All of them read tokens after the final norm. Which it is follows from the layout of the backbone,
the name and the width; what fits none of these lines is set aside, and said.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dino_core.config import ViTConfig
from dino_core.weights.architecture import FLOATS
from dino_core.weights.files import CONFIG
from dino_core.weights.layouts import Converted

NAMES = ("classifier", "head", "linear_head", "fc")
PARTS = {"weight", "bias", "mean", "std"}
LARGEST = 2**26  # numbers in the matrix: ImageNet-22k on a ViT-g, class token and patches
MOST_POSITIONS = 224  # px at which pictures are asked about, where the file says nothing
LONGEST_NAME = 100  # characters of a class
# How each library interpolates positions, (offset, antialiasing): its logits are with these.
POSITIONS = {"timm": (0.0, True)}


@dataclass(frozen=True)
class Reads:
    """Which tokens a classifier looks at, in this order, after the final norm."""

    class_tokens: int = 1  # of the last so many blocks
    mean_patch: bool = True

    def width(self, dim: int) -> int:
        return (self.class_tokens + self.mean_patch) * dim

    @property
    def words(self) -> str:
        one = self.class_tokens == 1
        tokens = (
            "the class token" if one else f"the class tokens of the last {self.class_tokens} blocks"
        )
        return f"{tokens} and the mean of the patches" if self.mean_patch else f"{tokens} alone"


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """logits = weight (features - mean) / std + bias, float32, of Y classes and F features."""

    weight: Tensor  # [Y, F]
    bias: Tensor  # [Y]
    mean: Tensor  # [F]
    std: Tensor  # [F]
    reads: Reads
    classes: tuple[str, ...]  # "class 0", "class 1", ... where nobody has named them
    size: int  # px of the square that it is asked about
    origin: str  # whose it is: "transformers", "timm", "official" or "own"
    positions: tuple[float, bool] | None = None  # how that library interpolates them; None: as ours

    @property
    def words(self) -> str:
        """What it reads, in a sentence."""
        own = self.origin == "own"
        how = ", each number in its training mean and spread" if own else ""
        whose = {"own": "made here", "official": "as in the official code"}
        return (
            f"A linear classifier of {len(self.classes):,} classes, "
            f"{whose.get(self.origin, f'as in {self.origin}')}: it reads {self.reads.words}, after "
            f"the final norm{how}."
        )


class SetAside(ValueError):  # noqa: N818  it is said to a person
    """Why something that looks like a classifier is none that could be asked."""


def find_classifier(
    converted: Converted, config: ViTConfig, metadata: Mapping[str, str]
) -> tuple[LinearClassifier | None, tuple[str, ...]]:
    """What lies beside a backbone -> its classifier, if there is one, and a note on it."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in converted.aside.items():
        group, _, part = name.rpartition(".")
        groups.setdefault(group, {})[part] = tensor
    notes: list[str] = []
    for group in NAMES:
        parts = groups.get(group, {})
        nested = any(name.startswith(f"{group}.") for name in groups)
        if "weight" not in parts or nested or not parts.keys() <= PARTS:
            continue  # a projection head, or nothing of the kind
        try:
            found = _read(group, parts, converted, config, metadata)
        except SetAside as error:
            notes.append(f"Its classifier {group} was set aside: {error}")
            continue
        return found, (*notes, found.words, *_on_registers(found, config))
    return None, tuple(notes)


def _on_registers(found: LinearClassifier, config: ViTConfig) -> tuple[str, ...]:
    if found.origin != "transformers" or not config.registers:
        return ()
    return (
        "The mean is of the patches alone, as before transformers 5, which counts registers in, so "
        "that its logits differ a little.",
    )


def _read(
    group: str,
    parts: Mapping[str, Tensor],
    converted: Converted,
    config: ViTConfig,
    metadata: Mapping[str, str],
) -> LinearClassifier:
    weight = parts["weight"]
    if weight.ndim != 2:
        raise SetAside(
            f"its weight has shape {list(weight.shape)}, wanted are [classes, features]."
        )
    Y, F = weight.shape
    if Y < 2:
        raise SetAside(f"{Y} number alone tells no classes apart.")
    if weight.numel() > LARGEST:
        raise SetAside(f"{Y:,} classes of {F:,} numbers each are more than are read ({LARGEST:,}).")
    origin, reads = _kind(group, F, converted, config)
    bias = parts.get("bias", torch.zeros(Y))
    mean, std = parts.get("mean", torch.zeros(F)), parts.get("std", torch.ones(F))
    for name, tensor, shape in (("bias", bias, (Y,)), ("mean", mean, (F,)), ("std", std, (F,))):
        if tuple(tensor.shape) != shape:
            raise SetAside(f"its {name} has shape {list(tensor.shape)}, wanted is {list(shape)}.")
    kept = {"weight": weight, "bias": bias, "mean": mean, "std": std}
    for name, tensor in kept.items():
        if tensor.is_meta or tensor.dtype not in FLOATS:
            raise SetAside(f"its {name} holds no floating-point numbers.")
        if not bool(tensor.isfinite().all()):
            raise SetAside(f"its {name} holds values that are no finite numbers (NaN or infinity).")
    if bool((std == 0).any()):
        raise SetAside("a spread of 0 cannot be divided by.")
    return LinearClassifier(
        **{name: tensor.to("cpu", torch.float32, copy=True) for name, tensor in kept.items()},
        reads=reads,
        classes=_classes(Y, metadata),
        size=_size(config, metadata),
        origin=_said_origin(metadata) or origin,
        positions=_positions(origin, config, metadata),
    )


def _kind(group: str, F: int, converted: Converted, config: ViTConfig) -> tuple[str, Reads]:
    """Whose a classifier is, and what it reads. SetAside for a width that fits nothing known."""
    layout, D = converted.layout, config.dim
    known: dict[tuple[str, str], tuple[str, Sequence[Reads]]] = {
        ("classifier", "Hugging Face"): ("transformers", (Reads(1, True),)),
        ("head", "timm"): ("timm", (Reads(1, False),)),
        ("head", "plain ViT"): ("timm", (Reads(1, False),)),
        ("head", "official"): ("official", (Reads(1, False),)),
        ("linear_head", "official"): ("official", (Reads(1, True), Reads(4, True))),
        ("head", "own"): ("own", (Reads(1, True), Reads(1, False), Reads(4, True))),
    }
    # With backbone.* before its names, as hubconf keeps it.
    of_layout = "official" if layout == "official training checkpoint" else layout
    origin, choices = known.get((group, of_layout), ("", ()))
    if group == "head" and origin != "own" and f"{group}.weight" not in converted.inside:
        choices = ()  # some trainer's own module, which may read anything
    fitting = [one for one in choices if one.width(D) == F and one.class_tokens <= config.depth]
    if not fitting:
        raise SetAside(
            f"it reads {F} numbers of a backbone of width {D}, and no {group} that transformers, "
            f"timm or the official code make beside {layout} names does, so that nobody can tell "
            f"which."
        )
    return origin, fitting[0]


# --- what a file says beside its tensors


def _classes(count: int, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """A name for each class; "class 3" for those that nobody has named."""
    named: dict[int, str] = {}
    own = _json(metadata.get("classes"))
    if isinstance(own, list) and len(own) == count:
        named = {i: name for i, name in enumerate(own) if isinstance(name, str)}
    stated = _json(metadata.get(CONFIG))
    names = stated.get("id2label") if isinstance(stated, dict) else None
    if not named and isinstance(names, dict):
        for key, name in names.items():
            if str(key).isdecimal() and isinstance(name, str) and name != f"LABEL_{key}":
                named[int(key)] = name
    cleaned = {i: " ".join(name.split())[:LONGEST_NAME] for i, name in named.items()}
    return tuple(cleaned.get(i) or f"class {i}" for i in range(count))


def _size(config: ViTConfig, metadata: Mapping[str, str]) -> int:
    """Px of the square, in whole patches: as one of ours says, or 224, no more than was learnt."""
    patch = config.patch_size
    said = _json(metadata.get("size"))
    if isinstance(said, int) and patch <= said <= 4096 and said % patch == 0:
        return said
    return max(min(MOST_POSITIONS, *config.image_sides) // patch, 1) * patch


def _positions(
    origin: str, config: ViTConfig, metadata: Mapping[str, str]
) -> tuple[float, bool] | None:
    """How positions are interpolated for it; None: as ours are."""
    if origin == "own":
        said = _json(metadata.get("positions"))
        if isinstance(said, list) and len(said) == 2 and isinstance(said[0], int | float):
            return float(said[0]), bool(said[1])
        return None
    if origin == "transformers":
        return 0.0, config.registers > 0
    return POSITIONS.get(origin)


def _said_origin(metadata: Mapping[str, str]) -> str | None:
    """Whose a classifier was that is kept as one of ours."""
    said = metadata.get("origin")
    return said if said in ("transformers", "timm", "official") and "config" in metadata else None


def _json(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
