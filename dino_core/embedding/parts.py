"""A set in parts, so that several processes embed it, and a job that was killed goes on.

    FEATURES/part-00007.parquet    rows 7168 to 8191 of the set, as `tables` writes them
    FEATURES/_job/                 what was asked for, who is at work, and its log

A part is there as a whole or not at all, and its batches are its own: it holds the same numbers
whoever computes it, and however many there are. Readers of Parquet take the folder for one data set
in the order of the set, and leave out what begins with _.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dino_core.datasets import Pictures
from dino_core.embedding.cache import COLUMNS, FORMAT, FeatureCache, model_key
from dino_core.embedding.embed import embed
from dino_core.embedding.features import Clock
from dino_core.embedding.preparation import Preparation
from dino_core.embedding.reading import DIGEST_BYTES
from dino_core.embedding.tables import write_parquet
from dino_core.jobs import read_json, write_json
from dino_core.weights import Backbone
from dino_core.writing import replacing

ROWS = 1024  # pictures of a part
JOB = "_job"
_MEMORY = Path(":memory:")  # what SQLite calls a database that is on no disk


@dataclass(frozen=True)
class Parts:
    """A folder of parts, and the set that they belong to."""

    folder: Path
    pictures: Pictures
    rows: int = ROWS

    def __len__(self) -> int:
        return -(-len(self.pictures) // self.rows)

    def indices(self, part: int) -> range:
        """Which pictures of the set are in a part."""
        return range(part * self.rows, min((part + 1) * self.rows, len(self.pictures)))

    def file(self, part: int) -> Path:
        return self.folder / f"part-{part:0{max(5, len(str(len(self) - 1)))}}.parquet"

    def missing(self) -> list[int]:
        """The parts that are not there, or not whole."""
        return [part for part in range(len(self)) if not self._is_whole(part)]

    def _is_whole(self, part: int) -> bool:
        try:
            rows, facts = _footer(self.file(part))
            mine = self.indices(part)
            return facts["first"] == mine.start and rows + len(facts["broken"]) == len(mine)
        except (ValueError, KeyError, TypeError):
            return False

    def begin(self, request: dict[str, Any]) -> None:
        """Makes the folder, or finds that it belongs to the same set and model. ValueError if not.

        What killed processes have left half-written goes.
        """
        if self.folder.is_file():
            raise ValueError(f"{self.folder} is a file, and parts need a folder: name another.")
        path = self.folder / JOB / "request.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        others = [one.name for one in self.folder.iterdir() if one.name != JOB]
        before = read_json(path)
        if before is None and others:
            raise ValueError(
                f"{self.folder} has other files in it, such as {min(others)}: name a new folder."
            )
        if before is not None and before != request:
            differs = next(key for key in request if before.get(key) != request[key])
            raise ValueError(
                f"{self.folder} has parts of another job (its {differs} differs): do that one "
                f"again, or name a new folder."
            )
        write_json(path, request)
        for partial in path.parent.glob("part-*"):
            partial.unlink(missing_ok=True)


def request_of(
    parts: Parts, backbone: Backbone, preparation: Preparation, layers: bool
) -> dict[str, Any]:
    """All that the numbers follow from: parts of two requests are never put together."""
    key = {"format": FORMAT, **model_key(backbone), "preparation": preparation.as_json()}
    digest = hashlib.blake2b(json.dumps(key, sort_keys=True).encode(), digest_size=16)
    return {
        "pictures": parts.pictures.fingerprint,
        "count": len(parts.pictures),
        "stretch": parts.pictures.stretch,
        "rows": parts.rows,
        "model or preparation": digest.hexdigest(),
        "layers": layers,
    }


def share_of(missing: Sequence[int], rank: int, size: int) -> Sequence[int]:
    """The parts of one process: neighbours, so that it reads its shards and nobody else's."""
    count = len(missing)
    return missing[rank * count // size : (rank + 1) * count // size]


@dataclass(frozen=True)
class PartWriter:
    """Computes parts, each from its own pictures alone."""

    parts: Parts
    backbone: Backbone
    preparation: Preparation
    facts: dict[str, Any]
    layers: bool = False
    batch_size: int = 32
    threads: int = 2
    clock: Clock = field(default_factory=Clock)

    def write(self, part: int, progress: Callable[[int], None] = lambda count: None) -> None:
        """One part; `progress` is called with the pictures done since the last call."""
        indices = self.parts.indices(part)
        config = self.backbone.vit.config
        cache = FeatureCache(_MEMORY, config.dim, config.depth, self.layers)
        try:
            found = embed(
                self.backbone,
                self.parts.pictures.subset(indices),
                self.preparation,
                cache,
                batch_size=self.batch_size,
                threads=self.threads,
                progress=progress,
                clock=self.clock,
                none_is_fine=True,
            )
            facts = {**self.facts, "broken": [list(one) for one in found.broken]}
            facts["first"] = indices.start
            more = {"contents": found.contents.tobytes().hex()}
            file = self.parts.file(part)
            beside = file.parent / JOB / file.name  # where no reader of the folder meets it
            with replacing(beside) as partial:
                write_parquet(partial, found, facts, more)
            os.replace(beside, file)
        finally:
            cache.close()


# --- read again


@dataclass(frozen=True)
class EmbeddedParts:
    """Features in parts that are all there; what `embed.Embedded` is for those in the cache."""

    parts: Parts
    pictures: Pictures  # those that could be read
    contents: np.ndarray  # uint8 [n, 16]
    broken: tuple[tuple[str, str], ...]  # (name, why)
    shapes: dict[str, tuple[int, ...]]  # of a row of each column

    @classmethod
    def of(cls, parts: Parts, backbone: Backbone) -> "EmbeddedParts":
        """ValueError where a part is missing, or no picture can be read."""
        contents, broken = [], []
        for part in range(len(parts)):
            _, facts = _footer(parts.file(part))
            contents.append(np.frombuffer(bytes.fromhex(facts["contents"]), np.uint8))
            broken += [(name, why) for name, why in facts["broken"]]
        gone = {name for name, _ in broken}
        names = parts.pictures.names
        kept = [i for i, name in enumerate(names) if name not in gone]
        if not kept:
            raise ValueError(
                f"None of the {len(names)} pictures in {parts.pictures.source} can be read. The "
                f"first says: {broken[0][1]}"
            )
        width, depth = backbone.vit.config.dim, backbone.vit.config.depth
        shapes = {"cls": (width,), "mean_patch": (width,), "layers": (depth, 2, width)}
        flat = np.concatenate(contents).reshape(-1, DIGEST_BYTES)
        return cls(parts, parts.pictures.subset(kept), flat, tuple(broken), shapes)

    def slices(self, column: str) -> Iterator[np.ndarray]:
        """ "cls", "mean_patch": float32 [.., D]; "layers": float16 [.., T, 2, D]."""
        import pyarrow.parquet as parquet

        for part in range(len(self.parts)):
            chunks = parquet.read_table(self.parts.file(part), columns=[column])[column].chunks
            for chunk in chunks:
                array = np.asarray(chunk.flatten(), COLUMNS[column])
                yield array.reshape(len(chunk), *self.shapes[column])

    def array(self, column: str) -> np.ndarray:
        """All of them at once: [n, ...]."""
        return np.concatenate(list(self.slices(column)))


def _footer(path: Path) -> tuple[int, dict[str, Any]]:
    """(rows, facts) of a part. ValueError for one that is missing or damaged."""
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        metadata = parquet.read_metadata(path)
        said = metadata.metadata or {}
        facts: dict[str, Any] = json.loads(said[b"facts"])
        with suppress(KeyError):
            facts["contents"] = said[b"contents"].decode()
        return metadata.num_rows, facts
    except (pyarrow.ArrowException, OSError, KeyError) as error:
        raise ValueError(f"{path} is missing or damaged ({error}).") from None
