"""Every head, or attention and MLP of every block, changed one at a time: what follows from each.

The effect is 1 - cosine of before and after, of the features after the final norm: of the class
token, and the mean over the patches. Zero alone misleads: it is a value that no forward ever has,
and later blocks are shocked by it (Parodi et al. 2026, arXiv 2604.14433). So each part is changed
with several values, and what zero does more than a mean is shock.

Parts of one block share everything before them: the blocks before are taken from the Inspection,
the block's own attention is computed once, and the stream widens where the first part is changed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from dino_core.analysis.effects import cosine_distances
from dino_core.analysis.inspection import Inspection
from dino_core.embedding.cache import model_key
from dino_core.jobs import replacing
from dino_core.vit import Edit, SiteName, VisionTransformer
from dino_core.weights import Backbone
from dino_core.whatif.reference import (
    Reference,
    Statistics,
    kept_at,
    other_picture,
    reference_key,
    statistics_of,
)
from dino_core.whatif.values import Sources, Values
from dino_core.whatif.words import PLAIN, Kind

Parts = Literal["heads", "blocks"]
PARTS: tuple[Parts, ...] = get_args(Parts)
CONTROLS: tuple[Kind, ...] = ("zero", "mean", "noise", "other")
BRANCHES: tuple[SiteName, ...] = ("attention", "mlp")  # of a block, in the order of its forward
TOKENS_AT_ONCE = 2048  # in one forward: 7 pictures of 16 x 16 patches, which stay in the cache
FORMAT = 1  # goes up when the same picture gives other numbers than before

Progress = Callable[[int], None]  # forwards done since the last call; may raise to stop


@dataclass(frozen=True)
class Plan:
    """What is screened."""

    parts: Parts
    values: tuple[Kind, ...] = CONTROLS
    seed: int = 0  # of noise, and of which picture the other is

    def __post_init__(self) -> None:
        if self.parts not in PARTS:
            raise ValueError(f"What is screened is {' or '.join(PARTS)}, not {self.parts!r}.")
        wrong = [value for value in self.values if value not in PLAIN]
        if wrong or not self.values:
            raise ValueError(f"Values are {', '.join(PLAIN)}, not {', '.join(wrong) or 'none'}.")
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"Each value is screened once: {', '.join(self.values)}.")

    @property
    def needs_statistics(self) -> bool:
        """Whether a value is read off reference pictures, all of them."""
        return bool({"mean", "noise"} & set(self.values))

    def units(self, vit: VisionTransformer) -> int:
        """How many parts a block has: its heads, or attention and MLP."""
        return vit.config.heads if self.parts == "heads" else len(BRANCHES)

    def unit_names(self, vit: VisionTransformer) -> list[str]:
        """What the parts of a block are called."""
        if self.parts == "heads":
            return [f"head {head}" for head in range(vit.config.heads)]
        return ["attention", "MLP"]

    def forwards(self, vit: VisionTransformer) -> int:
        """How many changed forwards a picture takes; their first blocks are shared."""
        return len(self.values) * vit.config.depth * self.units(vit)


@dataclass(frozen=True)
class Screened:
    """One picture's effects, n values by T layers by the units of a block. Float32."""

    effect_cls: Tensor  # [n, T, units] 1 - cosine of the class token
    effect_patches: Tensor  # [n, T, units] mean over the patches
    cls: Tensor  # [n, T, units, D] the class token after each change


def screened(
    backbone: Backbone,
    seen: Inspection,
    plan: Plan,
    reference: Reference,
    progress: Progress = lambda done: None,
    *,
    statistics: Statistics | None = None,
) -> Screened:
    """The screening of one picture that was looked at, from where it is kept or computed.

    `statistics` are those of the reference, where somebody has them in hand. Whoever is stopped
    loses one picture at most. ValueError for reference pictures of which none can be read.
    """
    path = kept_at(backbone, "screening", screening_key(backbone, seen, plan, reference), "npz")
    kept = _read(path) if path.is_file() else None
    if kept is not None:
        progress(plan.forwards(backbone.vit))
        return kept
    other = None
    if plan.needs_statistics and statistics is None:
        statistics = statistics_of(backbone, reference)
    if "other" in plan.values:
        other = other_picture(backbone.vit, reference, seen, plan.seed)
    found = screen(backbone.vit, seen, plan, Sources(statistics, other, plan.seed), progress)
    with suppress(OSError):  # where nothing can be kept it is computed again
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez(file, **{one.name: getattr(found, one.name).numpy() for one in fields(found)})
    return found


def screening_key(
    backbone: Backbone, seen: Inspection, plan: Plan, reference: Reference
) -> dict[str, Any]:
    """What a screening follows from; reference pictures only where a value is taken from them."""
    needed = {"mean", "noise", "other"} & set(plan.values)
    return {
        "format": FORMAT,
        **model_key(backbone),
        "parts": plan.parts,
        "values": list(plan.values),
        "seed": plan.seed if needed - {"mean"} else 0,
        "picture": seen.digest,
        "reference": reference_key(backbone, reference) if needed else None,
        "order": list(reference.pictures.names) if "other" in needed else None,
    }


def _read(path: Path) -> Screened | None:
    """None for a file that was cut short."""
    with suppress(Exception), np.load(path) as file:
        return Screened(**{one.name: torch.from_numpy(file[one.name]) for one in fields(Screened)})
    return None


# --- computed


@torch.inference_mode()
def screen(
    vit: VisionTransformer,
    seen: Inspection,
    plan: Plan,
    sources: Sources,
    progress: Progress = lambda done: None,
) -> Screened:
    """The screening of one picture, without edits, whose values come from `sources`."""
    values = Values(vit, seen, sources, seen.registers)
    first, shape = seen.first_patch, (len(plan.values), vit.config.depth, plan.units(vit))
    effect_cls, effect_patches = torch.zeros(shape), torch.zeros(shape)
    cls = torch.zeros(*shape, vit.config.dim)
    for block in range(vit.config.depth):
        stream = (seen.tokens[block - 1] if block else seen.embedded)[None]
        for places, edit in _edits_of(block, plan, values):
            normed = vit.resume(stream, seen.grid, first=block, edits=[edit]).normed  # [n, N, D]
            changes = cosine_distances(seen.normed, normed)  # [n, N]
            value, unit = (list(index) for index in zip(*places, strict=True))
            effect_cls[value, block, unit] = changes[:, 0].cpu()
            effect_patches[value, block, unit] = changes[:, first:].mean(1).cpu()
            cls[value, block, unit] = normed[:, 0].float().cpu()
            progress(len(places))
    return Screened(effect_cls, effect_patches, cls)


Place = tuple[int, int]  # which of the values, which unit of the block


def _edits_of(block: int, plan: Plan, values: Values) -> Iterator[tuple[list[Place], Edit]]:
    """Edits of which each stands for several at once, and what those are."""
    n = len(plan.values)
    at_once = max(TOKENS_AT_ONCE // values.seen.tokens.shape[1], 1)
    if plan.parts == "heads":
        at = [values.at(kind, "head", block) for kind in plan.values]  # n x [A, N, d]
        places = [(value, head) for value in range(n) for head in range(len(at[0]))]
        for some in _parts(places, at_once):
            yield some, Edit("head", _each_head(at, some), block=block)
        return
    for unit, site in enumerate(BRANCHES):
        at = [values.at(kind, site, block) for kind in plan.values]  # n x [N, D]
        for some in _parts([(value, unit) for value in range(n)], at_once):
            yield some, Edit(site, _each_update([at[value] for value, _ in some]), block=block)


def _each_head(at: Sequence[Tensor], places: Sequence[Place]) -> Callable[[Tensor], Tensor]:
    """[1, A, N, d] -> [n, A, N, d], in each of which another head has another value."""

    def change(there: Tensor) -> Tensor:
        many = there.repeat(len(places), 1, 1, 1)
        for row, (value, head) in enumerate(places):
            many[row, head] = at[value][head].to(there)
        return many

    return change


def _each_update(updates: Sequence[Tensor]) -> Callable[[Tensor], Tensor]:
    """[1, N, D] -> [n, N, D], the updates that take its place."""
    return lambda there: torch.stack([update.to(there) for update in updates])


def _parts(places: list[Place], size: int) -> Iterator[list[Place]]:
    """As equal as can be, and at most of that size."""
    count = -(-len(places) // size)
    for part in range(count):
        yield places[part * len(places) // count : (part + 1) * len(places) // count]
