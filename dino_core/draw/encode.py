"""Pictures and arrays as bytes: what files hold and what the page fetches."""

import dataclasses
import io
import json
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import save


def png(rgb: np.ndarray) -> bytes:
    """uint8 [H, W, 3] -> a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def jpeg(picture: Image.Image, longest: int = 1600, quality: int = 90) -> bytes:
    """A picture for the page, shrunk to at most `longest` px along its longer side -> JPEG."""
    buffer = io.BytesIO()
    shrink(picture, longest).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def shrink(picture: Image.Image, longest: int) -> Image.Image:
    """To at most `longest` px along the longer side, for eyes: first by a whole factor, quickly."""
    factor = longest / max(picture.size)
    if factor >= 1:
        return picture
    width, height = (max(round(side * factor), 1) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=1.0)


def split(scene: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """A scene (frozen dataclass) -> its arrays and its facts.

    Tuples of arrays become `name.0`, `name.1`, ...; all that is no array is a fact.
    """
    arrays: dict[str, np.ndarray] = {}
    facts: dict[str, Any] = {}
    for field in dataclasses.fields(scene):
        value = getattr(scene, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = np.ascontiguousarray(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], np.ndarray):
            arrays |= {f"{field.name}.{i}": np.ascontiguousarray(v) for i, v in enumerate(value)}
        else:
            facts[field.name] = value
    return arrays, facts


def pack(scene: Any) -> bytes:
    """A scene -> one safetensors file, which a page parses in a few lines.

    Arrays are tensors under their names, facts are JSON under the metadata key "facts".
    """
    arrays, facts = split(scene)
    return save(arrays, metadata={"facts": json.dumps(facts)})


def npz(scene: Any) -> bytes:
    """A scene -> one NPZ file for `numpy.load`; the facts are JSON text under "facts"."""
    arrays, facts = split(scene)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
