"""Raw files of cameras: the largest preview in them. Developing one is no task of ours."""

from dataclasses import replace
from io import BytesIO

from PIL import Image, JpegImagePlugin

from dino_core.images import formats, tiff
from dino_core.images.readers import (
    UPRIGHT,
    Work,
    open_header,
    open_jpeg,
    orientation_of,
    pixels_of,
)

_SIGNATURES, _TRIED = 64, 4  # looked at, and decoded


def read_preview(work: Work, directories: list[tiff.Tags]) -> Image.Image:
    """The largest preview that can be read, upright; a note says that it is one."""
    streams = [*tiff.jpeg_streams(directories), *_jpegs_inside(work.data)]
    sizes: dict[int, tuple[int, bytes]] = {}
    for start, length in streams:
        data = work.data[start : start + length]
        if start not in sizes and (area := _jpeg_area(data)):
            sizes[start] = area, data
    for _, data in sorted(sizes.values(), key=lambda one: -one[0])[:_TRIED]:
        inner = replace(work, data=data, notes=[])
        try:
            image = open_jpeg(inner)
            picture = pixels_of(image, inner)
        except Exception:  # the sensor's own values may be packed as JPEG as well
            continue
        turned = orientation_of(image)
        if turned == 1 and directories:
            turned = (directories[0].get(tiff.ORIENTATION) or (1,))[0]
        return _said(work, picture, turned)
    try:
        image = open_header(work, formats.TIFF, [])
        if image.mode == "RGB":
            return _said(work, pixels_of(image, work), orientation_of(image))
    except Exception:
        pass
    raise ValueError(
        "This is a camera's raw file without a preview that can be read: develop it, and export it "
        "as JPEG or PNG."
    )


def _said(work: Work, picture: Image.Image, turned: int) -> Image.Image:
    upright = UPRIGHT.get(turned)
    picture = picture if upright is None else picture.transpose(upright)
    work.notes.append(
        f"A camera's raw file: the preview in it was taken, {picture.width} x {picture.height} px."
    )
    return picture


def _jpegs_inside(data: bytes) -> list[tuple[int, int]]:
    """Where a JPEG may begin in a file of unknown build."""
    found: list[tuple[int, int]] = []
    at = data.find(b"\xff\xd8\xff")
    while at >= 0 and len(found) < _SIGNATURES:
        found.append((at, len(data) - at))
        at = data.find(b"\xff\xd8\xff", at + 3)
    return found


def _jpeg_area(data: bytes) -> int:
    """Pixels of a JPEG of 8 bits, by its header; 0 when it is none."""
    try:
        image = JpegImagePlugin.JpegImageFile(BytesIO(data))
    except Exception:
        return 0
    return image.width * image.height if image.mode in ("RGB", "L") else 0
