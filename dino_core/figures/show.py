"""A picture that was seen once -> any view of it, by name: what `seen.show()` returns.

    seen.show()                                # what the class token attends to, last layer
    seen.show("attention", query=(6, 12), layer=8, heads=[3])
    seen.show("pca", layer=8, preset="all-patches", width="column")
    seen.show("similarity", query=(6, 12), others=[another])

    attention   query, layer, heads, shared       layers   preset, flip, method, robust
    similarity  query, layer, others              rollout
    pca         layer, preset, flip               norms
    clusters    k, layer, seed

Every view takes `width`: "column" (89 mm), "page" (183 mm), or mm. The figures are those of the
commands' --figure and of the page.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dino_core.analysis.alignment import Method
from dino_core.config import PCA_PRESETS, PCAConfig
from dino_core.figures import maps, views
from dino_core.figures.panels import Width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dino_core.analysis.inspection import Inspection


def show(seen: "Inspection", view: str = "attention", **chosen: Any) -> "Figure":
    """One view of a picture as a figure for print, which a notebook shows by itself.

    What can be chosen for each view is listed above. ValueError for a view that there is not, and
    for what the picture or the model does not have.
    """
    if view not in VIEWS:
        raise ValueError(f"A view is one of {', '.join(VIEWS)}, not {view!r}.")
    return VIEWS[view](seen, **chosen)


def pca_of(preset: str, flip: bool = False) -> PCAConfig:
    """ValueError unless there is a preset of this name."""
    if preset not in PCA_PRESETS:
        raise ValueError(f"A preset is one of {', '.join(PCA_PRESETS)}, not {preset!r}.")
    return replace(PCA_PRESETS[preset], flip=flip)


def pca(
    seen: "Inspection",
    *,
    layer: int | None = None,
    preset: str = "paper",
    flip: bool = False,
    width: Width | float = "page",
) -> "Figure":
    """Patch features of a layer as colours."""
    return maps.pca([seen], layer=layer, config=pca_of(preset, flip), width=width)


def clusters(
    seen: "Inspection",
    *,
    k: int = 6,
    layer: int | None = None,
    seed: int = 0,
    width: Width | float = "page",
) -> "Figure":
    """k-means of a layer's patch features at length 1, in `k` clusters, 2 to 12."""
    from dino_core.analysis.clustering import kmeans
    from dino_core.analysis.similarity import directions
    from dino_core.draw.colours import CLUSTER_COLOURS

    if not 2 <= k <= len(CLUSTER_COLOURS):
        raise ValueError(f"The clusters are 2 to {len(CLUSTER_COLOURS)}, not {k}.")
    at = maps.layer_of(seen, layer)
    points = directions(seen.patches(at)).cpu().numpy()
    found = kmeans(points, min(k, len(points)), seed)
    header = f"layer {at}, seed {seed}, {100 * found.explained:.0f} % explained"
    return views.clusters([seen], [found.labels.reshape(seen.grid)], header=header, width=width)


def layers(
    seen: "Inspection",
    *,
    preset: str = "paper",
    flip: bool = False,
    method: Method = "rotation",
    robust: bool = False,
    width: Width | float = "page",
) -> "Figure":
    """PCA of every layer, in colours that stay."""
    from dino_core.analysis.depth import layers_in_colours as in_colours
    from dino_core.figures.depth import layers_in_colours

    family = in_colours(seen, pca_of(preset, flip), method=method, robust=robust)
    return layers_in_colours(seen, family, width=width)


def rollout(seen: "Inspection", *, width: Width | float = "page") -> "Figure":
    """Attention of the class token followed through all layers."""
    from dino_core.analysis.attention import rollout as followed

    row = followed(seen.queries.float(), seen.keys.float())
    values = seen.on_grid(row).cpu().numpy()
    return views.patch_values([seen], [values], ROLLOUT, "weight", width=width)


def norms(seen: "Inspection", *, width: Width | float = "page") -> "Figure":
    """Lengths of the patch tokens before the first block and after each, what stands out framed."""
    from dino_core.analysis.outliers import find_outliers
    from dino_core.analysis.tokens import stream_norms

    lengths = stream_norms(seen).float()
    outliers = find_outliers(lengths[:, seen.first_patch :]).mask.unflatten(-1, seen.grid)
    patches = seen.on_grid(lengths).cpu().numpy()
    return views.norms(seen, patches, outliers.cpu().numpy(), width=width)


ROLLOUT = "Attention rollout of the class token"
VIEWS: dict[str, Callable[..., "Figure"]] = {
    "attention": maps.attention,
    "similarity": maps.similarity,
    "pca": pca,
    "clusters": clusters,
    "layers": layers,
    "rollout": rollout,
    "norms": norms,
}
