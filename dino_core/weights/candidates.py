"""Where in a checkpoint a backbone lies, and which one, where there are several.

Trainers wrap their weights: {"model": ...}, {"student": ..., "teacher": ...}, {"state_dict": ...,
"state_dict_ema": ...}, and modules put `module.`, `backbone.` or `net.encoder.` in front of every
name. A vision transformer is found by its first weight, wherever that lies:

    teacher.backbone.patch_embed.proj.weight   ->   prefix "teacher.backbone.", an average
    student.backbone.patch_embed.proj.weight   ->   prefix "student.backbone."

Pure sorting of names: dict in, dict out.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import Tensor

from dino_core.weights.foreign import foreign_model, refusal
from dino_core.weights.untold import Untold

# The first weight of a vision transformer, by its official and its Hugging Face name.
ANCHORS = ("patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight")

# Wrappers that put their own word inside a name.
INFIXES = re.compile(
    r"(^|(?<=\.))(module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\."
)

# What a backbone is made of, at the top of its names. Whatever else has parts of its own is a head.
BACKBONE = re.compile(
    r"(cls_token|pos_embed|mask_token|register_tokens|reg_token)$"
    r"|(patch_embed|blocks|norm|embeddings|encoder|layernorm)\."
    r"|(norm_pre|fc_norm|ln_pre|pos_drop|rope|rope_embed)\."  # part of the way: never left aside
)

# Words in a prefix that say "moving average": what DINOv2 evaluates and releases.
AVERAGE = {"teacher", "ema", "average", "averaged", "momentum", "target", "swa"}


@dataclass(frozen=True)
class Found:
    """One backbone of a checkpoint, and what lies beside it."""

    prefix: str  # what stood before every name, with its dot; "" for nothing
    backbone: dict[str, Tensor]  # without the prefix
    extras: dict[str, Tensor]  # heads, loss centres; not what belongs to another backbone
    notes: tuple[str, ...]


def find_backbone(tensors: Mapping[str, Tensor], branch: str | None = None) -> Found:
    """The backbone of a checkpoint.

    Of several, `branch` names the wanted one: "teacher" for the moving average, "student" for the
    network that is trained, or a prefix as the checkpoint has it. Without it the moving average is
    taken, and a note says so. Raises ValueError when there is none, or none of that name.
    """
    names = {INFIXES.sub("", name): tensor for name, tensor in tensors.items()}
    container = _container(names)
    names = {name.removeprefix(container): tensor for name, tensor in names.items()}
    prefixes = backbone_prefixes(names)
    if not prefixes:
        other = foreign_model(names)
        if other is not None:
            raise ValueError(refusal(other))
        first = ", ".join(list(tensors)[:3])
        raise ValueError(
            f"No DINOv2 backbone was found among {len(tensors)} tensors (the first are {first}). "
            f"Understood are the official, Hugging Face and timm layouts."
        )
    prefix = choose(prefixes, branch)
    own = {n.removeprefix(prefix): t for n, t in names.items() if n.startswith(prefix)}
    others = [_parent(other) or other for other in prefixes if other != prefix]
    if prefix == "":
        own = {n: t for n, t in own.items() if not _is_in(n, others)}
    parent = _parent(prefix)
    extras = {
        name.removeprefix(parent): tensor
        for name, tensor in names.items()
        if not name.startswith(prefix)
        and not _is_in(name, others)
        and not ("" in prefixes and BACKBONE.match(name))
    }
    return Found(prefix, own, extras, tuple(_notes(container + prefix, prefixes, prefix)))


def backbone_prefixes(names: Collection[str]) -> list[str]:
    """What stands before each backbone's first weight, in the order of the checkpoint."""
    found = []
    for name in names:
        for anchor in ANCHORS:
            if name == anchor or name.endswith(f".{anchor}"):
                found.append(name.removesuffix(anchor))
    return found


def choose(prefixes: list[str], branch: str | None) -> str:
    """One of them. Untold, which names all, where the choice is not clear."""
    averages = [prefix for prefix in prefixes if is_average(prefix)]
    if branch is None:
        fitting = prefixes if len(prefixes) == 1 else averages
    elif branch == "teacher":
        fitting = averages or (prefixes if prefixes == [""] else [])
    elif branch == "student":
        fitting = [prefix for prefix in prefixes if prefix not in averages]
    else:
        fitting = [prefix for prefix in prefixes if prefix.rstrip(".") == branch.rstrip(".")]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(repr(prefix.rstrip(".") or "(no prefix)") for prefix in prefixes)
    if not fitting and branch is not None:
        raise ValueError(f"This checkpoint has no {branch}, only {listed}.")
    raise Untold(
        f"This checkpoint holds {len(prefixes)} backbones: {listed}.",
        "Say which: branch='teacher' (a moving average), branch='student', or one of these names.",
        "branch",
        [prefix.rstrip(".") for prefix in fitting or prefixes],
    )


def is_average(prefix: str) -> bool:
    """Whether a prefix says that its network is the moving average of another."""
    return bool(set(re.split(r"[._]", prefix.lower())) & AVERAGE)


def _notes(whole: str, prefixes: list[str], chosen: str) -> list[str]:
    """What a person should know about where the backbone was found."""
    notes = []
    if len(prefixes) > 1:
        others = ", ".join(repr(p.rstrip(".") or "(no prefix)") for p in prefixes if p != chosen)
        what = "the moving average" if is_average(chosen) else "the trained network"
        notes.append(
            f"Of {len(prefixes)} backbones in the file this is {what}, "
            f"{chosen.rstrip('.') or '(no prefix)'!r}; beside it: {others}."
        )
    elif whole:
        notes.append(f"In the file every name of the backbone begins with {whole!r}.")
    return notes


def _container(names: Collection[str]) -> str:
    """What all names begin with, up to a dot, but not a part of a backbone itself."""
    first, last = min(names, default=""), max(names, default="")  # they differ soonest
    count = next((i for i, (a, b) in enumerate(zip(first, last)) if a != b), len(first))  # noqa: B905
    prefix = first[: first.rfind(".", 0, count) + 1]
    anchors = [name for name in names if name.endswith(ANCHORS)]
    inside = all(name.removeprefix(prefix).endswith(ANCHORS) for name in anchors)
    averaged = is_average(prefix) or "student" in prefix
    return prefix if anchors and inside and not averaged else ""


def _parent(prefix: str) -> str:
    """ "teacher.backbone." -> "teacher."; "teacher." -> ""."""
    return "".join(f"{part}." for part in prefix.split(".")[:-2])


def _is_in(name: str, prefixes: Collection[str]) -> bool:
    return any(prefix and name.startswith(prefix) for prefix in prefixes)
