"""The colours of the project, one table for Python and the page.

Attention and other non-negative maps: "magma", perceptually uniform, dark is little. Signed maps:
"blue-red", white is zero. Crops: one colour each, the same wherever a crop appears.
"""

import numpy as np

# Anchors, evenly spaced, joined by straight lines in sRGB.
# fmt: off
ANCHORS = {
    "magma": [
        "#000004", "#180f3d", "#440f76", "#721f81", "#9e2f7f",
        "#cd4071", "#f1605d", "#fd9668", "#feca8d", "#fcfdbf",
    ],
    "blue-red": [
        "#053061", "#2166ac", "#4393c3", "#92c5de", "#d1e5f0", "#f7f7f7",
        "#fddbc7", "#f4a582", "#d6604d", "#b2182b", "#67001f",
    ],
}

# Two strong colours for the global crops, eight quieter ones for the local crops, then again.
GLOBAL_COLOURS = ["#0b6bcb", "#d9480f"]
LOCAL_COLOURS = [
    "#2b8a3e", "#9c36b5", "#c99700", "#0c8599", "#c2255c", "#5f3dc4", "#5c940d", "#846358",
]
# Clusters: distinct in hue and lightness, the largest cluster first.
CLUSTER_COLOURS = [
    "#3b7dd8", "#f08c2e", "#2f9e62", "#d6455d", "#8a63c9", "#8c6d46",
    "#e377b4", "#7f8794", "#b5bd2a", "#23b5c4", "#f2c53d", "#1f4e8c",
]
# fmt: on


def from_hex(colour: str) -> tuple[int, int, int]:
    """ "#rrggbb" -> (r, g, b), 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def colour_table(name: str) -> np.ndarray:
    """A colour map as uint8 [256, 3]."""
    anchors = np.array([from_hex(colour) for colour in ANCHORS[name]], dtype=float)
    places = np.linspace(0, 255, len(anchors))
    steps = np.arange(256)
    table = np.stack([np.interp(steps, places, anchors[:, channel]) for channel in range(3)], 1)
    return np.rint(table).astype(np.uint8)


def crop_colour(kind: str, index: int) -> tuple[int, int, int]:
    """The colour of a crop, by its kind ("global" or "local") and number within the kind."""
    colours = GLOBAL_COLOURS if kind == "global" else LOCAL_COLOURS
    return from_hex(colours[index % len(colours)])


def cluster_colour(index: int) -> tuple[int, int, int]:
    """The colour of a cluster, by its place among the clusters by size."""
    return from_hex(CLUSTER_COLOURS[index % len(CLUSTER_COLOURS)])
