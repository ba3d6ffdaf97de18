"""The first half of the process: features, thumbnails and digests, row by row of the arrays.

In the order of the source, 16 pictures at a time. After each batch everything is on the disk and
progress.json says how far it is: a kill costs one batch.
"""

import io
import os
import time
from typing import Any

import numpy as np
import torch.nn.functional as F
from PIL import Image

from dino_core.analysis import approximate
from dino_core.datasets import Pictures
from dino_core.embedding.features import LAYERS_AT_ONCE, Features, encode
from dino_core.embedding.preparation import Preparation
from dino_core.embedding.reading import Reader, Seen
from dino_core.gallery.folder import FILES_NAMED, TILE, TILES_A_SIDE, GalleryFolder, digest_of
from dino_core.gallery.listing import facts_of_listing
from dino_core.gallery.options import Options
from dino_core.gallery.stopping import Stopped
from dino_core.gallery.tiles import write_tiles
from dino_core.jobs import read_json, write_json
from dino_core.weights import Backbone
from dino_core.weights.files import content_digest

REPORT_EVERY = 0.5  # s between two reports of progress


class Embedding:
    """Features, thumbnails and digests of all pictures, row by row of the arrays."""

    def __init__(
        self, store: GalleryFolder, pictures: Pictures, backbone: Backbone, options: Options
    ) -> None:
        self.store, self.pictures, self.backbone = store, pictures, backbone
        config = backbone.vit.config
        self.preparation = Preparation(options.size)
        self.preparation.check(config.patch_size)
        n, side = len(pictures), options.size // config.patch_size
        self.grid = (side, side)
        room = options.patch_megabytes * 10**6 // (side * side * config.dim * 2)
        self.patch_pictures = min(n, room)
        shapes: dict[str, tuple[tuple[int, ...], Any]] = {
            "cls": ((n, config.dim), np.float32),
            "mean_patch": ((n, config.dim), np.float32),
            "layers": ((n, config.depth, 2, config.dim), np.float16),
            "patches": ((self.patch_pictures, side * side, config.dim), np.float16),
            "rows": ((n,), np.int32),
            "digests": ((n, 16), np.uint8),
            "tiles": ((TILES_A_SIDE**2, TILE, TILE, 3), np.uint8),  # of the atlas at work
        }
        self._check_source()
        (store.path / "arrays").mkdir(exist_ok=True)
        (store.path / "thumbs").mkdir(exist_ok=True)
        self.arrays = {name: self._array(name, *shape) for name, shape in shapes.items()}
        done = read_json(store.path / "progress.json") or {}
        self.next: int = done.get("next", 0)  # in the source
        self.rows: int = done.get("rows", 0)  # filled
        self.broken: dict[int, str] = {int(i): why for i, why in done.get("broken", {}).items()}

    def _check_source(self) -> None:
        """A source or a model that is not what it was would mix two galleries."""
        path, weights = self.store.path / "source.json", content_digest(self.backbone.info.path)
        now = {"fingerprint": self.pictures.fingerprint, "weights": weights}
        before = read_json(path) or now
        if before["fingerprint"] != now["fingerprint"]:
            raise ValueError("The folder or zip has changed since: begin a new gallery.")
        if before["weights"] != now["weights"]:
            raise ValueError("The model's weights have changed since: begin a new gallery.")
        write_json(path, now)

    def _array(self, name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Mapped from the disk. Zeros where nothing has been written take no room there."""
        path = self.store.path / "arrays" / f"{name}.npy"
        if 0 in shape:
            np.save(path, np.zeros(shape, dtype))
            return np.load(path)
        if path.exists():
            found = np.load(path, mmap_mode="r+")
            if found.shape == shape and found.dtype == dtype:
                return found
        return np.lib.format.open_memmap(path, "w+", dtype, shape)

    def run(self) -> None:
        vit = self.backbone.vit
        reader = Reader(self.pictures, self.preparation, vit.config.patch_size, also=extras)
        begun, first, reported = time.monotonic(), self.next, 0.0
        room = self.patch_pictures - self.rows
        for seen, features in encode(
            vit, reader, LAYERS_AT_ONCE, first=first, once=False, layers=True, patch_pictures=room
        ):
            if features is not None:
                self.add(seen, features)
            self.broken |= {one.index: one.broken for one in seen if one.broken}
            if self.store.stop_requested():
                self.report(None)
                raise Stopped
            if time.monotonic() - reported > REPORT_EVERY:
                reported = time.monotonic()
                self.report((reported - begun) / max(self.next - first, 1))
        self.report(None)
        if not self.rows:
            first_why = self.broken[min(self.broken)]
            raise ValueError(
                f"None of the {len(self.pictures)} pictures can be read. The first says: "
                f"{first_why}"
            )
        if self.rows % TILES_A_SIDE**2:
            self.write_atlas()
        self.next = len(self.pictures)
        self.report(None)
        self.finish()

    def add(self, seen: list[Seen], features: Features) -> None:
        """One batch, then the note that it is there."""
        at, count = self.rows, len(seen)
        assert features.layers is not None
        self.arrays["cls"][at : at + count] = features.cls.numpy()
        self.arrays["mean_patch"][at : at + count] = features.mean_patch.numpy()
        self.arrays["layers"][at : at + count] = features.layers.numpy()
        self.arrays["rows"][at : at + count] = [one.index for one in seen]
        if features.patches is not None:
            length_one = F.normalize(features.patches.float(), dim=-1).half().numpy()
            here = self.arrays["patches"][at : at + count]
            here[:] = length_one[: len(here)]
        for i, one in enumerate(seen):
            tile, digest = one.extra
            self.arrays["digests"][at + i] = np.frombuffer(bytes.fromhex(digest), np.uint8)
            self.arrays["tiles"][(at + i) % TILES_A_SIDE**2] = tile
            if (at + i + 1) % TILES_A_SIDE**2 == 0:
                self.rows, self.next = at + i + 1, one.index + 1
                self.write_atlas()
                self.note_progress()  # before the next atlas takes the place of its tiles
        self.rows, self.next = at + count, seen[-1].index + 1
        self.note_progress()

    def note_progress(self) -> None:
        """What is there, for whoever goes on."""
        passed = {i: why for i, why in self.broken.items() if i < self.next}
        write_json(
            self.store.path / "progress.json",
            {"next": self.next, "rows": self.rows, "broken": passed},
        )

    def write_atlas(self) -> None:
        """The thumbnails of the last pictures, those beyond the last one grey."""
        number = (self.rows - 1) // TILES_A_SIDE**2
        count = self.rows - number * TILES_A_SIDE**2
        tiles = np.array(self.arrays["tiles"])
        tiles[count:] = 128
        square = tiles.reshape(TILES_A_SIDE, TILES_A_SIDE, TILE, TILE, 3).swapaxes(1, 2)
        side = TILES_A_SIDE * TILE
        lines = -(-count // TILES_A_SIDE) * TILE  # lines of tiles that are used
        buffer = io.BytesIO()
        picture = Image.fromarray(square.reshape(side, side, 3)[:lines])
        picture.save(buffer, "JPEG", quality=88, subsampling=0)
        path = self.store.path / "thumbs" / f"atlas-{number}.jpg"
        partial = path.with_suffix(".part")
        partial.write_bytes(buffer.getvalue())
        os.replace(partial, path)
        if len(self.pictures) > approximate.EXACT_MOST:
            write_tiles(path.with_name(f"tiles-{number}.bin"), tiles[:count])

    def report(self, seconds_a_picture: float | None) -> None:
        """How far it is, and the time left where the pace is known."""
        done, total = max(self.next, len(self.broken)), len(self.pictures)
        left = None
        if seconds_a_picture is not None and self.next:
            left = round(seconds_a_picture * (total - done), 1)
        named = [[self.pictures.names[i], why] for i, why in sorted(self.broken.items())]
        self.store.put_state(
            state="embedding",
            words=f"{done:,} of {total:,} pictures have been looked at.",
            done=done,
            total=total,
            seconds_left=left,
            broken=named[:FILES_NAMED],
            broken_count=len(named),
        )

    def finish(self) -> None:
        """facts.json: from now on the gallery can be looked at."""
        pictures = self.pictures.subset(self.arrays["rows"][: self.rows].tolist())
        info, config = self.backbone.info, self.backbone.vit.config
        for array in self.arrays.values():
            if isinstance(array, np.memmap):
                array.flush()
        (self.store.path / "arrays" / "tiles.npy").unlink(missing_ok=True)
        facts = {
            **facts_of_listing(
                self.store.path,
                pictures.names,
                pictures.labels or [-1] * self.rows,
                pictures.splits or [""] * self.rows,
            ),
            "classes": list(pictures.classes),
            "layers": config.depth,
            "dim": config.dim,
            "grid": self.grid,
            "patch_pictures": min(self.patch_pictures, self.rows),
            "model": self.backbone.name,
            "title": info.title,
            "official": info.official,
            "size": self.preparation.size,
        }
        if (places := pictures.places) is not None:  # where each is found again, alone
            np.save(self.store.path / "arrays" / "places.npy", places.rows)
            facts["within"] = {
                "root": str(places.root),
                "files": places.files,
                "column": places.column,
            }
        write_json(self.store.path / "facts.json", facts)


def extras(picture: Image.Image, pixels: np.ndarray) -> tuple[np.ndarray, str]:
    """A thumbnail uint8 [TILE, TILE, 3] of what the model sees, and the digest of the picture."""
    tile = Image.fromarray(pixels).resize((TILE, TILE), Image.Resampling.BICUBIC)
    return np.asarray(tile), digest_of(picture)
