"""Screen What if: every head, or attention and MLP of every block, changed one at a time.

scenes = screen_picture(backbone, seen, reference_pictures())     # long the first time, then kept
scenes = screen_several(backbone, several(None, side=224, most=8), reference_pictures())
scenes["heads"].mean_cls
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dino_core.analysis.inspection import Inspection, inspect
from dino_core.datasets import Pictures
from dino_core.embedding.reading import Reader
from dino_core.figures.effects import screening
from dino_core.figures.theme import Theme
from dino_core.gallery.screening import AccuracyChange, Labelled, accuracy_change, labelled
from dino_core.scenes.whatif_pictures import Several
from dino_core.vit import VisionTransformer
from dino_core.weights import Backbone
from dino_core.whatif import (
    Plan,
    Reference,
    Screened,
    reference_for,
    screened,
    statistics_of,
)
from dino_core.whatif.reference import Progress
from dino_core.whatif.screening import PARTS, Parts

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "PARTS",
    "Parts",
    "Plan",
    "Screened",
    "ScreeningScene",
    "forwards_of",
    "screen_picture",
    "screen_several",
    "screening_scene",
]


@dataclass(frozen=True)
class ScreeningScene:
    """Every head, or attention and MLP of every block, changed one at a time with several values.

    Effects are 1 - cosine of before and after, over B pictures.
    """

    parts: str  # "heads" or "blocks"
    values: list[str]
    units: list[str]  # of a block, in words
    pictures: int
    references: int  # pictures that means and noise are taken from; 0: that is not known
    accuracy: float | None  # 20-NN of the pictures in the gallery as it is; None without labels
    effect_cls: np.ndarray  # float32 [n, T, units, B] of the class token
    effect_patches: np.ndarray  # float32 [n, T, units, B] mean over the patches
    mean_cls: np.ndarray  # float32 [n, T, units], mean over pictures
    mean_patches: np.ndarray  # float32 [n, T, units]
    spread_cls: np.ndarray  # float32 [n, T, units], standard deviation over pictures
    spread_patches: np.ndarray  # float32 [n, T, units]
    shock_cls: np.ndarray | None  # float32 [T, units] zero minus mean; None unless both are there
    shock_patches: np.ndarray | None  # float32 [T, units]
    accuracy_change: np.ndarray | None  # float32 [n, T, units] of the 20-NN accuracy

    def charts(self, theme: Theme) -> "dict[str, go.Figure]":
        """Layers by units, a chart for each value."""
        return screening(
            self.effect_cls,
            self.effect_patches,
            values=self.values,
            units=self.units,
            theme=theme,
        )


def screen_picture(
    backbone: Backbone,
    seen: Inspection,
    references: Pictures,
    *,
    seed: int = 0,
    progress: Progress = lambda done: None,
) -> dict[Parts, ScreeningScene]:
    """Heads and blocks of one picture, with all four values, from where they are kept or computed.

    `references` are brought to its size. `progress` may raise to stop.
    """
    reference = reference_for(references, seen)
    return screen_both(backbone, [seen], reference, seed=seed, progress=progress)


def screen_both(
    backbone: Backbone,
    looked_at: Iterable[Inspection],
    reference: Reference,
    *,
    seed: int = 0,
    gallery: Labelled | None = None,
    progress: Progress = lambda done: None,
) -> dict[Parts, ScreeningScene]:
    """The same of pictures of one size, each looked at when it is its turn.

    `gallery`: whose pictures they are, where it has labels. Whoever is stopped finds the pictures
    that were done again.
    """
    plans = {parts: Plan(parts, seed=seed) for parts in PARTS}
    statistics = statistics_of(backbone, reference)
    before: list[torch.Tensor] = []
    found: dict[Parts, list[Screened]] = {parts: [] for parts in PARTS}
    for seen in looked_at:
        before.append(seen.normed[0])
        for parts, plan in plans.items():
            found[parts].append(
                screened(backbone, seen, plan, reference, progress, statistics=statistics)
            )
    if not before:
        raise ValueError("None of these pictures can be read any more.")
    return {
        parts: screening_scene(
            backbone.vit,
            plan,
            found[parts],
            references=statistics.pictures,
            accuracy=accuracy_change(before, found[parts], gallery) if gallery else None,
        )
        for parts, plan in plans.items()
    }


def screen_several(
    backbone: Backbone,
    chosen: Several,
    references: Pictures,
    *,
    seed: int = 0,
    progress: Progress = lambda done: None,
) -> dict[Parts, ScreeningScene]:
    """The same of several pictures; `references` are brought to their size."""
    vit, rows = backbone.vit, list(chosen.rows)
    reader = Reader(chosen.pictures, chosen.preparation, vit.config.patch_size)

    def looked_at() -> Iterator[Inspection]:
        for index in range(len(chosen.pictures)):
            pixels = reader.look(index).pixels
            if pixels is not None:
                yield inspect(vit, chosen.preparation.images(np.stack([pixels]), vit.pos_embed))
            elif rows:  # it was there when the gallery was made
                raise ValueError("Pictures of this gallery have gone since: build it again.")

    return screen_both(
        backbone,
        looked_at(),
        Reference(references, chosen.preparation),
        seed=seed,
        gallery=labelled(chosen.gallery, rows) if chosen.gallery else None,
        progress=progress,
    )


def forwards_of(vit: VisionTransformer) -> int:
    """How many changed forwards `screen_both` needs for a picture."""
    return sum(Plan(parts).forwards(vit) for parts in PARTS)


def screening_scene(
    vit: VisionTransformer,
    plan: Plan,
    found: Sequence[Screened],
    *,
    references: int = 0,
    accuracy: AccuracyChange | None = None,
) -> ScreeningScene:
    """The screenings of several pictures as one; `references`: how many pictures a mean is over."""
    effects_of = {
        name: np.stack([_array(getattr(one, name)) for one in found], -1)
        for name in ("effect_cls", "effect_patches")
    }  # [n, T, units, B]
    shocks: dict[str, Any] = {"shock_cls": None, "shock_patches": None}
    if {"zero", "mean"} <= set(plan.values):
        zero, mean = plan.values.index("zero"), plan.values.index("mean")
        for name, effect in effects_of.items():
            shock = (effect[zero] - effect[mean]).mean(-1)
            shocks[name.replace("effect", "shock")] = shock
    return ScreeningScene(
        parts=plan.parts,
        values=list(plan.values),
        units=plan.unit_names(vit),
        pictures=len(found),
        references=references,
        accuracy=accuracy.before if accuracy else None,
        mean_cls=effects_of["effect_cls"].mean(-1),
        mean_patches=effects_of["effect_patches"].mean(-1),
        spread_cls=effects_of["effect_cls"].std(-1),
        spread_patches=effects_of["effect_patches"].std(-1),
        accuracy_change=accuracy.change if accuracy else None,
        **effects_of,
        **shocks,
    )


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.float().cpu().numpy()
