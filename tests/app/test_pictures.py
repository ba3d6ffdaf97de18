"""Pictures are kept for their owner, for a while, and not too many."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.state import pictures as module
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


def test_without_a_cookie_a_picture_belongs_to_its_key() -> None:
    store = PictureStore()
    keys = [store.add(entry("")) for _ in range(20)]
    assert store.newest("") is None
    assert all(store.get("", key) for key in keys), "they are different people's"
    assert store.get("", "another key") is None
    assert store.previous("", entry("")) is None


def test_keys_differ_and_are_long() -> None:
    store = PictureStore()
    keys = {store.add(entry(f"visitor {i}")) for i in range(50)}
    assert len(keys) == 50
    assert min(map(len, keys)) >= 32


def test_a_visitor_keeps_the_newest() -> None:
    store, kept = PictureStore(), module.PER_VISITOR
    keys = [store.add(entry("ada")) for _ in range(kept + 2)]
    there = [store.get("ada", key) is not None for key in keys]
    assert there == [False, False] + kept * [True]
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


def test_a_picture_comes_back_under_its_key_for_its_owner_alone() -> None:
    store, key = PictureStore(), "k" * 32
    store.share("s" * 32, lambda: entry(""))
    store.put_back(key, entry("ada"))
    store.put_back(key, entry("ada"))
    assert store.newest("ada") == key
    for wrong, owner in ((key, "bob"), (key, ""), ("s" * 32, "ada"), ("../" * 11, "ada")):
        with pytest.raises(ValueError, match="no longer kept"):
            store.put_back(wrong, entry(owner))
    assert store.get("bob", key) is None
    for _ in range(module.PER_VISITOR):
        store.add(entry("ada"))
    assert store.get("ada", key) is None, "it counts as any other"


def test_what_was_looked_at_again_stays_longer() -> None:
    store = PictureStore()
    first, second, _ = (store.add(entry("ada")) for _ in range(module.PER_VISITOR))
    assert store.get("ada", first) is not None
    store.add(entry("ada"))
    assert [store.get("ada", key) is not None for key in (first, second)] == [True, False]


def test_one_adds_while_another_looks() -> None:
    store, failed = PictureStore(), []

    def look() -> None:
        try:
            for _ in range(3000):
                store.get("bob", "nothing")
                store.newest("bob")
        except RuntimeError as error:  # changed during iteration
            failed.append(error)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(3000):
        store.add(entry(f"visitor {i % 50}"))
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_shared_picture_is_made_once_and_again_after_a_failure() -> None:
    store, made = PictureStore(), []

    def make() -> Any:
        made.append(1)
        if len(made) == 1:
            raise ValueError("not yet")
        return entry("")

    store.share("first", make)
    with pytest.raises(ValueError, match="not yet"):
        store.get("", "first")
    assert store.get("a", "first") is store.get("b", "first")
    assert len(made) == 2


def test_memory_is_a_share_of_the_machine_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "memory.max"
    monkeypatch.setattr(module, "CGROUP_LIMIT", file)
    file.write_text("2147483648\n")  # a container of 2 GB
    assert PictureStore().max_bytes == 2 * 2**30 * module.MEMORY_SHARE
    file.write_text("max\n")
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert PictureStore().max_bytes == min(module.MAX_BYTES, int(whole * module.MEMORY_SHARE))
    file.write_text(str(2**50))
    assert PictureStore().max_bytes == module.MAX_BYTES


def test_outputs_of_pairs_are_counted_and_bounded() -> None:
    @dataclass
    class Output:
        logits: Any
        name: str = "no array"

    one = entry("ada")
    empty = one.nbytes
    for seed in range(module.PAIR_OUTPUTS + 2):
        made = one.pair_output(seed, lambda: Output(SimpleNamespace(nbytes=1000)))
        assert one.pair_output(seed, lambda: None) is made, "computed once"
    assert one.nbytes == empty + 1000 * module.PAIR_OUTPUTS


def test_what_is_old_goes_while_nobody_asks() -> None:
    store = PictureStore(lifetime=-1)
    store._entries["old"] = entry("ada")
    store.evict()
    assert len(store) == 0


def test_the_same_picture_in_another_model_is_not_the_one_before() -> None:
    store = PictureStore()
    first, second = entry("ada"), entry("ada")
    second.picture.source = first.picture.source
    store.add(first)
    store.add(second)
    assert store.previous("ada", second) is None


def test_a_large_machine_does_not_keep_pictures_without_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "CGROUP_LIMIT", tmp_path / "none")
    for pages, limit in ((2**20, 2**29), (2**30, module.MAX_BYTES)):  # of 4096 bytes
        sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": pages}
        monkeypatch.setattr(module.os, "sysconf", sizes.__getitem__)
        assert module.memory_limit() == limit


def test_as_many_bytes_as_may_be_stay_and_what_has_none_counts_none() -> None:
    store = PictureStore(max_bytes=800)
    keys = [store.add(entry("ada", nbytes=100)) for _ in range(2)]  # and 300 of pixels each
    assert all(store.get("ada", key) for key in keys)
    one = entry("ada")
    empty = one.nbytes
    one.pair_output("a scene without arrays", lambda: "words")
    assert one.nbytes == empty


def test_the_one_before_is_the_one_looked_at_last() -> None:
    store, entries = PictureStore(), [entry("ada") for _ in range(3)]
    keys = [store.add(one) for one in entries]
    assert store.previous("ada", entries[2]) == keys[1]
    assert store.previous("ada", entries[1]) == keys[2]
    store.get("ada", keys[0])
    assert store.previous("ada", entries[2]) == keys[0]
    assert store.previous("bob", entries[2]) is None


def test_effects_are_counted_and_those_asked_for_last_are_kept() -> None:
    """Each holds about as much as was seen of the picture, twice."""
    one = entry("ada", nbytes=100)
    plain = one.nbytes
    for key in ("a", "b", "a", "c"):
        assert one.effect(key, lambda key=key: f"of {key}") == f"of {key}"
    assert list(one.effects) == ["a", "c"]
    assert one.nbytes == plain + 2 * 2 * 100


def test_pictures_that_are_put_back_are_as_few_as_others() -> None:
    store = PictureStore()
    keys = [str(i) * 32 for i in range(module.PER_VISITOR + 1)]
    for key in keys:
        store.put_back(key, entry("ada"))
    assert len(store) == module.PER_VISITOR
    assert [store.get("ada", key) is not None for key in keys] == [False] + 3 * [True]
    store.put_back(keys[1], entry("ada"))
    assert store.newest("ada") == keys[1]


def test_what_two_views_ask_for_at_once_is_computed_once() -> None:
    one, computed = entry("ada"), []
    begun, may_end = threading.Event(), threading.Event()

    def compute() -> str:
        computed.append(1)
        begun.set()
        assert may_end.wait(20)
        return "effects"

    threads = [threading.Thread(target=one.effect, args=("a", compute)) for _ in range(2)]
    threads[0].start()
    assert begun.wait(20)
    threads[1].start()
    threads[1].join(0.1)  # it waits, or it would have begun
    may_end.set()
    for thread in threads:
        thread.join(20)
    assert computed == [1]
