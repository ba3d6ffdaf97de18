"""state/trays.py by itself: how long a picture is kept, how many, and which goes first."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.state import trays as tray_module
from app.state.trays import Trays


class Picture:
    """A picture that a page has open: three bytes a pixel."""

    def __init__(self, width: int = 10, height: int = 10) -> None:
        self.size = (width, height)


def test_a_tray_s_pictures_last_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5000.0
    monkeypatch.setattr(tray_module, "time", SimpleNamespace(monotonic=lambda: now))
    trays = Trays(max_seen=100, max_kept=1000)
    keys = [trays.add("ada", f"{i}", Picture()) for i in range(2)]  # type: ignore[arg-type]
    for key in keys:
        trays._brought[key].used = now
    now += 3600
    assert trays.find("ada", keys[0]).name == "0"
    now += 1
    assert trays.find("ada", keys[0]).used == now
    assert len(trays) == 1
    with pytest.raises(ValueError, match="no longer kept"):
        trays.find("ada", keys[1])
    with pytest.raises(ValueError, match="no longer kept"):
        trays.find("bob", keys[0])
    assert len({len(key) for key in keys}) == 1 and len(keys[0]) == 24  # noqa: PT018


def test_a_full_tray_of_each_visitor_and_so_many_bytes_of_all() -> None:
    trays = Trays(max_seen=100, max_kept=10**6)
    keys = [trays.add("ada", f"{i}", Picture()) for i in range(12)]  # type: ignore[arg-type]
    other = trays.add("bob", "b", Picture())  # type: ignore[arg-type]
    trays.find("ada", keys[0])
    assert len(trays) == 13
    trays.add("ada", "12", Picture())  # type: ignore[arg-type]
    assert [key in trays._brought for key in keys] == [True, False, *[True] * 10]
    assert other in trays._brought
    trays = Trays(max_seen=100, max_kept=900)
    keys = [trays.add(f"v{i}", f"{i}", Picture()) for i in range(4)]  # type: ignore[arg-type]
    assert [key in trays._brought for key in keys] == [False, True, True, True]
    assert sum(one.nbytes for one in trays._brought.values()) == 900


def test_what_was_seen_is_asked_for_once_and_the_longest_unused_goes() -> None:
    trays, looked = Trays(max_seen=20, max_kept=100), []

    def see(name: str, nbytes: int = 10) -> Any:
        def look() -> Any:
            looked.append(name)
            return SimpleNamespace(seen=SimpleNamespace(nbytes=nbytes), name=name)

        return trays.seen(("sample", name), look).name  # type: ignore[attr-defined]

    for name in ("a", "b", "a", "c", "a"):
        assert see(name) == name
    assert looked == ["a", "b", "c"]
    assert [name for _, name in trays._seen] == ["c", "a"]
    see("large", 1000)
    assert [name for _, name in trays._seen] == ["large"]
    trays._seen["own", "gone"] = trays._seen["sample", "large"]
    trays.evict()
    assert [*trays._seen] == [("sample", "large")]


def test_the_memory_for_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, most in ((400, 100), (2**40, 2**30)):
        monkeypatch.setattr(tray_module, "memory_limit", lambda limit=limit: limit)
        assert Trays().max_seen == most
    assert Trays().max_kept == 512 * 2**20
