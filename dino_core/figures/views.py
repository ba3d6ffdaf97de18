"""Views of one or several pictures, in panels for print.

    figures.attention_of_pictures([seen, another], (6, 12), layer=8, heads=[3])
    figures.patch_values([seen], [rollout], "Attention rollout", "weight")
    figures.clusters([seen], [labels])
    figures.matches(seen, another, pairs)
    figures.comparison(seen, second, compared)
    figures.model_grid(seen, maps)

Each returns a `matplotlib.figure.Figure`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dino_core.draw.colours import cluster_colour
from dino_core.figures.maps import (
    Patch,
    colour_cell,
    grid_text,
    input_cell,
    layer_of,
    paired,
    value_cell,
)
from dino_core.figures.panels import (
    FEW,
    Bar,
    Cell,
    Entry,
    Width,
    grid,
    in_rows,
    most_columns,
    show_picture,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dino_core.analysis.inspection import Inspection
    from dino_core.analysis.side_by_side import Compared


def attention_of_pictures(
    seen: Sequence["Inspection"],
    query: Patch | None = None,
    *,
    layer: int | None = None,
    heads: Sequence[int] | None = None,
    width: Width | float = "page",
) -> "Figure":
    """What one token attends to in several pictures, one below the other: input, heads, mean.

    `query` is one patch in all of them, None the class token. A map reaches from 0 to its largest
    value, written above it. `heads` None: their mean alone. ValueError for what is not there.
    """
    at, bar = layer_of(seen[0], layer), Bar("0", "largest", "weight")
    chosen = [] if heads is None else list(heads)
    if not all(0 <= head < seen[0].heads for head in chosen):
        raise ValueError(f"There are heads 0 to {seen[0].heads - 1}, not {heads}.")
    rows: list[Sequence[Cell]] = []
    for i, one in enumerate(seen):
        token = one.token_at(*query) if query else 0
        every = one.on_grid(one.rows(token)[at].float()).cpu().numpy()  # [A, h, w]
        named = {f"head {head}": every[head] for head in chosen}
        named = named or {"mean of all heads": every.mean(0)}
        cells = [input_cell(one, query, f"picture {i}")]
        for name, values in named.items():
            title = f"{name}, to {values.max():.3g}"
            cells.append(value_cell(title, values, (0.0, float(values.max())), query))
        rows += in_rows(cells, width, bar)
    where = f"query: patch {query[0]},{query[1]}" if query else "query: class token"
    words = f"Attention, layer {at} of 0–{seen[0].layers - 1}, {where}; {grid_text(seen[0])}"
    return grid(side_by_side(rows, width, bar), words, width=width, bar=bar)


def patch_values(
    seen: Sequence["Inspection"],
    maps: Sequence[np.ndarray],
    title: str,
    unit: str,
    *,
    width: Width | float = "page",
) -> "Figure":
    """A number a patch, [h, w] for each picture, from 0 to its largest: each below its picture."""
    bar = Bar("0", "largest", unit)
    pictures = [
        input_cell(one, title="input" if len(seen) == 1 else f"picture {i}")
        for i, one in enumerate(seen)
    ]
    cells = [
        value_cell(f"to {values.max():.3g}", values, (0.0, float(values.max()))) for values in maps
    ]
    words = f"{title}; {grid_text(seen[0])}"
    return grid(paired(pictures, cells, width, bar), words, width=width, bar=bar)


def norms(
    seen: "Inspection",
    lengths: np.ndarray,
    outliers: np.ndarray,
    *,
    width: Width | float = "page",
) -> "Figure":
    """Lengths of the patches [T + 1, h, w], before the first block and after each, from the
    smallest to the largest of each; those that stand out, bool [T + 1, h, w], are framed."""
    bar = Bar("smallest", "largest", "length")
    cells = [input_cell(seen)]
    for step, (values, out) in enumerate(zip(lengths, outliers, strict=True)):
        name = "embedded" if step == 0 else f"layer {step - 1}"
        limits = (float(values.min()), float(values.max()))
        marks = [(int(row), int(column)) for row, column in np.argwhere(out)]
        cells.append(value_cell(f"{name}, {limits[0]:.3g}–{limits[1]:.3g}", values, limits, *marks))
    words = f"Lengths of the patch tokens, framed: what stands out; {grid_text(seen)}"
    return grid(in_rows(cells, width, bar), words, width=width, bar=bar)


def token_parts(
    seen: "Inspection", lengths: Mapping[str, np.ndarray], *, width: Width | float = "page"
) -> "Figure":
    """Lengths of what a token is made of, a name and a map [h, w] each, from 0 to the largest."""
    bar = Bar("0", "largest", "length")
    cells = [input_cell(seen)]
    for name, values in lengths.items():
        title = f"{name}, to {values.max():.3g}"
        cells.append(value_cell(title, values, (0.0, float(values.max()))))
    words = f"Lengths of what enters the first block; {grid_text(seen)}"
    return grid(in_rows(cells, width, bar), words, width=width, bar=bar)


def clusters(
    seen: Sequence["Inspection"],
    labels: Sequence[np.ndarray],
    *,
    header: str = "",
    width: Width | float = "page",
) -> "Figure":
    """Clusters of patches, int [h, w] for each picture, with a legend of their shares."""
    count = max(int(one.max()) for one in labels) + 1
    table = np.array([cluster_colour(index) for index in range(count)], np.uint8)
    pictures = [
        input_cell(one, title="input" if len(seen) == 1 else f"picture {i}")
        for i, one in enumerate(seen)
    ]
    cells = [colour_cell("clusters", table[one]) for one in labels]
    sizes = np.bincount(np.concatenate([one.reshape(-1) for one in labels]), minlength=count)
    legend = [
        Entry(cluster_colour(i), f"cluster {i}, {100 * size / sizes.sum():.0f} %")
        for i, size in enumerate(sizes)
    ]
    words = "; ".join(filter(None, ["k-means of patch features", header, grid_text(seen[0])]))
    return grid(paired(pictures, cells, width), words, width=width, legend=legend)


def matches(
    first: "Inspection",
    second: "Inspection",
    pairs: Sequence[tuple[Patch, Patch, float]],
    *,
    header: str = "",
    width: Width | float = "page",
) -> "Figure":
    """Two pictures side by side, and a line from each patch of the first to its match.

    pairs: ((row, column) in the first, (row, column) in the second, cosine), the best first.
    """
    (h, w), (tall, wide) = first.grid, second.grid
    gap = max(w, wide) / 20
    side = h / tall  # the second is drawn as tall as the first

    def draw(axes: "Axes") -> None:
        from matplotlib.patches import ConnectionPatch

        show_picture(axes, first.pixels.numpy(), first.grid)
        extent = (w + gap, w + gap + wide * side, h, 0)
        axes.imshow(
            second.pixels.numpy(), extent=extent, aspect="auto", interpolation="antialiased"
        )
        axes.set(xlim=(0, w + gap + wide * side), ylim=(h, 0))
        for i, ((row, column), (below, right), _) in enumerate(pairs):
            start = (column + 0.5, row + 0.5)
            end = (w + gap + (right + 0.5) * side, (below + 0.5) * side)
            colour = "#{:02x}{:02x}{:02x}".format(*cluster_colour(i))
            line = ConnectionPatch(start, end, "data", "data", color=colour, linewidth=0.8)
            line.set_gid(f"match-{i}")
            axes.add_patch(line)

    low = f", cosine {pairs[-1][2]:.2f} to {pairs[0][2]:.2f}" if pairs else ""
    words = "; ".join(filter(None, [f"{len(pairs)} mutual matches{low}", header, grid_text(first)]))
    cell = Cell("picture 0, and picture 1", h / (w + gap + wide * side), draw)
    return grid([[cell]], words, width=width)


def comparison(
    seen: "Inspection",
    found: "Compared",
    names: Sequence[str],
    *,
    width: Width | float = "page",
) -> "Figure":
    """One picture in two models or layers: the input and both PCAs, in the first one's colours."""
    kept = ", ".join(f"{value:.2f}" for value in found.alignment.correlation.tolist())
    words = (
        f"PCA of {names[0]} and {names[1]}: CKA {found.cka:.3f}, correlation of the components "
        f"{kept}; {grid_text(seen)}"
    )
    cells = [
        input_cell(seen),
        colour_cell(names[0], found.colours.cpu().numpy()),
        colour_cell(names[1], found.second_colours.cpu().numpy()),
    ]
    return grid([cells], "; ".join(filter(None, [words, found.note])), width=width)


def model_grid(
    seen: "Inspection",
    maps: Sequence[Sequence[np.ndarray]],
    names: Sequence[str],
    layers: Sequence[Sequence[int]],
    *,
    cka: np.ndarray,
    header: str,
    query: Patch | None = None,
    colours: str = "magma",
    width: Width | float = "page",
) -> "Figure":
    """Models below each other, layers side by side, above each its CKA with the last of all.

    maps[i][j]: colours [h, w, 3] in 0 to 1, or numbers [h, w], which reach from 0 to the largest of
    each, or from -1 to 1 with the colours "blue-red". cka: [models, layers].
    """
    rows: list[Sequence[Cell]] = []
    for i, (row, name) in enumerate(zip(maps, names, strict=True)):
        cells, marks = [input_cell(seen, query, name)], [query] if query else []
        for j, values in enumerate(row):
            title = f"layer {layers[i][j]}, {cka[i][j]:.2f}"
            if values.ndim == 3:
                cells.append(colour_cell(title, values))
            else:
                signed = colours == "blue-red"
                limits = (-1.0, 1.0) if signed else (0.0, float(values.max()))
                cells.append(value_cell(title, values, limits, *marks, colours=colours))
        rows.append(cells)
    bar = None
    if maps[0][0].ndim == 2:
        signed = colours == "blue-red"
        low, high = ("−1", "1") if signed else ("0", "largest")
        bar = Bar(low, high, "cosine" if signed else "weight", colours)
    most = most_columns(width, bar)
    chunks = [row[i : i + most] for row in rows for i in range(0, len(row), most)]
    words = f"{header}; above each its CKA with the last; {grid_text(seen)}"
    return grid(chunks, words, width=width, bar=bar)


def side_by_side(
    rows: Sequence[Sequence[Cell]], width: Width | float, bar: Bar | None
) -> list[Sequence[Cell]]:
    """Short rows, one for each picture, two or more of them in a row where there is room."""
    longest = max(map(len, rows))
    columns = min(6 if len(rows) * longest > FEW else 4, most_columns(width, bar))
    together = max(columns // longest, 1)
    return [
        [cell for row in rows[i : i + together] for cell in row]
        for i in range(0, len(rows), together)
    ]
