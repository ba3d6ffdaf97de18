"""Screen 5: patch features as colours, as clusters, as a map."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch

from dino_core.analysis.clustering import kmeans
from dino_core.analysis.inspection import Inspection
from dino_core.analysis.pca import colour_features, fit_pca
from dino_core.analysis.similarity import directions
from dino_core.config import PCA_PRESETS, PCAConfig
from dino_core.draw.colours import cluster_colour
from dino_core.draw.pictures import to_bytes
from dino_core.figures.layers import explained_variance
from dino_core.figures.theme import Theme
from dino_core.scenes.facts import MapParameters

if TYPE_CHECKING:
    import plotly.graph_objects as go

COMPONENTS = 8  # are computed; three of them are shown
MOST_CLUSTERS = 12
# float32 [n, D] features and [n, 2] to start from, neighbours, min_distance, seed -> [n, 2]
FitMap = Callable[[np.ndarray, np.ndarray, int, float, int], np.ndarray]


@dataclass(frozen=True)
class FeaturesScene:
    """The PCA of one layer's patch features, alone or together with a second picture's."""

    layer: int
    preset: str
    config: Annotated[dict[str, Any], PCAConfig]  # the fields of PCAConfig as they were used
    grid: tuple[int, int]
    colours: np.ndarray  # uint8 [h, w, 3], background black
    foreground: np.ndarray  # uint8 [h, w], 1 where foreground
    scores: np.ndarray  # float32 [h, w, 3], the projection on the components shown
    ratio: np.ndarray  # float32 [COMPONENTS], share of the variance that each component explains
    note: str
    second_grid: tuple[int, int] | None = None
    second_colours: np.ndarray | None = None  # uint8 [h', w', 3]
    second_foreground: np.ndarray | None = None  # uint8 [h', w']
    second_scores: np.ndarray | None = None  # float32 [h', w', 3]

    def charts(self, theme: Theme) -> "dict[str, go.Figure]":
        """What the components explain; those that became colours stand out."""
        return {"variance": explained_variance(self.ratio, self.config["components"], theme)}


@dataclass(frozen=True)
class PatchesScene:
    """One layer's patch features of length 1: their dot products are cosine similarities."""

    layer: int
    grid: tuple[int, int]
    directions: np.ndarray  # float32 [P, D]


@dataclass(frozen=True)
class ClustersScene:
    """k-means of one layer's patch features of length 1; cluster 0 is the largest."""

    layer: int
    k: int
    seed: int
    grid: tuple[int, int]
    sizes: list[int]  # patches; fewer than k entries when there are fewer different features
    colours: list[tuple[int, int, int]]
    explained: float  # share of the variance between clusters, 0 to 1
    labels: np.ndarray  # int32 [h, w]


@dataclass(frozen=True)
class MapScene:
    """One layer's patches as points in a plane, from their features of length 1."""

    layer: int
    method: str  # "pca" or "umap"
    parameters: Annotated[dict[str, Any], MapParameters]
    grid: tuple[int, int]
    points: np.ndarray  # float32 [P, 2]


def settings(preset: str, flip: bool = False, **changes: Any) -> PCAConfig:
    """A preset with what a person changed about it. ValueError in a plain sentence."""
    if preset not in PCA_PRESETS:
        raise ValueError(f"A preset is one of {', '.join(PCA_PRESETS)}, but is {preset!r}.")
    config = replace(PCA_PRESETS[preset], flip=flip, **changes)
    if config.colours not in ("minmax", "sigmoid"):
        raise ValueError(f"Colours are minmax or sigmoid, but are {config.colours!r}.")
    if not -5 <= config.threshold <= 5:
        raise ValueError(f"The threshold goes from -5 to 5, but is {config.threshold}.")
    if len(config.components) != 3 or not all(0 <= c < COMPONENTS for c in config.components):
        raise ValueError(f"Red, green and blue are components 0 to {COMPONENTS - 1}, all three.")
    return config


@torch.inference_mode()
def features_scene(
    seen: Inspection,
    layer: int,
    preset: str = "paper",
    flip: bool = False,
    second: Inspection | None = None,
    **changes: Any,
) -> FeaturesScene:
    """With `second`, one PCA for both pictures. ValueError for an unknown preset or layer."""
    config = settings(preset, flip, **changes)
    pictures = [seen] if second is None else [seen, second]
    features = same_width([picture.patches(layer).float() for picture in pictures])
    result = colour_features(features, [picture.grid for picture in pictures], config, COMPONENTS)
    arrays: dict[str, Any] = {}
    for prefix, view in zip(("", "second_"), result.pictures, strict=False):
        arrays[f"{prefix}colours"] = to_bytes(view.colours.cpu().numpy())
        arrays[f"{prefix}foreground"] = view.foreground.cpu().numpy().astype(np.uint8)
        arrays[f"{prefix}scores"] = view.scores[..., list(config.components)].cpu().numpy()
    return FeaturesScene(
        layer=layer,
        preset=preset,
        config=asdict(config),
        grid=seen.grid,
        ratio=result.pca.ratio.cpu().numpy(),
        note=result.note,
        second_grid=second.grid if second is not None else None,
        **arrays,
    )


def same_width(features: list[torch.Tensor]) -> list[torch.Tensor]:
    """ValueError when features [n, D] of several pictures are not of one width D."""
    widths = {part.shape[1] for part in features}
    if len(widths) > 1:
        raise ValueError(
            f"Features of width {' and '.join(map(str, sorted(widths)))} do not go together: "
            "look at both pictures with the same model."
        )
    return features


@torch.inference_mode()
def patches_scene(seen: Inspection, layer: int) -> PatchesScene:
    features = directions(seen.patches(layer))  # [P, D]
    return PatchesScene(layer=layer, grid=seen.grid, directions=features.cpu().numpy())


@torch.inference_mode()
def clusters_scene(seen: Inspection, layer: int, k: int, seed: int) -> ClustersScene:
    """ValueError unless 2 <= k <= MOST_CLUSTERS."""
    if not 2 <= k <= MOST_CLUSTERS:
        raise ValueError(f"The clusters are 2 to {MOST_CLUSTERS}, not {k}.")
    features = directions(seen.patches(layer)).cpu().numpy()
    found = kmeans(features, min(k, len(features)), seed)
    return ClustersScene(
        layer=layer,
        k=k,
        seed=seed,
        grid=seen.grid,
        sizes=found.sizes.tolist(),
        colours=[cluster_colour(index) for index in range(len(found.sizes))],
        explained=found.explained,
        labels=found.labels.reshape(seen.grid),
    )


@torch.inference_mode()
def map_scene(
    seen: Inspection,
    layer: int,
    fit: FitMap | None = None,
    neighbours: int = 15,
    min_distance: float = 0.1,
    seed: int = 0,
) -> MapScene:
    """The first two principal components, or what `fit`, UMAP, makes of them."""
    features = directions(seen.patches(layer))
    pca = fit_pca(features, 2)
    points = pca.project(features).cpu().numpy()
    parameters: dict[str, Any] = {"ratio": pca.ratio.tolist()}
    if fit is not None:
        points = fit(features.cpu().numpy(), points, neighbours, min_distance, seed)
        parameters = {"neighbours": neighbours, "min_distance": min_distance, "seed": seed}
    return MapScene(
        layer=layer,
        method="umap" if fit else "pca",
        parameters=parameters,
        grid=seen.grid,
        points=points,
    )
