"""Thumbnails one by one: of a large gallery a screen shows some of each atlas, and none whole.

tiles-K.bin holds as many as atlas-K.jpg, each a JPEG of its own: where they begin and the last one
ends, uint32 little endian, then all of them.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dino_core.gallery.folder import TILE, TILES_A_SIDE, GalleryFolder
from dino_core.jobs import replacing

SHEET = 16  # tiles beside each other in a sheet


def write_tiles(path: Path, tiles: np.ndarray) -> None:
    """uint8 [m, TILE, TILE, 3] -> the file, replaced as a whole."""
    join_tiles(path, [encode(tile) for tile in tiles])


def encode(tile: np.ndarray) -> bytes:
    """uint8 [TILE, TILE, 3] -> a JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(tile).save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue()


def join_tiles(path: Path, files: Sequence[bytes]) -> None:
    """JPEGs -> the file that holds them."""
    head = 4 * (len(files) + 1)
    ends = np.cumsum([head, *map(len, files)]).astype("<u4")
    with replacing(path) as partial:
        partial.write_bytes(ends.tobytes() + b"".join(files))


def sheet(store: GalleryFolder, indices: Sequence[int]) -> Image.Image:
    """The thumbnails of these pictures in this order, SHEET beside each other, then line by line.

    ValueError for a picture that is not there.
    """
    lines = -(-len(indices) // SHEET)
    picture = Image.new("RGB", (TILE * min(len(indices), SHEET), TILE * lines), "grey")
    for at, index in enumerate(indices):
        row, column = divmod(at, SHEET)
        picture.paste(_tile(store, index), (TILE * column, TILE * row))
    return picture


def _tile(store: GalleryFolder, index: int) -> Image.Image:
    number, place = divmod(index, TILES_A_SIDE**2)
    path = store.path / "thumbs" / f"tiles-{number}.bin"
    if not path.is_file():  # a gallery that was made before there were such files
        return _cut(store.atlas(number), place)
    with path.open("rb") as file:
        file.seek(4 * place)
        start, stop = np.frombuffer(file.read(8), "<u4").tolist()
        file.seek(start)
        return Image.open(io.BytesIO(file.read(stop - start))).convert("RGB")


def _cut(atlas: Path, place: int) -> Image.Image:
    row, column = divmod(place, TILES_A_SIDE)
    with Image.open(atlas) as whole:
        left, top = TILE * column, TILE * row
        return whole.crop((left, top, left + TILE, top + TILE)).convert("RGB")
