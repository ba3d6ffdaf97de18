"""Batches, single files, and the clock of embedding, by plain loops."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_galleries import CONFIG
from tiny_models import tiny_vit
from tiny_runs import coloured, files, picture

from dino_core.datasets import Pictures, find_pictures
from dino_core.embedding import embed as embedding
from dino_core.embedding import features, reading
from dino_core.embedding.embed import cache_for, embed, embed_in_memory, usable
from dino_core.embedding.features import Clock, encode, features_of, timed
from dino_core.embedding.preparation import Preparation
from dino_core.embedding.reading import Group, Reader, Seen, batches
from dino_core.weights import Backbone

# --- batches


class Some:
    """A reader whose files have these shapes; 0 for one that is broken, and copies of others."""

    patch_size = 14

    def __init__(self, shapes: list[Any], ahead: list[int] | None = None) -> None:
        self.shapes, self.met, self.ahead = shapes, {}, ahead  # type: ignore[var-annotated]
        self.pictures = shapes

    def in_order(self, indices: Any, ahead: int) -> Any:
        if self.ahead is not None:
            self.ahead.append(ahead)
        for index in indices:
            shape = self.shapes[index]
            if shape == 0:
                yield Seen(index, broken="It is broken.")
            elif isinstance(shape, str):
                first = next(i for i, one in enumerate(self.shapes) if one == shape)
                yield Seen(index, shape.encode(), (14, 14), np.zeros((14, 14, 3), np.uint8))
                assert first <= index
            else:
                h, w = shape
                yield Seen(index, bytes([index]), (h, w), np.zeros((h, w, 3), np.uint8))


def found(shapes: list[Any], size: int, **options: Any) -> list[Any]:
    """Groups as lists of indices, other files by their index."""
    some: Any = Some(shapes)
    return [
        [seen.index for seen in one.seen] if isinstance(one, Group) else one.index
        for one in batches(some, size, **options)
    ]


A, B, C = (14, 14), (14, 28), (28, 28)


def test_files_of_one_shape_come_together() -> None:
    assert found([A, B, A, 0, B, A, A], 2) == [[0, 2], 3, [1, 4], [5, 6]]
    assert found([A, B, C], 9) == [[0], [1], [2]]
    assert found([A] * 5, 2, first=2) == [[2, 3], [4]]
    assert found([], 2) == []


def test_copies_come_alone_unless_they_are_wanted() -> None:
    assert found(["x", "y", "x"], 9) == [2, [0, 1]]
    assert found(["x", "y", "x"], 9, once=False) == [[0, 1, 2]]


def test_as_many_are_looked_at_ahead_as_two_batches() -> None:
    ahead: list[int] = []
    some: Any = Some([A], ahead)
    list(batches(some, 7))
    assert ahead == [14]


def test_a_batch_has_so_many_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PATCHES_AT_ONCE", 8)
    assert found([C] * 5, 9) == [[0, 1], [2, 3], [4]]
    assert found([(42, 42)] * 2, 9) == [[0], [1]], "one that is larger goes alone"
    assert found([A] * 9, 9) == [[*range(8)], [8]]
    assert found([B] * 5, 9) == [[*range(4)], [4]]
    assert found([(28, 14)] * 5, 9) == [[*range(4)], [4]]


def test_of_too_many_that_wait_the_largest_group_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WAITING", 2)
    shapes = [A, B, B, C, A, B, C]  # more than four may not wait for a batch of two... of nine
    assert found(shapes, 2) == [[1, 2], [0, 4], [3, 6], [5]]
    shapes = [(14, 14 * n) for n in range(1, 6)]
    assert found(shapes, 2) == [[0], [1], [2], [3], [4]]
    assert found([(14, 14 * n) for n in range(1, 5)], 2) == [[0], [1], [2], [3]]
    monkeypatch.setattr(reading, "WAITING", 1)
    assert found([A, B, B, C, C, C], 4) == [[1, 2], [0], [3, 4, 5]]


def test_of_too_many_pixels_that_wait_the_largest_group_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "WAITING_BYTES", 3 * 14 * 14 * 4)
    assert found([A, A, B, A], 9) == [[0, 1, 3], [2]]
    assert found([A, A, A, A, A], 9) == [[0, 1, 2, 3, 4]]
    assert found([C, A, A], 9) == [[0], [1, 2]]
    assert found([A] * 16, 99) == [[*range(5)], [*range(5, 10)], [*range(10, 15)], [15]]
    assert found([B] * 7, 99) == [[0, 1, 2], [3, 4, 5], [6]]
    assert found([(28, 14)] * 7, 99) == [[0, 1, 2], [3, 4, 5], [6]]


def test_groups_know_which_are_new() -> None:
    one, two = Seen(0, b"x", A, np.ones((14, 14, 3), np.uint8)), Seen(1, b"y", A)
    group = Group(A, [one, two])
    assert group.new == [one]
    assert group.pixels().shape == (1, 14, 14, 3)
    assert Seen(0) == Seen(0, b"", (0, 0), None, None, "")


# --- one file


def test_one_file_is_looked_at(tmp_path: Path) -> None:
    data = picture(0)
    root = files(tmp_path, {"a.png": data, "b.png": b"junk", "c.png": data, "d.png": picture(1)})
    pictures = find_pictures(root)
    also: list[Any] = []

    def extra(image: Image.Image, pixels: np.ndarray) -> str:
        also.append((image.size, pixels.shape))
        return "extra"

    asked: list[bytes] = []
    reader = Reader(
        pictures,
        Preparation((14, 28), "resize"),
        14,
        shape_of=lambda digest: asked.append(digest),
        also=extra,
    )
    digest = hashlib.blake2b(data, digest_size=16, person=b"").digest()
    seen = reader.look(0)
    assert (seen.index, seen.digest, seen.shape, seen.extra) == (0, digest, (14, 28), "extra")
    assert seen.pixels is not None
    assert seen.pixels.shape == (14, 28, 3)
    assert (also, asked) == ([((24, 20), (14, 28, 3))], [digest])
    assert reader.look(1).broken.startswith("This")
    reader.met[digest] = (28, 14)
    assert reader.look(2) == Seen(2, digest, (28, 14))
    stretched = Reader(find_pictures(root, stretch=True), Preparation(14), 14)
    assert stretched._digest(data) != digest
    assert stretched._digest(data) == stretched.look(0).digest
    (tmp_path / "d.png").unlink()
    assert reader.look(3).broken.startswith("The file cannot be read: ")


def test_fewer_large_ones_are_looked_at_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many in advance; of large ones as many as have room, but one a thread."""
    begun: list[int] = []

    class Looking(Reader):
        def look(self, index: int) -> Seen:
            begun.append(index)
            return Seen(index, pixels=np.zeros((4, 4, 3), np.uint8))

    reader = Looking([0] * 30, Preparation(14), 14, threads=1)  # type: ignore[arg-type]
    for room, ahead in ((48 * 20, 6), (48 * 3, 3), (48, 1), (1, 1)):
        monkeypatch.setattr(reading, "WAITING_BYTES", room)
        begun.clear()
        order = reader.in_order(iter(range(30)), 6)
        taken = [next(order).index for _ in range(12)]
        assert taken == list(range(12))
        order.close()
        assert len(begun) <= 12 + max(ahead, 1) + 1 or room > 48 * 6
    assert [one.index for one in reader.in_order(iter(range(5)), 9)] == list(range(5))


# --- the clock, and what comes of a batch


def test_where_the_time_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(features.time, "perf_counter", lambda: now[0])

    def slow() -> Any:
        for one in (Group(A, [Seen(0), Seen(1)]), Seen(2)):
            now[0] += 3
            yield one
        now[0] += 5

    clock = Clock()
    for _ in timed(slow(), clock):
        now[0] += 10
    assert (clock.pictures, clock.seconds, clock.waited) == (3, 31.0, 11.0)
    assert Clock() == Clock(0, 0.0, 0.0)


@pytest.mark.parametrize("training", [True, False])
def test_what_comes_of_batches(training: bool, tmp_path: Path) -> None:
    """Patch features with the first pictures alone; the model is left as it was."""
    vit = tiny_vit(CONFIG).train(training)
    root = files(tmp_path, coloured(3) | {"green/zz.png": b"junk"})
    reader = Reader(find_pictures(root), Preparation(28), 14)
    some = list(encode(vit, reader, 2, patch_pictures=3, first=1))
    assert vit.training is training
    kinds = [None if f is None else (f.layers is None, f.patches is None) for _, f in some]
    assert kinds == [(True, False), (True, False), None, (True, True), (True, True)]
    assert [[one.index for one in seen] for seen, _ in some] == [
        [1, 2],
        [3, 4],
        [6],
        [5, 7],
        [8, 9],
    ]
    (seen, found), *_ = encode(
        vit, Reader(find_pictures(root), Preparation(28), 14), 2, layers=True
    )
    assert found is not None
    vit.eval()
    pixels = np.stack([one.pixels for one in seen])
    images = Preparation(28).images(pixels, vit.pos_embed)
    whole = features_of(vit, images, layers=True, patches=True)
    torch.testing.assert_close(found.cls, whole.cls)
    assert whole.patches is not None
    torch.testing.assert_close(whole.patches.float().mean(1), found.mean_patch, atol=2e-3, rtol=0)
    assert whole.patches.dtype == torch.float16


def test_small_batches_where_layers_are_wanted(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[Any] = []

    def batch(vit: Any, reader: Any, size: int, **options: Any) -> Any:
        sizes.append((size, options))
        return iter(())

    monkeypatch.setattr(embedding, "encode", batch)
    pictures = find_pictures(files(tmp_path, coloured(1)))
    for layers, size, wanted in ((False, 64, 64), (True, 64, 16), (True, 8, 8)):
        with cache_for(backbone, Preparation(28), layers, tmp_path / "f.npz") as cache:
            embed(backbone, pictures, Preparation(28), cache, batch_size=size, clock=(c := Clock()))
        assert sizes.pop() == (wanted, {"layers": layers, "clock": c})
    for layers_of, wanted in (((), 64), ([0], 16)):
        with pytest.raises(ValueError, match="non-empty"):
            embed_in_memory(backbone.vit, pictures, 28, layers_of=layers_of)
        options = {"once": False, "layers": bool(layers_of)}
        assert sizes.pop() == (wanted, options)


def test_pictures_that_can_be_used(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path, ("a", "b", "c"), sizes=(1, 1, 1))
    assert usable(pictures, {}) == ([0, 1, 2], ())
    assert usable(pictures, {2: "C.", 0: "A."}) == ([1], (("a", "A."), ("c", "C.")))
    every = {1: "B.", 0: "A.", 2: "C."}
    with pytest.raises(ValueError) as caught:
        usable(pictures, every)
    assert str(caught.value) == (
        f"None of the 3 pictures in {tmp_path} can be read. The first says: A."
    )
    assert usable(pictures, every, True)[0] == []
    with pytest.raises(ValueError, match=r"None of the 0 pictures .* says: there is none\."):
        usable(Pictures(tmp_path, ()), {})
