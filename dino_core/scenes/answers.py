"""Scenes as what is sent: bytes for a page, plain values for a program."""

import dataclasses
from collections.abc import Collection
from typing import Any

import numpy as np

from dino_core.draw.encode import jpeg, pack

__all__ = ["facts", "jpeg", "pack"]


def facts(scene: Any, arrays: Collection[str] = ()) -> dict[str, Any]:
    """A scene as JSON values: its facts, and the named arrays as nested lists."""
    answer: dict[str, Any] = {}
    for field in dataclasses.fields(scene):
        value = getattr(scene, field.name)
        if isinstance(value, np.ndarray):
            if field.name in arrays:
                answer[field.name] = value.tolist()
        elif not (isinstance(value, tuple) and value and isinstance(value[0], np.ndarray)):
            answer[field.name] = value
    return answer
