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
    shrunk = picture.copy()
    shrunk.thumbnail((longest, longest), Image.Resampling.BICUBIC, reducing_gap=2.0)
    buffer = io.BytesIO()
    shrunk.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def pack(scene: Any) -> bytes:
    """A scene (frozen dataclass) -> one safetensors file, which a page parses in a few lines.

    Arrays become tensors under their field's name; tuples of arrays become `name.0`, `name.1`, ...
    Everything else is JSON under the metadata key "facts".
    """
    tensors: dict[str, np.ndarray] = {}
    facts: dict[str, Any] = {}
    for field in dataclasses.fields(scene):
        value = getattr(scene, field.name)
        if isinstance(value, np.ndarray):
            tensors[field.name] = np.ascontiguousarray(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], np.ndarray):
            tensors |= {f"{field.name}.{i}": np.ascontiguousarray(v) for i, v in enumerate(value)}
        else:
            facts[field.name] = value
    return save(tensors, metadata={"facts": json.dumps(facts)})
