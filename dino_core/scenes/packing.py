"""Scenes as what is sent: bytes for a page, plain values for a program."""

from collections.abc import Collection
from typing import Any

from dino_core.draw.encode import jpeg, npz, pack, split

__all__ = ["jpeg", "npz", "pack", "plain"]


def plain(scene: Any, arrays: Collection[str] = ()) -> dict[str, Any]:
    """A scene as JSON values: its facts, and the named arrays as nested lists."""
    every, facts = split(scene)
    return facts | {name: every[name].tolist() for name in arrays}
