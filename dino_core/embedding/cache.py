"""What is computed stays computed: one SQLite database for each model and preparation.

    key of a database   the weights' content, architecture, number type, preparation
    key of a row        the content of the picture's file, whatever it is called

How it is written is in `database.py`.
"""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from dino_core.embedding.database import Database
from dino_core.embedding.features import Features
from dino_core.embedding.preparation import Preparation
from dino_core.embedding.reading import Shape
from dino_core.weights import Backbone
from dino_core.weights.files import content_digest
from dino_core.weights.variants import weights_folder

FORMAT = 2  # goes up when the same file and preparation give other pixels than before
# Rows of kilobytes lie in the order in which they came, their keys in an index beside them. Sorted
# by key (WITHOUT ROWID), each new one would go to a page somewhere in gigabytes.
TABLE = """CREATE TABLE IF NOT EXISTS pictures (
    content BLOB PRIMARY KEY NOT NULL, height INTEGER, width INTEGER,
    cls BLOB, mean_patch BLOB, layers BLOB)"""
COLUMNS = {"cls": np.float32, "mean_patch": np.float32, "layers": np.float16}


def cache_folder() -> Path:
    """Beside the downloaded weights; inside INSIDE_DINOV2_HOME where that is set."""
    folder = weights_folder()
    return (folder if os.environ.get("INSIDE_DINOV2_HOME") else folder.parent) / "embeddings"


def model_key(backbone: Backbone) -> dict[str, Any]:
    """What the numbers of a model follow from: weights, architecture, number type."""
    vit = backbone.vit
    return {
        "weights": content_digest(backbone.info.path),
        "config": asdict(vit.config),
        "dtype": str(vit.pos_embed.dtype),
    }


def cache_file(backbone: Backbone, preparation: Preparation) -> Path:
    """Where the features of this model and preparation are kept."""
    key = {"format": FORMAT, **model_key(backbone), "preparation": preparation.as_json()}
    text = json.dumps(key, sort_keys=True).encode()
    digest = hashlib.blake2b(text, digest_size=8).hexdigest()
    return cache_folder() / f"{backbone.name}-{digest}.sqlite"


class FeatureCache:
    """Features by content. May be asked from several threads."""

    def __init__(self, path: Path, width: int, depth: int, layers: bool = False) -> None:
        """`layers`: a picture without features of every layer counts as unknown."""
        self.path, self.layers = path, layers
        self.shapes = {"cls": (width,), "mean_patch": (width,), "layers": (depth, 2, width)}
        self._base = Database(path, TABLE, holds="The features", or_else=", or use --no-cache")

    def close(self) -> None:
        self._base.close()

    def shape_of(self, content: bytes) -> Shape | None:
        """(H, W) that the model saw, None when the features are not here."""
        needed = " AND layers IS NOT NULL" if self.layers else ""
        query = f"SELECT height, width FROM pictures WHERE content = ?{needed}"
        row = self._base.row(query, content)
        return None if row is None else (row[0], row[1])

    def put(self, contents: list[bytes], shape: Shape, features: Features) -> None:
        """A batch, as one transaction."""
        kept = (features.cls, features.mean_patch, features.layers)
        columns = [None if one is None else one.numpy() for one in kept]
        rows = [
            (content, *shape, *(None if c is None else c[i].tobytes() for c in columns))
            for i, content in enumerate(contents)
        ]
        self._base.write("REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?)", rows)

    def rows(self, contents: np.ndarray, column: str) -> np.ndarray:
        """uint8 [n, 16] -> one column of these pictures, [n, ...]."""
        shape = self.shapes[column]
        out = np.empty((len(contents), *shape), COLUMNS[column])
        query = f"SELECT {column} FROM pictures WHERE content = ?"
        for i, content in enumerate(contents):
            row = self._base.row(query, content.tobytes())
            assert row is not None  # only what is known is asked for
            out[i] = np.frombuffer(row[0], COLUMNS[column]).reshape(shape)
        return out
