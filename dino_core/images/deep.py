"""More than 8 bits: what is black and what is white?

    16 bits, unsigned          0 is black, 65535 white, whatever occurs: so two pictures of one
                               camera can be compared. Where the values fill a small part of that,
                               a note says so, and `stretch` shows them from black to white
    floats from 0 to 1         0 is black, 1 white
    other floats, signed or    there is no agreed white: they are stretched, the smallest value
    32-bit numbers             that occurs to black and the largest to white, and a note says so

Pillow's own conversion clips all of them.
"""

import sys
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from dino_core.images import tiff

NARROW = 1 / 4  # of the range; less than that is worth a word
OTHER_ORDER = {
    ";16B": ";16L",
    ";16L": ";16B",
    ";16N": ";16B" if sys.byteorder == "little" else ";16L",
}


class UnclearPixelsError(Exception):
    """The pixels are there, but what their numbers mean is not known. The words are a sentence."""


def is_deep_grey(image: Image.Image) -> bool:
    return image.mode.startswith("I;16") or image.mode in ("I", "F")


def grey_to_rgb(image: Image.Image, stretch: bool, notes: list[str]) -> Image.Image:
    """A loaded picture of one deep band -> RGB of 8 bits. What was done is added to the notes."""
    tags = getattr(image, "tag_v2", {})  # TIFF only
    values = np.asarray(image)  # [H, W]
    if image.mode == "I" and tags.get(tiff.SAMPLE_FORMAT, (2,))[0] == 1:
        values = values.view(np.uint32)
    hidden = None
    if image.mode == "F" or image.mode == "I":
        grey = _of_any_range(values, stretch, notes)
    else:
        peak = 2 ** int(tags.get(tiff.BITS, (16,))[0]) - 1  # 12 bits come in 16, unscaled
        if "transparency" in image.info:
            hidden = values == image.info["transparency"]
        grey = _of_whole_range(values, peak, stretch, notes)
    if tags.get(tiff.PHOTOMETRIC) == 0:  # white is zero; Pillow turns it round for 8 bits only
        grey = 255 - grey
    if hidden is not None:
        grey[hidden] = 255
    return Image.fromarray(grey).convert("RGB")


def _of_whole_range(values: np.ndarray, peak: int, stretch: bool, notes: list[str]) -> np.ndarray:
    """Unsigned [...] from 0 to peak -> uint8 [...]."""
    low, high = int(values.min()), int(values.max())
    if stretch and low < high:
        notes.append(_stretched(low, high))
        return _linear(values, low, high)
    if low < high and high - low <= NARROW * peak and peak > 255:
        notes.append(_narrow(low, high, peak))
    return ((values.astype(np.uint32) * 255 + peak // 2) // peak).astype(np.uint8)


def _of_any_range(values: np.ndarray, stretch: bool, notes: list[str]) -> np.ndarray:
    """Floats, or whole numbers with a sign or of 32 bits, [H, W] -> uint8 [H, W]."""
    kind = "floating-point" if values.dtype.kind == "f" else "32-bit or signed"
    low, high = values.min(), values.max()  # NaN if there is one
    if not (np.isfinite(low) and np.isfinite(high)):
        raise UnclearPixelsError(
            "This picture stores grey as floating-point numbers, and some of them are no numbers "
            "(NaN) or infinite: fill them in, and save it with 8 or 16 bits."
        )
    if values.dtype.kind == "f" and low >= 0 and high <= 1 and not stretch:
        if high - low <= NARROW and low < high:
            notes.append(_narrow(low, high, 1))
        return np.rint(values * 255).astype(np.uint8)
    if low == high:
        raise UnclearPixelsError(
            f"This picture stores grey as {kind} numbers, all of them {low:.6g}, so what is black "
            f"and what is white is not known: save it with 8 or 16 bits."
        )
    notes.append(
        f"Grey is stored as {kind} numbers, which have no agreed white. " + _stretched(low, high)
    )
    return _linear(values, low, high)


def _linear(values: np.ndarray, low: Any, high: Any) -> np.ndarray:
    """low -> 0, high -> 255, in float64: 32-bit differences do not fit into less."""
    shares = (values.astype(np.float64) - float(low)) / (float(high) - float(low))
    return np.rint(shares * 255).astype(np.uint8)


def _narrow(low: Any, high: Any, peak: int) -> str:
    return (
        f"The values reach from {low:,.6g} to {high:,.6g}, a small part of 0 to {peak:,}, so the "
        f"picture is shown with little contrast. Stretch them to see black to white."
    )


def _stretched(low: Any, high: Any) -> str:
    return f"The values were stretched: {low:,.6g} is black, {high:,.6g} white."


# --- colour of 16 bits, of which Pillow keeps the upper eight


def raw_mode(image: Image.Image) -> str:
    """How the pixels lie in the file, as Pillow calls it: RGB;16B. Only before they are loaded."""
    tiles = getattr(image, "tile", ())
    arguments = tiles[0][3] if tiles else ""
    if isinstance(arguments, tuple):
        arguments = arguments[0] if arguments else ""
    return str(arguments)


def other_bytes(image: ImageFile.ImageFile) -> bool:
    """Makes an unloaded 16-bit colour picture give its lower bytes. False if it cannot."""
    mode = raw_mode(image)
    for order, other in OTHER_ORDER.items():
        if mode in (f"RGB{order}", f"RGBA{order}"):
            new = mode.replace(order, other)
            image.tile = [
                tile._replace(args=(new, *tile.args[1:]) if isinstance(tile.args, tuple) else new)
                for tile in image.tile
            ]
            return True
    return False


def colour_note(upper: np.ndarray, notes: list[str]) -> None:
    """A word where the upper bytes [H, W, C] of 16-bit colours fill a small part of the range."""
    low, high = int(upper.min()), int(upper.max())
    if low < high < NARROW * 255 + low:
        notes.append(_narrow(low * 256, high * 256 + 255, 65535))


def stretch_colours(upper: np.ndarray, lower: np.ndarray, notes: list[str]) -> np.ndarray:
    """Two bytes of each value, [H, W, 3] -> uint8 [H, W, 3], with one scale for all channels."""
    return _of_whole_range(upper.astype(np.uint16) * 256 + lower, 65535, True, notes)
