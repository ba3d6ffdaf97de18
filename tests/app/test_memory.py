"""Visitors come and go; what they looked at goes with them."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from stand_ins import Clock

from app.state import pictures as module
from app.state.pictures import COMPARISONS, PER_VISITOR, Entry, PictureStore
from dino_core import load_backbone
from dino_core.scenes.picture import OpenPicture, look, read_picture

CAT = Path(__file__).resolve().parents[2] / "static" / "samples" / "cat.jpg"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture(scope="module")
def tiny() -> OpenPicture:
    vit = load_backbone("preview_vits14").vit
    return look(vit, Image.new("RGB", (56, 42), "orange"), 42)


def entry(owner: str, picture: OpenPicture, now: float, comparison: bool = False) -> Entry:
    """An entry of its own picture: the arrays are shared, the objects are not."""
    own = replace(picture, source=picture.source.copy(), seen=replace(picture.seen))
    return Entry(owner, own, "model", 42, comparison=comparison, used=now)


@pytest.mark.slow
def test_fifty_visitors_leave_nothing(clock: Clock, tiny: OpenPicture) -> None:
    store, seen = PictureStore(), []
    for i in range(50):
        for comparison in (False, True):
            for _ in range(5):
                one = entry(f"visitor {i}", tiny, clock.now, comparison)
                seen.append(weakref.ref(one.picture.seen))
                key = store.add(one)
                assert store.get(f"visitor {i}", key) is one
        del one
        clock.now += 600
        # Who came in the last hour is kept, with what is kept of one visitor.
        assert len(store) <= 7 * (PER_VISITOR + COMPARISONS)
        assert store.nbytes <= 7 * (PER_VISITOR + COMPARISONS) * entry("", tiny, 0).nbytes
    gc.collect()
    assert sum(ref() is not None for ref in seen) == len(store), "nobody else holds on to them"
    clock.now += store.lifetime + 1
    assert store.get("nobody", "nothing") is None
    assert (len(store), store.nbytes) == (0, 0)
    gc.collect()
    assert [ref for ref in seen if ref() is not None] == []


def test_looking_again_prolongs_a_picture_s_life(clock: Clock, tiny: OpenPicture) -> None:
    store = PictureStore()
    used, left = (store.add(entry(owner, tiny, clock.now)) for owner in ("ada", "bob"))
    clock.now += store.lifetime - 1
    assert store.get("ada", used) is not None
    clock.now += 2
    assert store.get("bob", left) is None
    assert store.get("ada", used) is not None
    assert len(store) == 1


def held(picture: OpenPicture) -> int:
    """Bytes that the tensors of a picture keep alive, each storage once."""
    tensors = [getattr(picture.seen, field.name) for field in fields(picture.seen)]
    storages = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for tensor in tensors
        if isinstance(tensor, torch.Tensor)
    }
    width, height = picture.source.size
    return sum(storages.values()) + 3 * width * height


@pytest.mark.slow
def test_a_large_picture_is_counted_truly_and_bounded() -> None:
    vit = load_backbone("preview_vits14").vit
    one = Entry("ada", look(vit, read_picture(CAT), 518), "preview_vits14", 518)
    assert one.picture.scene.grid == (37, 56)
    assert one.nbytes <= 150e6, f"{one.nbytes / 1e6:.0f} MB"
    assert held(one.picture) <= 1.02 * one.nbytes, "nothing large is kept behind a small view"
