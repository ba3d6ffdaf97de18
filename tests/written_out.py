"""Whole answers, written out: every number and word of a figure or a scene in a file of the tests.

    CASES = {"lengths": lambda: token_lengths(...)}
    test_...: assert_written(FILE, name, CASES[name]())
    python tests/ROOM/test_NAME.py writes FILE, to be read before it is kept

Small arrays stand there as they are, large ones as their shape and what they add up to.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from alike import first_difference

MM = 25.4
SMALL = 80  # numbers of an array that stand in the file one by one
DIGITS = 5


def plain(value: Any) -> Any:
    """Lists, dicts, numbers and words."""
    if hasattr(value, "to_plotly_json"):
        return chart(value)
    if hasattr(value, "savefig"):
        return panel(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, torch.Tensor):
        return array(value.detach().cpu().numpy())
    if isinstance(value, np.ndarray):
        return array(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes, {zlib.crc32(value)}"
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in (sorted(value) if isinstance(value, set) else value)]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def rounded(value: float) -> float | str:
    """JSON has no word for what is not finite."""
    short = float(f"{value:.{DIGITS}g}") + 0.0
    return short if np.isfinite(short) else str(short)


def array(values: np.ndarray) -> Any:
    """[...] -> its numbers, or what a change of any of them or of their order would change.

    Of colours always the latter: a processor may round one of 256 steps the other way.
    """
    colours = values.dtype == np.uint8 and values.size > 0 and values.max() > 1
    if values.size <= SMALL and not colours:
        return [f"{values.dtype} {list(values.shape)}", plain(values.ravel().tolist())]
    flat = values.astype(np.float64).ravel()
    known = np.isfinite(flat)
    flat = np.where(known, flat, 0)
    weights = np.cos(np.arange(flat.size) * 0.7) + 1.5
    sums = plain([np.abs(flat).sum(), (flat * weights).sum() / 100, int(known.sum())])
    return [f"{values.dtype} {list(values.shape)}", sums]


def chart(figure: Any) -> dict[str, Any]:
    """Plotly's own words, without the template that all charts share."""
    found = plain(figure.to_plotly_json())
    found["layout"].pop("template", None)
    return dict(found)


def panel(figure: Any) -> dict[str, Any]:
    """Where everything stands, in mm from the upper left corner, and what it shows."""
    width, height = figure.get_size_inches() * MM
    return {
        "size": plain([width, height]),
        "texts": [
            [
                text.get_text(),
                *plain([text.get_position()[0] * width, (1 - text.get_position()[1]) * height]),
                text.get_fontsize(),
                text.get_color(),
            ]
            for text in figure.texts
        ],
        "axes": [drawn(axes, width, height) for axes in figure.axes],
    }


def drawn(axes: Any, width: float, height: float) -> dict[str, Any]:
    box = axes.get_position()
    spines = [one for one in axes.spines.values() if one.get_visible()]
    return {
        "box": plain(
            [box.x0 * width, (1 - box.y1) * height, box.width * width, box.height * height]
        ),
        "gid": axes.get_gid(),
        "aspect": str(axes.get_aspect()),
        "limits": plain([axes.get_xlim(), axes.get_ylim()]),
        "images": [
            {
                "values": array(np.asarray(image.get_array())),
                "range": plain(image.get_clim()) if np.asarray(image.get_array()).ndim < 3 else [],
                "colours": image.cmap.name if np.asarray(image.get_array()).ndim < 3 else "",
                "extent": plain(image.get_extent()),
                "between": image.get_interpolation(),
            }
            for image in axes.images
        ],
        "patches": [
            [
                str(one.get_gid()),
                *plain([*place_of(one), one.get_linewidth(), one.get_edgecolor()]),
            ]
            for one in axes.patches
        ],
        "spines": [plain([one.get_linewidth(), one.get_edgecolor()]) for one in spines],
        "ticks": len(axes.get_xticks()) + len(axes.get_yticks()),
    }


def place_of(patch: Any) -> list[float]:
    """A box, or where a line begins and ends."""
    if hasattr(patch, "xy1"):
        return [*patch.xy1, *patch.xy2]
    return [*patch.get_xy(), patch.get_width(), patch.get_height()]


@cache
def read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))


def assert_written(file: Path, name: str, value: Any) -> None:
    """Whether this is what stands in the file, to the rounding of a processor."""
    found = first_difference(read(file)[name], json.loads(json.dumps(plain(value))))
    assert not found, f"{name}: {found}. Written by `PYTHONPATH=.:tests python` and this test."


def write(file: Path, cases: Mapping[str, Callable[[], Any]]) -> None:
    """Every case in a line of its own."""
    file.parent.mkdir(exist_ok=True)
    lines = [f"{json.dumps(name)}: {json.dumps(plain(case()))}" for name, case in cases.items()]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
