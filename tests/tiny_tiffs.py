"""The smallest TIFF files, as cameras and instruments write them."""

import struct

import numpy as np

Entries = dict[int, tuple[int, list[int]]]  # tag -> (kind, values)


def directory(at: int, entries: Entries, order: str, following: int = 0) -> bytes:
    """A directory that stands at `at`, with what does not fit into four bytes behind it."""
    sizes = {1: 1, 3: 2, 4: 4}
    letters = {1: "B", 3: "H", 4: "I"}
    behind = at + 2 + 12 * len(entries) + 4
    body, extra = struct.pack(order + "H", len(entries)), b""
    for tag, (kind, values) in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(values)}{letters[kind]}", *values)
        body += struct.pack(order + "HHI", tag, kind, len(values))
        if sizes[kind] * len(values) <= 4:
            body += packed.ljust(4, b"\0")
        else:
            body += struct.pack(order + "I", behind + len(extra))
            extra += packed
    return body + struct.pack(order + "I", following) + extra


def raw_file(
    *, order: str = "<", dng: bool = True, sub: bool = True, preview: bytes = b"", turned: int = 1
) -> bytes:
    """As cameras write them: a thumbnail, below it the preview and the sensor's own values.

    Without `sub` the preview has tags of its own in the first directory, as in the oldest kinds.
    """
    thumb = np.zeros((12, 16, 3), np.uint8).tobytes()
    sensor = bytes(4000)
    start = 8
    preview_at = start + len(thumb)
    sensor_at = preview_at + len(preview)
    first_at = sensor_at + len(sensor)
    first: Entries = {
        254: (4, [1]), 256: (3, [16]), 257: (3, [12]), 258: (3, [8, 8, 8]), 259: (3, [1]),
        262: (3, [2]), 271: (1, [*b"Maker\0"]), 273: (4, [start]), 274: (3, [turned]),
        277: (3, [3]), 278: (3, [12]), 279: (4, [len(thumb)]),
    }  # fmt: skip
    if dng:
        first[50706] = (1, [1, 4, 0, 0])
    if preview and not sub:
        first |= {513: (4, [preview_at]), 514: (4, [len(preview)])}
    below = b""
    if sub or not dng:
        first[330] = (4, [0, 0])
        size = len(directory(first_at, first, order))
        of_preview: Entries = {
            254: (4, [1]), 259: (3, [7]), 273: (4, [preview_at]), 279: (4, [len(preview)]),
        }  # fmt: skip
        below = directory(first_at + size, of_preview if preview and sub else {}, order)
        of_sensor: Entries = {
            256: (3, [50]), 257: (3, [40]), 258: (3, [16]), 259: (3, [1]), 262: (3, [32803]),
            273: (4, [sensor_at]), 279: (4, [len(sensor)]),
        }  # fmt: skip
        first[330] = (4, [first_at + size, first_at + size + len(below)])
        below += directory(first_at + size + len(below), of_sensor, order)
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", first_at)
    return head + thumb + preview + sensor + directory(first_at, first, order) + below
