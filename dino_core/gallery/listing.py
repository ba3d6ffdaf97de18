"""What the pictures of a gallery are called: names, labels, splits.

Few pictures stand in facts.json itself. Of more than EXACT_MOST it holds the number alone, and the
rest lies in files of which a reader takes the part that it wants:

    arrays/names.bin        the names one after another, UTF-8
    arrays/name-ends.npy    int64 [n], where each ends, bytes
    arrays/labels.npy       int32 [n], -1 without one
    arrays/splits.npy       uint8 [n], index into SPLITS
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from dino_core.analysis import approximate
from dino_core.jobs import replacing

SPLITS = ("", "train", "val", "test")
NAMES_AT_ONCE = 16_384  # that a search reads


class Listing:
    """The names, labels and splits of one gallery, read from wherever they are."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self._arrays, self._facts = folder / "arrays", facts
        self._in_files = "count" in facts
        self._opened: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return int(self._facts["count"]) if self._in_files else len(self._facts["names"])

    def names(self, rows: slice | None = None) -> list[str]:
        """The names of these rows, of all of them without."""
        if not self._in_files:
            return list(self._facts["names"][rows or slice(None)])
        start, stop, _ = (rows or slice(None)).indices(len(self))
        if stop <= start:
            return []
        ends = self._array("name-ends")
        begin = int(ends[start - 1]) if start else 0
        with (self._arrays / "names.bin").open("rb") as file:
            file.seek(begin)
            data = file.read(int(ends[stop - 1]) - begin)
        cuts = [0, *(ends[start:stop] - begin).tolist()]
        return [data[a:b].decode("utf-8", "surrogatepass") for a, b in pairwise(cuts)]

    def name(self, index: int) -> str:
        return self.names(slice(index, index + 1))[0]

    def labels(self) -> np.ndarray:
        """int32 [n], -1 without one."""
        if self._in_files:
            return np.array(self._array("labels"))
        return np.asarray(self._facts["labels"], np.int32)

    def splits(self, rows: slice | None = None) -> list[str]:
        """ "train", "val", "test" or "" of these rows, of all of them without."""
        if self._in_files:
            return [SPLITS[i] for i in self._array("splits")[rows or slice(None)].tolist()]
        return list(self._facts["splits"][rows or slice(None)])

    def find(self, text: str) -> np.ndarray:
        """Rows with a text in their name or class, in any case: int32, ascending."""
        wanted = text.strip().lower()
        classes = self._facts["classes"]
        named = [i for i, name in enumerate(classes) if wanted in name.lower()]
        found = np.isin(self.labels(), named)
        for rows in approximate.slices(len(self), NAMES_AT_ONCE):
            found[rows] |= [wanted in name.lower() for name in self.names(rows)]
        return found.nonzero()[0].astype(np.int32)

    def _array(self, name: str) -> np.ndarray:
        if name not in self._opened:
            self._opened[name] = np.load(self._arrays / f"{name}.npy", mmap_mode="r")
        return self._opened[name]


def facts_of_listing(
    folder: Path, names: Sequence[str], labels: Sequence[int], splits: Sequence[str]
) -> dict[str, Any]:
    """What facts.json says of them; what does not belong there is written beside it."""
    if len(names) <= approximate.EXACT_MOST:
        return {"names": list(names), "labels": list(labels), "splits": list(splits)}
    arrays = folder / "arrays"
    with replacing(arrays / "names.bin") as partial, partial.open("wb") as file:
        ends, at = np.empty(len(names), np.int64), 0
        for i, name in enumerate(names):
            at += file.write(name.encode("utf-8", "surrogatepass"))
            ends[i] = at
    np.save(arrays / "name-ends.npy", ends)
    np.save(arrays / "labels.npy", np.asarray(labels, np.int32))
    np.save(arrays / "splits.npy", np.array([SPLITS.index(one) for one in splits], np.uint8))
    return {"names": [], "labels": [], "splits": [], "count": len(names)}
