"""Screen What if: every head, or attention and MLP of every block, changed one at a time.

plan, found = screen_picture(backbone, seen, "heads")   # long the first time, then kept
screening_scene(backbone.vit, plan, [found])
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dino_core.analysis.inspection import Inspection
from dino_core.datasets import sample_pictures
from dino_core.evaluation.knn import NEIGHBOURS, knn
from dino_core.figures.effects import screening
from dino_core.figures.theme import Theme
from dino_core.vit import VisionTransformer
from dino_core.weights import Backbone
from dino_core.whatif import Plan, Screened, reference_for, screened
from dino_core.whatif.reference import Progress
from dino_core.whatif.screening import PARTS, Parts

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "PARTS",
    "Labelled",
    "Parts",
    "Plan",
    "Screened",
    "ScreeningScene",
    "screen_picture",
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
    parts: Parts,
    *,
    seed: int = 0,
    progress: Progress = lambda done: None,
) -> tuple[Plan, Screened]:
    """One picture, with all four values, from where it is kept or computed; the samples are the
    reference. `progress` may raise to stop."""
    plan = Plan(parts, seed=seed)
    reference = reference_for(sample_pictures(), seen)
    return plan, screened(backbone, seen, plan, reference, progress)


@dataclass(frozen=True, eq=False)
class Labelled:
    """A labelled gallery as neighbours, and which of its pictures were screened."""

    features: np.ndarray  # float32 [n, D] class tokens after the final norm
    labels: np.ndarray  # int64 [n]
    rows: Sequence[int]  # of the pictures that were screened, in their order


def screening_scene(
    vit: VisionTransformer,
    plan: Plan,
    found: Sequence[Screened],
    gallery: Labelled | None = None,
) -> ScreeningScene:
    """The screenings of several pictures as one; with a gallery also what they do to its k-NN."""
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
    accuracy, change = None, None
    if gallery is not None:
        accuracy, after = knn_accuracy(found, gallery)
        change = (after - accuracy).astype(np.float32)
    return ScreeningScene(
        parts=plan.parts,
        values=list(plan.values),
        units=plan.unit_names(vit),
        pictures=len(found),
        accuracy=accuracy,
        mean_cls=effects_of["effect_cls"].mean(-1),
        mean_patches=effects_of["effect_patches"].mean(-1),
        spread_cls=effects_of["effect_cls"].std(-1),
        spread_patches=effects_of["effect_patches"].std(-1),
        accuracy_change=change,
        **effects_of,
        **shocks,
    )


def knn_accuracy(found: Sequence[Screened], gallery: Labelled) -> tuple[float, np.ndarray]:
    """Shares of the screened pictures that their 20 nearest in the gallery classify rightly.

    -> (as they are, [n, T, units] after each change). A picture is never its own neighbour, and
    the gallery stays as it is.
    """
    bank, labels = torch.from_numpy(gallery.features), torch.from_numpy(gallery.labels).long()
    right = []
    for one, row in zip(found, gallery.rows, strict=True):
        others = torch.arange(len(bank)) != row
        asked = torch.cat([bank[row][None], one.cls.flatten(0, -2)])  # [1 + n T units, D]
        classes = int(labels.max()) + 1
        votes = knn(bank[others], labels[others], asked, classes=classes)[NEIGHBOURS]
        right.append((votes.argmax(1) == labels[row]).float())
    shares = torch.stack(right).mean(0)
    return float(shares[0]), _array(shares[1:].unflatten(0, found[0].effect_cls.shape))


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.float().cpu().numpy()
