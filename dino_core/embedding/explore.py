"""Columns of a table of features for tools that explore it: a map, neighbours, thumbnails.

    x, y        float32, where a picture lies on a map of the class tokens (PCA, t-SNE or UMAP)
    neighbors   struct {ids: [int], distances: [float]}: rows of the table, counted from 0, the
                nearest first, with 1 - cosine
    image       struct {bytes, path}: a JPEG, and the picture's name

These are the columns that Embedding Atlas asks for (--x, --y, --neighbors, --image), and the way in
which Hugging Face's data sets hold pictures.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dino_core.embedding.embed import Embedded
from dino_core.embedding.tables import readable

METHODS = ("pca", "tsne", "umap")


@dataclass(frozen=True)
class Column:
    """A column of a table, made slice by slice."""

    kind: Any  # pyarrow's type
    rows: Callable[[slice], Any]  # -> a pyarrow array


def exploring_columns(
    embedded: Embedded,
    *,
    method: str | None = None,
    neighbours: int = 0,
    thumbnails: int = 0,
    seed: int = 0,
) -> Mapping[str, Column]:
    """The columns asked for: a map by `method`, so many neighbours, thumbnails of so many px.

    ValueError for a method that there is none of, or sizes that make no sense.
    """
    if method is not None and method not in METHODS:
        raise ValueError(f"A map is made by {', '.join(METHODS)}, not by {method!r}.")
    if thumbnails and not 16 <= thumbnails <= 512:
        raise ValueError(f"Thumbnails are 16 to 512 px long, not {thumbnails}.")
    columns: dict[str, Column] = {}
    if method or neighbours:
        features = embedded.array("cls")
    if method:
        columns |= map_columns(features, method, seed)
    if neighbours:
        columns["neighbors"] = neighbour_column(features, neighbours)
    if thumbnails:
        columns["image"] = thumbnail_column(embedded, thumbnails)
    return columns


def map_columns(features: np.ndarray, method: str, seed: int) -> dict[str, Column]:
    """x and y of class tokens [n, D] at length 1."""
    import pyarrow as pa

    from dino_core.analysis.projection import pca_scores, tsne_map, umap_map

    units = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    points, _ = pca_scores(units.astype(np.float32), 2)
    if method == "tsne":
        points = tsne_map(units, points, seed=seed)
    elif method == "umap":
        points = umap_map(units, points, seed=seed)

    def column(axis: int) -> Column:
        values = np.ascontiguousarray(points[:, axis], np.float32)
        return Column(pa.float32(), lambda rows: pa.array(values[rows], pa.float32()))

    return {"x": column(0), "y": column(1)}


def neighbour_column(features: np.ndarray, count: int) -> Column:
    """The nearest of class tokens [n, D] by cosine, exactly."""
    import pyarrow as pa
    import torch

    from dino_core.analysis.neighbours import nearest

    points = torch.from_numpy(features)
    similarities, indices = nearest(points, points, count, themselves=True)
    distances, ids = (1 - similarities).clamp_min(0).numpy(), indices.numpy()
    fields = [("ids", pa.list_(pa.int64())), ("distances", pa.list_(pa.float32()))]
    kind = pa.struct(fields)

    def rows(part: slice) -> Any:
        pairs = zip(ids[part].tolist(), distances[part].tolist(), strict=True)
        return pa.array([{"ids": own, "distances": far} for own, far in pairs], kind)

    return Column(kind, rows)


def thumbnail_column(embedded: Embedded, longest: int) -> Column:
    """JPEGs of at most so many px along the longer side, decoded again picture by picture."""
    import pyarrow as pa

    from dino_core.draw.encode import jpeg

    pictures = embedded.pictures
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

    def rows(part: slice) -> Any:
        found = []
        for index in range(len(pictures))[part]:
            data = jpeg(pictures.picture(index), longest, quality=85)
            found.append({"bytes": data, "path": readable(pictures.names[index])})
        return pa.array(found, kind)

    return Column(kind, rows)
