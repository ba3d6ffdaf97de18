"""Pictures are kept for their owner, for a while, and not too many."""

from types import SimpleNamespace
from typing import Any

from app.state.pictures import Entry, PictureStore


def entry(owner: str, nbytes: int = 0) -> Any:
    seen = SimpleNamespace(nbytes=nbytes)
    source = SimpleNamespace(size=(10, 10))
    return Entry(owner, SimpleNamespace(seen=seen, source=source), "model", 224)


def test_a_key_opens_for_its_owner_alone() -> None:
    store = PictureStore()
    key = store.add(entry("ada"))
    assert store.get("ada", key) is not None
    assert store.get("bob", key) is None
    assert store.get("", key) is None
    assert store.get("ada", key + "x") is None


def test_visitors_without_a_cookie_share_nothing() -> None:
    store = PictureStore()
    store.add(entry(""))
    assert store.newest("") is None


def test_keys_differ_and_are_long() -> None:
    store = PictureStore()
    keys = {store.add(entry(f"visitor {i}")) for i in range(50)}
    assert len(keys) == 50
    assert min(map(len, keys)) >= 32


def test_a_visitor_keeps_the_newest_two() -> None:
    store = PictureStore()
    keys = [store.add(entry("ada")) for _ in range(4)]
    assert [store.get("ada", key) is not None for key in keys] == [False, False, True, True]
    assert store.newest("ada") == keys[-1]


def test_what_is_not_used_is_dropped() -> None:
    store = PictureStore(lifetime=-1)
    key = store.add(entry("ada"))
    assert store.get("ada", key) is None
    assert len(store) == 0


def test_all_together_are_bounded() -> None:
    store = PictureStore(max_bytes=1000)
    keys = [store.add(entry(f"visitor {i}", nbytes=100)) for i in range(5)]
    kept = [store.get(f"visitor {i}", key) is not None for i, key in enumerate(keys)]
    assert kept == [False, False, False, True, True], "each has 300 bytes of pixels and 100 more"


def test_samples_are_everybody_s() -> None:
    store = PictureStore()
    sample = entry("")
    store.share("first", lambda: sample)
    assert store.get("anybody", "first") is sample
