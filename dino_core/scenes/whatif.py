"""Screen What if: one picture before and after a change inside the model.

changes = parse_changes(["head:8.3=mean"])             # as on the command line
sources = sources_of(backbone, seen, changes)          # slow the first time, then kept
whatif_scene(changed(backbone.vit, seen, changes, sources), changes)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dino_core.analysis.effects import Effects, cosine_distances, effects
from dino_core.analysis.inspection import Inspection
from dino_core.analysis.pca import colour_features, recolour
from dino_core.datasets import Pictures, sample_pictures
from dino_core.draw.pictures import to_bytes
from dino_core.figures.changed import before_and_after
from dino_core.figures.effects import change_by_layer
from dino_core.figures.theme import Theme
from dino_core.scenes.attention import check_layer
from dino_core.scenes.features import COMPONENTS, settings
from dino_core.scenes.pairs import OpenPair, ReferenceSample
from dino_core.scenes.printing import Printed, Source
from dino_core.vit import VisionTransformer
from dino_core.weights import Backbone
from dino_core.whatif import (
    Change,
    Sources,
    as_edits,
    centers_of,
    check_changes,
    heads_say,
    other_picture,
    parse_changes,
    reference_for,
    statistics_of,
)
from dino_core.whatif.reference import Progress

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "Change",
    "Effects",
    "PrototypesScene",
    "Sources",
    "WhatIfScene",
    "changed",
    "check_changes",
    "parse_changes",
    "print_changed",
    "prototypes_scene",
    "sources_of",
    "whatif_scene",
]


@dataclass(frozen=True)
class WhatIfScene:
    """One picture before and after. Cosines are of features through the final norm, 1: the same."""

    changes: list[str]  # SITE=VALUE, in the order they hold
    layer: int  # whose attention and features are shown
    entry: int  # the first block that was computed again; T without a change
    grid: tuple[int, int]
    registers: int  # that are left in
    heads: int
    cls_cosine: float  # of the class token after the last block
    patch_cosine_mean: float  # of the patches after the last block
    note: str  # of the colours
    patch_cosine: np.ndarray  # float32 [h, w] after the layer shown
    cls_cosine_by_layer: np.ndarray  # float32 [T]
    patch_cosine_by_layer: np.ndarray  # float32 [T], mean over the patches
    attention_before: np.ndarray  # float32 [A, h, w], patch part of the class token's rows
    attention_after: np.ndarray  # float32 [A, h, w]
    colours_before: np.ndarray  # uint8 [h, w, 3], PCA of the layer's features, background black
    colours_after: np.ndarray  # uint8 [h, w, 3], in the basis and range of before
    cls_before: np.ndarray  # float32 [D], of the last layer
    cls_after: np.ndarray  # float32 [D]

    def charts(self, theme: Theme) -> "dict[str, go.Figure]":
        """How the change spreads through the layers."""
        return {
            "spread": change_by_layer(self.cls_cosine_by_layer, self.patch_cosine_by_layer, theme)
        }


@dataclass(frozen=True)
class PrototypesScene:
    """What a pair's heads say of the picture before and after. Cross-entropies in nats.

    The teacher has seen the picture as it is, the student the edited one.
    """

    title: str  # of the pair
    dino: tuple[float, float]  # before, after: of the class token
    ibot: tuple[float, float] | None  # mean over patches; None for a pair without
    prototypes: np.ndarray  # int32 [2, k] the teacher's likeliest before and after
    probabilities: np.ndarray  # float32 [2, k] of these


def sources_of(
    backbone: Backbone,
    seen: Inspection,
    changes: Sequence[Change],
    *,
    seed: int = 0,
    pictures: Pictures | None = None,
    kept: Sources | None = None,
    progress: Progress = lambda done: None,
) -> Sources:
    """What the changes take their values from, as far as they need it; worth keeping.

    `pictures` are the reference, None: the samples. Statistics are computed once for each size and
    kept on the disk; another picture costs a forward. What `kept` has is taken from there.
    `progress` may raise to stop.
    """
    statistics, other = (kept.statistics, kept.other) if kept else (None, None)
    reference = reference_for(pictures or sample_pictures(), seen)
    if statistics is None and any(change.needs_statistics for change in changes):
        statistics = statistics_of(backbone, reference, progress)
    if other is None and any(change.needs_other for change in changes):
        other = other_picture(backbone.vit, reference, seen, seed)
    return Sources(statistics, other, seed)


def changed(
    vit: VisionTransformer, seen: Inspection, changes: Sequence[Change], sources: Sources
) -> Effects:
    """Before and after. ValueError in a sentence for what this model or picture does not have, and
    for changes that leave no numbers."""
    found = effects(vit, seen, as_edits(vit, seen, changes, sources))
    if not found.cls_cosine_by_layer.isfinite().all():
        raise ValueError("Nothing finite is left after that: choose a temperature nearer to 1.")
    return found


@torch.inference_mode()
def whatif_scene(
    found: Effects,
    changes: Sequence[Change],
    layer: int | None = None,
    preset: str = "paper",
    flip: bool = False,
) -> WhatIfScene:
    """What the screen shows, of one layer (None: the last). ValueError for one that is not there.

    Colours are the PCA of before, in `preset`, and what is after is shown in the same basis.
    """
    before, after = found.before, found.after
    layer = before.layers - 1 if layer is None else layer
    check_layer(before, layer)
    config = settings(preset, flip)
    features = [one.patches(layer).float() for one in (before, after)]
    cosine = 1 - cosine_distances(features[0], features[1])  # [P]
    colours = colour_features(features[:1], [before.grid], config, COMPONENTS)
    recoloured = recolour(colours, features[1], config)
    return WhatIfScene(
        changes=[str(change) for change in changes],
        layer=layer,
        entry=found.entry,
        grid=before.grid,
        registers=after.registers,
        heads=before.heads,
        cls_cosine=float(found.cls_cosine),
        patch_cosine_mean=float(found.patch_cosine_by_layer[-1]),
        note=colours.note,
        patch_cosine=_array(cosine.unflatten(0, before.grid)),
        cls_cosine_by_layer=_array(found.cls_cosine_by_layer),
        patch_cosine_by_layer=_array(found.patch_cosine_by_layer),
        attention_before=_class_rows(before, layer),
        attention_after=_class_rows(after, layer),
        colours_before=to_bytes(colours.pictures[0].colours.cpu().numpy()),
        colours_after=to_bytes(recoloured.colours.cpu().numpy()),
        cls_before=_array(before.normed[0]),
        cls_after=_array(after.normed[0]),
    )


def print_changed(
    found: Effects,
    changes: Sequence[Change],
    source: Source,
    *,
    layer: int | None = None,
    head: int | None = None,
    seed: int = 0,
    of_samples: bool = True,
) -> Printed:
    """What the screen shows as a figure for print. ValueError where nothing is changed.

    `of_samples`: values are taken from the samples, as those of the command without --reference.
    """
    if not changes:
        raise ValueError("Change something first: after is before.")
    at = found.before.layers - 1 if layer is None else layer
    check_layer(found.before, at)
    texts = [str(change) for change in changes]

    def draw(width: Any) -> Any:
        words = ", ".join(texts)
        return before_and_after([found], words, layer=at, head=head, width=width)

    words = ["whatif", source.picture, *(word for text in texts for word in ("--edit", text))]
    words += ["--seed", str(seed), "--layer", str(at)]
    words += [] if head is None else ["--head", str(head)]
    otherwise = "" if of_samples else "Values taken from a gallery of the page"
    return Printed("whatif", draw, (*words, *source.options), otherwise, output="whatif.npz")


def prototypes_scene(
    opened: OpenPair, references: Sequence[ReferenceSample], found: Effects
) -> PrototypesScene:
    """What the pair's heads say; ValueError for features of another model than the pair's."""
    centers = centers_of([one.answers for one in references])
    said = heads_say(opened.pair, opened.config, found, centers)
    return PrototypesScene(
        title=opened.title,
        dino=said.dino,
        ibot=said.ibot,
        prototypes=said.prototypes.int().cpu().numpy(),
        probabilities=_array(said.probabilities),
    )


def _class_rows(seen: Inspection, layer: int) -> np.ndarray:
    return _array(seen.on_grid(seen.row(layer, 0)))


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.float().cpu().numpy()
