"""Numbers -> figures, the same on the page, in a notebook and in a file.

Charts, which have axes, are Plotly's (`plotly.graph_objects.Figure`):

    curves      training, distillation and fine-tuning by step, schedules
    layers      lengths of tokens, updates, probes by layer, explained variance
    effects     what follows from a change inside the model
    histograms  masks and crops over many draws
    matrix      which classes are taken for which
    charts      what these are put together from; charts over one axis
    theme       colours and template, light and dark

Panels of pictures, for print and notebooks, are matplotlib's (`matplotlib.figure.Figure`):

    maps        attention, similarity, PCA
    depth       all layers in colours that stay
    changed     before and after a change inside the model
    views       rollout, norms, clusters, matches, two models, models x layers
    tray        several pictures as rows, several views as columns
    samples     crops, masks
    panels      rows of pictures whose widths are millimetres
    show        any of these of one picture, by name: seen.show("pca", layer=8)

    offline_page  one picture as one interactive HTML file
    files       save(figure, path)

    lines = read_metrics("runs/first")
    figures.save(figures.pretraining_curves(lines), "curves.html")
    figures.save(figures.attention(seen, query=(6, 12)), "attention.pdf")

Nothing is drawn by both. Neither is imported before a figure is drawn: the rest of the library
works without them.
"""

from dino_core.figures.changed import before_and_after
from dino_core.figures.charts import stack
from dino_core.figures.curves import (
    distillation_curves,
    finetuning_curves,
    pretraining_curves,
    schedules,
)
from dino_core.figures.depth import attention_by_layer, layers_in_colours
from dino_core.figures.effects import change_by_layer, screening
from dino_core.figures.files import save
from dino_core.figures.histograms import crop_areas, crop_aspects, mask_blocks, mask_counts
from dino_core.figures.layers import (
    block_updates,
    explained_variance,
    probe_accuracy,
    token_lengths,
)
from dino_core.figures.maps import attention, pca, similarity
from dino_core.figures.matrix import confusion
from dino_core.figures.samples import crops, masks
from dino_core.figures.tray import tray
from dino_core.figures.views import (
    attention_of_pictures,
    clusters,
    comparison,
    matches,
    model_grid,
    norms,
    patch_values,
    token_parts,
)

__all__ = [
    "attention",
    "attention_by_layer",
    "attention_of_pictures",
    "before_and_after",
    "block_updates",
    "change_by_layer",
    "clusters",
    "comparison",
    "confusion",
    "crop_areas",
    "crop_aspects",
    "crops",
    "distillation_curves",
    "explained_variance",
    "finetuning_curves",
    "layers_in_colours",
    "mask_blocks",
    "mask_counts",
    "masks",
    "matches",
    "model_grid",
    "norms",
    "patch_values",
    "pca",
    "pretraining_curves",
    "probe_accuracy",
    "save",
    "schedules",
    "screening",
    "similarity",
    "stack",
    "token_lengths",
    "token_parts",
    "tray",
]
