"""Features of many pictures: the same as one by one, whatever the batches, stops and kills."""

import itertools
import shutil
import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_galleries import CONFIG, labelled_folder, mixed_folder, tiny_weights
from tiny_models import tiny_vit
from tiny_runs import coloured, files, picture, zipped

from dino_core.datasets import find_pictures
from dino_core.embedding import reading
from dino_core.embedding.cache import FeatureCache, cache_file, cache_folder
from dino_core.embedding.embed import Embedded, cache_for, embed, embed_in_memory
from dino_core.embedding.preparation import Preparation
from dino_core.embedding.reading import Group, Reader, batches
from dino_core.images import fit_to_patches, open_picture, to_tensor
from dino_core.weights import Backbone, load_backbone

SQUARE, WHOLE = Preparation(28), Preparation(28, "resize")


@contextmanager
def embedded(
    backbone: Backbone, root: Path, preparation: Preparation, layers: bool = False, **options
) -> Iterator[Embedded]:
    with cache_for(backbone, preparation, layers) as cache:
        yield embed(backbone, find_pictures(root), preparation, cache, **options)


def one_by_one(backbone: Backbone, found: Embedded, preparation: Preparation) -> list[np.ndarray]:
    """cls, mean patch and layers of each picture alone, straight from the model."""
    rows = []
    for i in range(len(found.pictures)):
        pixels = np.array(preparation.pixels(open_picture(found.pictures.read(i)), 14))
        with torch.inference_mode():
            out = backbone.vit(preparation.images(pixels[None], torch.zeros(1)), trace=range(3))
            normed = [backbone.vit.norm(out.traces[layer].tokens)[0] for layer in range(3)]
        layers = torch.stack([torch.stack([t[0], t[3:].mean(0)]) for t in normed])  # 2 registers
        rows.append((out.cls[0], out.patches[0].mean(0), layers))
    return [np.stack([row[i].numpy() for row in rows]) for i in range(3)]


@pytest.mark.parametrize("batch_size", [1, 4, 64])
@pytest.mark.parametrize("preparation", [SQUARE, WHOLE, Preparation(None, "pad", "bilinear")])
def test_batches_give_what_single_pictures_give(
    backbone: Backbone, tmp_path: Path, preparation: Preparation, batch_size: int
) -> None:
    root = mixed_folder(tmp_path / "data")
    with embedded(backbone, root, preparation, layers=True, batch_size=batch_size) as found:
        assert [name for name, _ in found.broken] == ["05b.png", "07b.jpg"]
        assert all(why.endswith(".") for _, why in found.broken)
        assert len(found.pictures) == 12
        assert found.computed == 11  # one is a copy
        columns = ("cls", "mean_patch", "layers")
        for column, expected in zip(columns, one_by_one(backbone, found, preparation), strict=True):
            atol = 4e-3 if column == "layers" else 2e-5  # layers are kept in half precision
            np.testing.assert_allclose(found.array(column), expected, rtol=1e-3, atol=atol)
        np.testing.assert_allclose(
            found.array("layers")[:, -1, 0], found.array("cls"), rtol=1e-3, atol=1e-3
        )


def test_weights_in_a_folder_are_those_of_the_file_in_it(
    backbone: Backbone, weights: Path, tmp_path: Path
) -> None:
    root = labelled_folder(tmp_path / "data")
    folder = tmp_path / "hub"
    folder.mkdir()
    shutil.copy(weights, folder / "backbone.safetensors")
    with (
        embedded(backbone, root, SQUARE) as file,
        embedded(load_backbone(weights=folder), root, SQUARE) as found,
    ):
        np.testing.assert_array_equal(found.array("cls"), file.array("cls"))


def test_what_is_done_is_not_done_again(backbone: Backbone, tmp_path: Path) -> None:
    root = labelled_folder(tmp_path / "data")
    with embedded(backbone, root, SQUARE) as found:
        first = found.array("cls")
        assert found.computed == 24
    (root / "green" / "00.png").rename(root / "green" / "new name.png")
    files(root, {"red/00.png": picture(77)})  # another content under an old name
    with embedded(backbone, root, SQUARE) as found:
        assert found.computed == 1
        assert found.pictures.names[15] == "green/new name.png"
        np.testing.assert_array_equal(found.array("cls")[15], first[8])
        assert not np.allclose(found.array("cls")[16], first[16])
    with embedded(backbone, root, SQUARE, layers=True) as found:
        assert found.computed == 24  # layers were not wanted before
    with embedded(backbone, root, SQUARE) as found:
        assert found.computed == 0


def test_models_and_preparations_do_not_share(
    backbone: Backbone, tmp_path: Path, weights: Path
) -> None:
    other = load_backbone(weights=tiny_weights(tmp_path, 1))
    half = load_backbone(weights=weights, dtype=torch.bfloat16)
    renamed = replace(backbone, name=other.name)
    ways = [Preparation(28), Preparation(28, normalise="cifar10"), Preparation(42)]
    ways += [Preparation(28, "resize"), Preparation(28, interpolation="bilinear")]
    every = {cache_file(one, way).name for one in (backbone, other, half) for way in ways}
    assert len(every) == 15
    digest = cache_file(renamed, ways[0]).stem.rpartition("-")[2]
    assert cache_file(backbone, ways[0]).stem.endswith(digest)  # the content decides
    assert cache_file(backbone, ways[0]).parent == cache_folder()


def test_a_stop_costs_a_batch_and_the_numbers_stay_the_same_to_the_last_bit(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mixed_folder(tmp_path / "data")
    with embedded(backbone, root, WHOLE, layers=True, batch_size=3) as found:
        expected = [found.array(column) for column in ("cls", "mean_patch", "layers")]

    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "another"))
    calls = []

    def stop(count: int) -> None:
        calls.append(count)
        if len(calls) == 4:
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        embedded(backbone, root, WHOLE, layers=True, batch_size=3, progress=stop),
    ):
        pass
    with embedded(backbone, root, WHOLE, layers=True, batch_size=3) as found:
        assert 0 < found.computed < 11
        for column, before in zip(("cls", "mean_patch", "layers"), expected, strict=True):
            np.testing.assert_array_equal(found.array(column), before)


def test_one_picture_and_none_that_can_be_read(backbone: Backbone, tmp_path: Path) -> None:
    with embedded(backbone, files(tmp_path / "one", {"a.png": picture(0)}), SQUARE) as found:
        assert found.array("cls").shape == (1, 32)
    bad = files(tmp_path / "bad", {"a.png": b"junk", "b.jpg": b""})
    with (
        pytest.raises(ValueError, match="None of the 2 pictures"),
        embedded(backbone, bad, SQUARE),
    ):
        pass
    with pytest.raises(ValueError, match="give 28"), embedded(backbone, bad, Preparation(27)):
        pass


def test_damage_inside_a_zip_costs_one_picture(backbone: Backbone, tmp_path: Path) -> None:
    contents = {"a.png": picture(0), "b.png": picture(1)}
    path = zipped(tmp_path / "z.zip", contents, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    data[36:56] = bytes(255 - value for value in data[36:56])  # where a.png's packed bytes begin
    path.write_bytes(data)
    with embedded(backbone, path, SQUARE) as found:
        assert [name for name, _ in found.broken] == ["a.png"]
        assert "zip does not give" in found.broken[0][1]


def test_without_the_cache_nothing_is_left(backbone: Backbone, tmp_path: Path, home: Path) -> None:
    root = labelled_folder(tmp_path / "data", 2)
    target = tmp_path / "out" / "f.npz"
    with cache_for(backbone, SQUARE, instead=target) as cache:
        assert embed(backbone, find_pictures(root), SQUARE, cache).computed == 6
        assert cache.path.parent == target.parent
    assert list(target.parent.iterdir()) == []
    assert not home.exists()


def test_a_damaged_cache_is_named(backbone: Backbone, tmp_path: Path) -> None:
    path = cache_file(backbone, SQUARE)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database at all" * 100)
    with (
        pytest.raises(ValueError, match=r"sqlite is damaged .* use --no-cache"),
        cache_for(backbone, SQUARE),
    ):
        pass


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    FeatureCache(path, 4, 2).close()
    with sqlite3.connect(path) as base:
        base.execute("DROP TABLE pictures")
        base.execute("CREATE VIEW pictures AS SELECT 1 AS content")
    cache = FeatureCache(path, 4, 2)
    with pytest.raises(ValueError, match="cannot be kept"):
        cache.shape_of(b"x")
    cache.close()


def test_a_batch_is_there_as_a_whole_or_not_at_all(backbone: Backbone, tmp_path: Path) -> None:
    from dino_core.embedding.features import features_of

    cache = FeatureCache(tmp_path / "c.sqlite", CONFIG.dim, CONFIG.depth)
    features = features_of(backbone.vit, torch.zeros(2, 3, 28, 28))
    with pytest.raises(IndexError):
        cache.put([b"a", b"b", b"c"], (28, 28), features)  # there are only two
    with pytest.raises(ValueError, match=r"cannot be kept|damaged"):
        cache.put([b"a", b"b"], (28, object()), features)  # type: ignore[arg-type]
    assert cache.shape_of(b"a") is None
    cache.put([b"a", b"b"], (28, 28), features)
    assert cache.shape_of(b"a") == (28, 28)
    cache.close()


# --- in memory


@pytest.mark.parametrize("training", [True, False])
def test_features_in_memory_are_those_of_the_model(tmp_path: Path, training: bool) -> None:
    contents = coloured(3) | {"blue/01.png": b"junk"}
    found = find_pictures(zipped(tmp_path / "a.zip", contents))
    vit, counts = tiny_vit().train(training), []
    features = embed_in_memory(vit, found, 28, batch_size=4, progress=counts.append)
    assert vit.training == training
    assert counts == sorted(counts)
    assert counts[-1] == 9
    vit.eval()
    assert features.names == tuple(name for name in found.names if name != "blue/01.png")
    assert [name for name, _ in features.broken] == ["blue/01.png"]
    assert features.labels.tolist() == [0, 0, 1, 1, 1, 2, 2, 2]
    for i, name in enumerate(features.names):
        picture = open_picture(contents[name])
        images = to_tensor(fit_to_patches(picture, 14, (28, 28), "crop").picture)[None]
        with torch.no_grad():
            out = vit(images)
        torch.testing.assert_close(features.cls[i], out.cls[0], rtol=1e-4, atol=1e-5)
        mean = out.patches[0].mean(0)
        torch.testing.assert_close(features.both[i, 48:], mean, rtol=1e-4, atol=1e-5)


def test_nothing_to_embed_is_said(tmp_path: Path) -> None:
    found = find_pictures(files(tmp_path, {"a.png": b"junk", "b.png": b""}))
    with pytest.raises(ValueError, match="None of the 2 pictures"):
        embed_in_memory(tiny_vit(), found, 28)


@pytest.mark.slow
def test_eight_threads_may_put_at_once(backbone: Backbone, tmp_path: Path) -> None:
    """One connection has one transaction: without the lock the second one cannot be begun."""
    from dino_core.embedding.features import features_of

    cache = FeatureCache(tmp_path / "c.sqlite", CONFIG.dim, CONFIG.depth)
    features = features_of(backbone.vit, torch.zeros(1, 3, 28, 28))
    start, wrong = threading.Barrier(8), []

    def put(thread: int) -> None:
        start.wait()
        try:
            for i in range(40):
                cache.put([bytes([thread, i])], (28, 28), features)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=put, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    for thread, i in itertools.product(range(8), range(40)):
        assert cache.shape_of(bytes([thread, i])) == (28, 28)
    cache.close()


def test_stretched_pixels_are_not_those_that_are_kept(backbone: Backbone, tmp_path: Path) -> None:
    dark = np.linspace(0, 4095, 32 * 32).astype(np.uint16).reshape(32, 32)
    Image.fromarray(dark).save(tmp_path / "a.png")
    rows = []
    for stretch in (False, True, False):
        found = find_pictures(tmp_path, stretch=stretch)
        with cache_for(backbone, SQUARE) as cache:
            kept = embed(backbone, found, SQUARE, cache)
            rows.append(kept.array("cls"))
    assert kept.computed == 0
    np.testing.assert_array_equal(rows[0], rows[2])
    assert not np.allclose(rows[0], rows[1], atol=1e-3)


# --- reading


def groups_of(root: Path, preparation: Preparation, size: int, **options) -> list[Group]:
    reader = Reader(find_pictures(root), preparation, 14, **options)
    return [one for one in batches(reader, size) if isinstance(one, Group)]


def test_groups_have_one_shape_and_keep_the_order(tmp_path: Path) -> None:
    root = mixed_folder(tmp_path)
    groups = groups_of(root, Preparation(None), 3)
    assert {one.shape for one in groups} == {(14, 14), (14, 28), (28, 28)}
    for group in groups:
        assert group.pixels().shape == (len(group.seen), *group.shape, 3)
        assert [one.index for one in group.seen] == sorted(one.index for one in group.seen)
        assert len(group.seen) <= 3
    assert sum(len(one.seen) for one in groups) == 11


def test_known_pictures_keep_their_place_but_are_not_decoded(tmp_path: Path) -> None:
    root = mixed_folder(tmp_path)
    fresh = groups_of(root, WHOLE, 4)
    known = {one.digest: one.shape for group in fresh[:2] for one in group.seen}
    again = groups_of(root, WHOLE, 4, shape_of=known.get)
    assert [[one.index for one in g.seen] for g in again] == [
        [one.index for one in g.seen] for g in fresh
    ]
    assert [len(g.new) for g in again] == [0, 0, *(len(g.seen) for g in fresh[2:])]


def test_large_pictures_come_in_small_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = files(tmp_path, {f"{i}.png": picture(i) for i in range(9)})
    monkeypatch.setattr(reading, "PATCHES_AT_ONCE", 9)
    assert [len(one.seen) for one in groups_of(root, SQUARE, 64)] == [2, 2, 2, 2, 1]
    assert [len(one.seen) for one in groups_of(root, Preparation(56), 64)] == [1] * 9


def test_too_many_shapes_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = files(tmp_path, {f"{i:02}.png": picture(i, side=30 + 14 * (i % 5)) for i in range(20)})
    monkeypatch.setattr(reading, "WAITING", 1)
    groups = groups_of(root, Preparation(None, "pad"), 6)
    assert sum(len(one.seen) for one in groups) == 20
    assert len(groups) > 5
    monkeypatch.setattr(reading, "WAITING_BYTES", 1)
    assert len(groups_of(root, Preparation(None, "pad"), 6)) == 20


@pytest.mark.slow
def test_ten_thousand_files_of_one_name(backbone: Backbone, tmp_path: Path) -> None:
    contents = {f"{i // 100:03}/{i % 100:02}/a.png": picture(i % 7) for i in range(50)}
    many = {f"{i // 100:03}/{i % 100:02}/a.png": picture(0) for i in range(50, 10_000)}
    root = zipped(tmp_path / "many.zip", contents | dict.fromkeys(many, picture(0)))
    with embedded(backbone, root, SQUARE) as found:
        assert len(found.pictures) == 10_000
        assert found.computed == 7
        cls = found.array("cls")
        assert len(np.unique(cls, axis=0)) == 7
        assert len(found.pictures.classes) == 100
        np.testing.assert_array_equal(cls[3], cls[10])


def test_copies_are_features_as_well_where_all_are_in_memory(
    backbone: Backbone, tmp_path: Path
) -> None:
    one, other = picture(1), picture(2)
    found = find_pictures(files(tmp_path, {"a.png": one, "b.png": other, "c.png": one}))
    kept = embed_in_memory(backbone.vit, found, 28, batch_size=2)
    assert kept.names == ("a.png", "b.png", "c.png")
    assert len(kept.cls) == len(kept.mean_patch) == 3
    assert torch.allclose(kept.cls[0], kept.cls[2], atol=1e-5)


def test_of_large_pictures_few_are_looked_at_ahead(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_pictures(files(tmp_path, {f"{i:02}.png": picture(i) for i in range(30)}))
    asked: list[int] = []

    class Counting(ThreadPoolExecutor):
        def submit(self, *of: Any, **options: Any) -> Any:
            asked.append(len(asked))
            return super().submit(*of, **options)

    monkeypatch.setattr(reading, "ThreadPoolExecutor", Counting)

    def ahead_after(several: int) -> int:
        asked.clear()
        row = Reader(found, Preparation(28), 14).in_order(iter(range(30)), 12)
        for _ in range(several):
            next(row)
        row.close()
        return len(asked) - several

    assert ahead_after(15) == 12
    monkeypatch.setattr(reading, "WAITING_BYTES", 3 * 28 * 28)
    assert ahead_after(15) == 2


def test_layers_of_chosen_pictures_have_their_labels(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All layers of a batch are in memory at once: whoever asks for more than that gets them so."""
    monkeypatch.setattr("dino_core.embedding.embed.LAYERS_AT_ONCE", 4)
    found, done = find_pictures(files(tmp_path, coloured(2))), []
    kept = embed_in_memory(backbone.vit, found, 28, 64, done.append, layers_of={1, 4, 5})
    assert done == [4, 6]
    for layers, batches_of in ((True, [4, 2]), (False, [6])):
        counts: list[int] = []
        options = {"batch_size": 64, "progress": counts.append}
        with embedded(backbone, tmp_path, Preparation(28 if layers else 42), layers, **options):
            assert counts == batches_of
    assert kept.layers is not None
    assert found.labels is not None
    assert kept.layers.labels.tolist() == [found.labels[i] for i in (1, 4, 5)]
