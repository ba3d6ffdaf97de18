"""A set of pictures, where they are and what they are called. Nothing is decoded in advance."""

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from dino_core.datasets.contents import TABLES, Left, left_out_sentences
from dino_core.datasets.places import Places
from dino_core.datasets.zips import Archives
from dino_core.images import MAX_BYTES, open_picture
from dino_core.images.formats import HEAD, kind_of, refusal


@dataclass(frozen=True)
class Pictures:
    """A set of pictures, in a fixed order. Nothing is decoded before it is asked for."""

    source: Path  # a folder, a zip, a table beside its pictures, shards or a pattern of them
    names: tuple[str, ...]  # inside the source, with / between folders
    labels: tuple[int, ...] | None = None  # index into classes
    classes: tuple[str, ...] = ()
    splits: tuple[str, ...] | None = None  # "train", "val" or "test" of each, where that is said
    sizes: tuple[int, ...] = ()  # bytes, for the fingerprint
    left_out: tuple[Left, ...] = ()  # (name, why) of files that are not used
    notes: tuple[str, ...] = ()  # sentences on how names and folders were understood
    stretch: bool = False  # deep pixels from the smallest to the largest value that occurs
    by_table: bool = False  # the labels are written somewhere, and not to be seen in the names
    places: Places | None = field(default=None, repr=False, compare=False)  # of files in files
    _archives: Archives = field(default_factory=Archives, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.names)

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "_archives": Archives()}  # an open file goes to no other process

    def read(self, index: int) -> bytes:
        """The file as it is, at most `MAX_BYTES`. ValueError when it cannot be had."""
        return self._first_bytes(index, MAX_BYTES + 1, MAX_BYTES)

    def picture(self, index: int) -> Image.Image:
        """Decoded, RGB, upright. ValueError, in a sentence, for a file that is broken."""
        return self.decode(self.read(index))

    def decode(self, data: bytes) -> Image.Image:
        """A file's bytes -> RGB, upright. ValueError, in a sentence, for what is broken."""
        return open_picture(data, stretch=self.stretch)

    def _first_bytes(self, index: int, count: int, most: int) -> bytes:
        if self.places is not None:
            return self._placed_bytes(self.places, index, count, most)
        name = self.names[index]
        named = self.source.suffix.lower() in TABLES and not self.source.is_dir()
        root = self.source.parent if named else self.source
        try:
            if root.is_dir():
                path = root / name
                if path.stat().st_size > most:
                    raise ValueError(f"The file is larger than {most >> 20} MB.")
                with path.open("rb") as file:
                    data = file.read(count)
            else:
                data = self._archives.of(self.source).read(name, count)
        except OSError as error:
            raise ValueError(f"The file cannot be read: {error.strerror or error}.") from error
        if len(data) > most:
            raise ValueError(f"The file is larger than {most >> 20} MB.")
        return data

    def _placed_bytes(self, places: Places, index: int, count: int, most: int) -> bytes:
        try:
            data = places.read(index, count)
        except OSError as error:
            raise ValueError(f"The file cannot be read: {error.strerror or error}.") from error
        if len(data) > most:
            raise ValueError(f"The file is larger than {most >> 20} MB.")
        return data

    def refused(self, at_most: int = 20_000) -> tuple[Left, ...]:
        """(name, why) of those that are no pictures by their first bytes, whatever their endings.

        Of a very large set only the first are opened. What is damaged further on is met when it is
        read.
        """
        found = []
        for index in range(min(len(self), at_most)):
            try:
                head = self._first_bytes(index, HEAD, MAX_BYTES)
            except ValueError as error:
                found.append((self.names[index], str(error)))
                continue
            kind = kind_of(head)
            if kind is None or not kind.decoder:
                found.append((self.names[index], refusal(head)))
        return tuple(found)

    def without_refused(self) -> "Pictures":
        """The same without those that are no pictures by their first bytes; `left_out` has them."""
        refused = self.refused()
        gone = {name for name, _ in refused}
        kept = self.subset([i for i, name in enumerate(self.names) if name not in gone])
        return replace(kept, left_out=tuple(sorted([*self.left_out, *refused])))

    def summary(self, named: int = 3) -> list[str]:
        """Sentences on what is used and what is not, files of one kind together."""
        return [*self.notes, *left_out_sentences(self.left_out, named)]

    def subset(self, indices: Sequence[int]) -> "Pictures":
        """Some of them, in the order given."""
        return replace(
            self,
            names=tuple(self.names[i] for i in indices),
            labels=None if self.labels is None else tuple(self.labels[i] for i in indices),
            splits=None if self.splits is None else tuple(self.splits[i] for i in indices),
            sizes=tuple(self.sizes[i] for i in indices),
            places=None if self.places is None else self.places.subset(indices),
        )

    def part(self, split: str) -> "Pictures":
        """Those of "train", "val" or "test"; all of them where nothing is said.

        Where there is no test, val is what is tested on, and there is no val: `notes` says so.
        ValueError where there is no train.
        """
        if self.splits is None:
            return self
        names = {split}
        if "test" not in self.splits:
            names = {"test": {"val"}, "val": set()}.get(split, names)
        if split == "train" and "train" not in self.splits:
            there = " and ".join(sorted(set(self.splits)))
            raise ValueError(
                f"{self.source} has folders for {there}, but none for train: name a folder or zip "
                f"with pictures to learn from."
            )
        return self.subset([i for i, name in enumerate(self.splits) if name in names])

    def labelled_as(self, classes: Sequence[str]) -> "Pictures":
        """The same pictures with the labels of these classes, where a folder of each is one.

        For a set whose folders alone do not say what is a class: a test set of a single one. The
        set's own folder counts too. Unchanged where a picture lies in none of them.
        """
        known = {unicodedata.normalize("NFC", name).casefold(): name for name in classes}
        found: list[str] = []
        for name in self.names:
            parts = [self.source.stem, *name.split("/")[:-1]]
            folded = [unicodedata.normalize("NFC", part).casefold() for part in parts]
            inner = [known[part] for part in folded if part in known]
            if not inner:
                return self
            found.append(inner[-1])
        names = tuple(sorted(set(found)))
        labels = tuple(names.index(one) for one in found)
        return replace(self, labels=labels, classes=names)

    def first(self, per_class: int) -> "Pictures":
        """The first so many of each class, in the fixed order."""
        assert self.labels is not None
        seen: Counter[int] = Counter()
        chosen = []
        for index, label in enumerate(self.labels):
            if seen[label] < per_class:
                chosen.append(index)
            seen[label] += 1
        return self.subset(chosen)

    def divide(self, share: float, seed: int) -> tuple["Pictures", "Pictures"]:
        """(rest, held out): `share` of every class, at least one where it has two; seeded."""
        import torch  # here, so that looking through a set does not wait for it

        assert self.labels is not None
        generator = torch.Generator().manual_seed(seed)
        held: list[int] = []
        for label in range(len(self.classes)):
            members = [i for i, other in enumerate(self.labels) if other == label]
            order = torch.randperm(len(members), generator=generator).tolist()
            count = min(max(round(share * len(members)), 1), len(members) - 1)
            held += [members[i] for i in order[: max(count, 0)]]
        out = set(held)
        return self.subset([i for i in range(len(self)) if i not in out]), self.subset(sorted(held))

    @property
    def fingerprint(self) -> str:
        """Changes when a picture is added, removed, renamed or has another size."""
        digest = hashlib.blake2b(digest_size=16)
        for name, size in zip(self.names, self.sizes, strict=True):
            digest.update(f"{name}\0{size}\n".encode(errors="surrogateescape"))
        if self.by_table:
            labels = [self.classes[label] for label in self.labels or ()]
            digest.update(json.dumps(labels).encode())
        return digest.hexdigest()
