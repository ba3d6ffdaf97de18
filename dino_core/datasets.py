"""Pictures from a folder or a zip, in one fixed order; a zip is read where it lies.

    PICTURES/anything/at/all.jpg                    without labels
    CLASS/picture.jpg                               a folder for each class
    train/CLASS/picture.jpg, test/CLASS/picture.jpg the same, already divided

One folder around everything is looked through. What is no picture by its ending is passed over;
what cannot be decoded is met, and named, when it is read (`loader.py`, `evaluate.py`).

A zip comes from anywhere, so its table of contents is checked before anything is read: names that
lead outside, too many files, files too large, and files that unpack to far more than they occupy
are refused.
"""

import hashlib
import os
import threading
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import torch
from PIL import Image

from dino_core.assets import SAMPLES
from dino_core.images import MAX_BYTES, open_picture
from dino_core.weights.variants import weights_folder

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp")
SPLITS = {"train": "train", "test": "test", "val": "test", "valid": "test", "validation": "test"}
MAX_FILES = 20_000_000  # ImageNet-22k has 14 million
MAX_FILES_ZIP = 3_000_000
MAX_TOTAL = 500 * 2**30  # bytes, unpacked
MAX_RATIO = 200  # unpacked / packed; pictures hardly compress, a bomb reaches 1000
UNREADABLE = (  # what zipfile raises for a member that is damaged, locked or unknown
    zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError, NotImplementedError,
)  # fmt: skip


@dataclass(frozen=True)
class Pictures:
    """A set of pictures, in a fixed order. Nothing is decoded before it is asked for."""

    source: Path
    names: tuple[str, ...]  # inside the source, with / between folders
    labels: tuple[int, ...] | None = None  # index into classes
    classes: tuple[str, ...] = ()
    splits: tuple[str, ...] | None = None  # "train" or "test" of each, where folders say so
    sizes: tuple[int, ...] = ()  # bytes, for the fingerprint
    _archives: dict[int, zipfile.ZipFile] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.names)

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "_archives": {}}  # an open file does not go to another process

    def read(self, index: int) -> bytes:
        """The file as it is, at most `MAX_BYTES`. ValueError when it cannot be had."""
        name = self.names[index]
        if self.source.is_dir():
            path = self.source / name
            if path.stat().st_size > MAX_BYTES:
                raise ValueError(f"The file is larger than {MAX_BYTES >> 20} MB.")
            return path.read_bytes()
        try:
            # Never more than promised, whatever the table of contents says.
            with self._archive().open(name) as file:
                data = file.read(MAX_BYTES + 1)
        except UNREADABLE as error:
            raise ValueError(f"The zip does not give this file out: {error}.") from error
        if len(data) > MAX_BYTES:
            raise ValueError(f"The file is larger than {MAX_BYTES >> 20} MB.")
        return data

    def picture(self, index: int) -> Image.Image:
        """Decoded, RGB, upright. ValueError, in a sentence, for a file that is broken."""
        try:
            return open_picture(self.read(index))
        except OSError as error:
            raise ValueError(f"The file cannot be read: {error.strerror or error}.") from error

    def _archive(self) -> zipfile.ZipFile:
        """One open zip for each thread: they would wait for each other's turn to seek."""
        thread = threading.get_ident()
        if thread not in self._archives:
            self._archives[thread] = zipfile.ZipFile(self.source)
        return self._archives[thread]

    def subset(self, indices: Sequence[int]) -> "Pictures":
        """Some of them, in the order given."""
        return replace(
            self,
            names=tuple(self.names[i] for i in indices),
            labels=None if self.labels is None else tuple(self.labels[i] for i in indices),
            splits=None if self.splits is None else tuple(self.splits[i] for i in indices),
            sizes=tuple(self.sizes[i] for i in indices),
        )

    def part(self, split: str) -> "Pictures":
        """Those of "train" or "test"; all of them where the folders do not say."""
        if self.splits is None:
            return self
        return self.subset([i for i, name in enumerate(self.splits) if name == split])

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
        return digest.hexdigest()


def find_pictures(source: str | Path) -> Pictures:
    """Looks through a folder or zip. ValueError when there is nothing to be had from it."""
    path = Path(source).expanduser()
    if path.is_dir():
        found = _in_folder(path)
    elif path.is_file():
        found = _in_zip(path)
    else:
        raise ValueError(f"There is no folder or zip {path}: name one with pictures in it.")
    names = sorted(found)
    if not names:
        raise ValueError(
            f"{path} has no pictures. Looked for were files ending in {', '.join(ENDINGS)}, in all "
            f"folders inside it."
        )
    labels, classes, splits = _labels_of(names)
    sizes = tuple(found[name] for name in names)
    return Pictures(path.resolve(), tuple(names), labels, classes, splits, sizes)


def sample_pictures() -> Pictures:
    """The pictures that come with the project."""
    found = find_pictures(SAMPLES)
    return found.subset([i for i, name in enumerate(found.names) if "/" not in name])


def cifar10_folder() -> Path:
    """Where CIFAR-10 is kept: beside the downloaded weights."""
    return weights_folder().parent / "cifar10"


def cifar10(folder: str | Path, download: bool = False) -> Pictures:
    """CIFAR-10 as PNG files in train/CLASS and test/CLASS, made once from torchvision's copy.

    Goes to the network only with `download=True`.
    """
    folder = Path(folder).expanduser()
    done = folder / "pictures"
    if not done.is_dir():
        from torchvision.datasets import CIFAR10

        beside = folder / f"pictures.{os.getpid()}.part"
        for split in ("train", "test"):
            try:
                data = CIFAR10(str(folder), train=split == "train", download=download)
            except RuntimeError as error:
                raise ValueError(
                    f"CIFAR-10 is not in {folder}. Ask for the download of 170 MB with --download."
                ) from error
            for index, (picture, label) in enumerate(data):
                target = beside / split / data.classes[label] / f"{index:05}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                picture.save(target)
        beside.rename(done)
    return find_pictures(done)


def _is_picture(name: str) -> bool:
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return name.lower().endswith(ENDINGS) and not hidden


def _in_folder(root: Path) -> dict[str, int]:
    """Name inside the folder -> bytes. Links to folders are not followed: they may be circles."""
    found: dict[str, int] = {}
    folders = [""]
    while folders:
        prefix = folders.pop()
        with os.scandir(root / prefix) as entries:
            for entry in entries:
                name = f"{prefix}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/")
                elif _is_picture(name) and entry.is_file():
                    found[name] = entry.stat().st_size
        if len(found) > MAX_FILES:
            raise ValueError(f"{root} has more than {MAX_FILES:,} pictures: choose a part of it.")
    return found


def _in_zip(path: Path) -> dict[str, int]:
    """Name inside the zip -> bytes unpacked, after the table of contents was checked."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ValueError(
            f"{path} is no zip, or it is damaged: name a folder or zip with pictures ({error})."
        ) from error
    if len(entries) > MAX_FILES_ZIP:
        raise ValueError(f"{path} has {len(entries):,} files, more than {MAX_FILES_ZIP:,}.")
    found: dict[str, int] = {}
    for entry in entries:
        name = entry.filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if name.startswith(("/", "\\")) or ".." in parts or ":" in name.split("/")[0]:
            raise ValueError(f"{path} was refused: the name {name!r} in it leads outside.")
        if entry.is_dir() or not _is_picture(name):
            continue
        if name in found:
            raise ValueError(f"{path} was refused: it has two files called {name!r}.")
        if entry.flag_bits & 1:
            raise ValueError(f"{path} is locked with a password: unlock it first.")
        if entry.file_size > MAX_RATIO * max(entry.compress_size, 1024):
            raise ValueError(
                f"{path} was refused: {name!r} would unpack to {entry.file_size >> 20} MB, "
                f"{entry.file_size // max(entry.compress_size, 1)} times what it occupies."
            )
        found[name] = entry.file_size
    # Entries of a bomb may share the same packed bytes, each with a harmless ratio of its own.
    total = sum(found.values())
    if total > min(MAX_TOTAL, MAX_RATIO * path.stat().st_size):
        raise ValueError(f"{path} was refused: it would unpack to {total / 2**30:.1f} GB.")
    return found


def _labels_of(
    names: list[str],
) -> tuple[tuple[int, ...] | None, tuple[str, ...], tuple[str, ...] | None]:
    """What the folders say: label of each, class names, split of each."""
    parts = [PurePosixPath(name).parts for name in names]
    # One folder around everything says nothing, but train/ alone is not taken for a class either.
    while all(len(p) > 1 for p in parts) and len({p[0] for p in parts}) == 1:
        parts = [p[1:] for p in parts]
    splits = None
    if all(len(p) > 1 and p[0].lower() in SPLITS for p in parts):
        splits = tuple(SPLITS[p[0].lower()] for p in parts)
        parts = [p[1:] for p in parts]
        if len(set(splits)) == 1:
            splits = None
    if any(len(p) < 2 for p in parts) or len({p[0] for p in parts}) < 2:
        return None, (), splits
    classes = tuple(sorted({p[0] for p in parts}))
    index = {name: i for i, name in enumerate(classes)}
    return tuple(index[p[0]] for p in parts), classes, splits
