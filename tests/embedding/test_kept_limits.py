"""Where features are kept, sizes that can be, parts and tables: limits from both sides."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_runs import coloured, files

from dino_core.datasets import Pictures, find_pictures
from dino_core.embedding import cache as caches
from dino_core.embedding import parts, tables
from dino_core.embedding.embed import cache_for, embed
from dino_core.embedding.explore import exploring_columns
from dino_core.embedding.parts import EmbeddedParts, Parts, PartWriter, request_of
from dino_core.embedding.preparation import Preparation, around_middle, official_square
from dino_core.weights import Backbone

# --- where features are kept


def test_where_features_are_kept(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "weights_folder", lambda: tmp_path / "home" / "weights")
    assert caches.cache_folder() == tmp_path / "home" / "weights" / "embeddings"
    monkeypatch.delenv("INSIDE_DINOV2_HOME")
    assert caches.cache_folder() == tmp_path / "home" / "embeddings"
    key = caches.model_key(backbone)
    assert key["dtype"] == "torch.float32"
    assert (key["config"]["dim"], len(key["weights"])) == (32, len(str(key["weights"])))
    text = {"format": 2, **key, "preparation": Preparation(28).as_json()}
    digest = hashlib.blake2b(json.dumps(text, sort_keys=True).encode(), digest_size=8).hexdigest()
    path = caches.cache_file(backbone, Preparation(28))
    assert path == tmp_path / "home" / "embeddings" / f"{backbone.name}-{digest}.sqlite"
    assert Preparation(28).as_json() == (
        '{"fit": "crop", "interpolation": "bicubic", "normalise": "imagenet", "size": 28}'
    )
    target = tmp_path / "f.npz"
    with cache_for(backbone, Preparation(28), True, target) as cache:
        assert cache.path.parent == tmp_path
        assert cache.path.name.startswith(".f.npz.")
        assert cache.path.suffix == ".sqlite"
        assert cache.shapes == {"cls": (32,), "mean_patch": (32,), "layers": (3, 2, 32)}
        assert cache.layers
    assert not cache.path.exists()


# --- as the model is to see it


@pytest.mark.parametrize(
    ("preparation", "said"),
    [
        (Preparation(30), "The size is 30 px, but sides must be multiples of the patch size 14: "
         "give 28."),
        (Preparation(3), "give 14."),
        (Preparation(35), "give 28."),
        (Preparation(36), "give 42."),
        (Preparation((28, 30), "resize"), "The size is 28x30 px, but sides must be multiples of "
         "the patch size 14: give 28x28."),
        (Preparation((13, 28)), "give 14x28."),
        (Preparation(30, "official"), "give 28."),
        (Preparation((28, 28), "official"), "The official fit is of a square: give its side as "
         "one number."),
        (Preparation(None, "official"), "The official fit is of a square"),
        (Preparation(30, "resize"), ""),
        (Preparation(30, "pad"), ""),
        (Preparation(None, "crop"), ""),
        (Preparation(28), ""),
        (Preparation(14, "official"), ""),
        (Preparation((14, 28), "pad"), ""),
    ],
)  # fmt: skip
def test_sizes_that_can_be(preparation: Preparation, said: str) -> None:
    if not said:
        preparation.check(14)
        return
    with pytest.raises(ValueError) as caught:
        preparation.check(14)
    assert said in str(caught.value)


def test_the_middle_of_a_long_picture() -> None:
    for width, height, size in (
        (16, 1, (16, 1)),
        (17, 1, (16, 1)),
        (1, 17, (1, 16)),
        (40, 2, (32, 2)),
        (2, 40, (2, 32)),
        (7, 7, (7, 7)),
    ):
        assert around_middle(Image.new("RGB", (width, height))).size == size
    line = Image.fromarray(np.arange(41, dtype=np.uint8)[None], "L")
    assert list(np.asarray(around_middle(line, 4)).ravel()) == [18, 19, 20, 21]
    column = Image.fromarray(np.arange(41, dtype=np.uint8)[:, None], "L")
    assert list(np.asarray(around_middle(column, 4)).ravel()) == [18, 19, 20, 21]


@pytest.mark.parametrize(("width", "height"), [(50, 40), (40, 50), (40, 40), (41, 40)])
def test_the_official_square(width: int, height: int) -> None:
    """Short side to 32 px of 28, rounded down; the middle, to the nearest even half."""
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    image = Image.fromarray(values)
    short = min(width, height)
    size = (int(32 * width / short), int(32 * height / short))
    left, top = (round((side - 28) / 2) for side in size)
    whole = image.resize(size, Image.Resampling.BILINEAR)
    wanted = whole.crop((left, top, left + 28, top + 28))
    found = official_square(image, 28, Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted))


# --- parts


def test_names_and_rows_of_parts(tmp_path: Path) -> None:
    def parts_of(count: int, rows: int) -> Parts:
        return Parts(tmp_path, Pictures(tmp_path, ("a",) * count), rows)

    nine = parts_of(9, 4)
    assert [list(nine.indices(n)) for n in range(len(nine))] == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]
    assert len(parts_of(8, 4)) == 2
    assert Parts(tmp_path, Pictures(tmp_path, ())).rows == 1024
    assert nine.file(2) == tmp_path / "part-00002.parquet"
    assert parts_of(100_000, 1).file(7).name == "part-00007.parquet"
    assert parts_of(100_001, 1).file(7).name == "part-000007.parquet"


def test_a_part_is_written_as_asked_and_read_again(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as parquet

    root = files(tmp_path / "data", coloured(2) | {"green/zz.png": b"junk"})
    pictures = find_pictures(root)
    some = Parts(tmp_path / "parts", pictures, 4)
    preparation = Preparation(28)
    request = request_of(some, backbone, preparation, True)
    assert {name: request[name] for name in ("pictures", "count", "stretch", "rows", "layers")} == {
        "pictures": pictures.fingerprint,
        "count": 7,
        "stretch": False,
        "rows": 4,
        "layers": True,
    }
    other = request_of(some, backbone, Preparation(14), True)
    assert [name for name in request if request[name] != other[name]] == ["model or preparation"]
    some.begin(request)
    assert some.missing() == [0, 1]
    asked: list[Any] = []
    inner = parts.embed

    def noted(*args: Any, **options: Any) -> Any:
        asked.append(options)
        return inner(*args, **options)

    monkeypatch.setattr(parts, "embed", noted)
    writer = PartWriter(some, backbone, preparation, {"model": "m"}, True, 3, 1)
    done: list[int] = []
    writer.write(1, done.append)
    assert (asked[0]["batch_size"], asked[0]["threads"], sum(done)) == (3, 1, 3)
    assert some.missing() == [0]
    writer.write(0)
    assert some.missing() == []
    assert writer.clock.pictures == 7
    said = parquet.read_metadata(some.file(1)).metadata
    facts = json.loads(said[b"facts"])
    assert (facts["model"], facts["first"], len(facts["broken"])) == ("m", 4, 1)
    assert sorted(path.name for path in some.folder.iterdir()) == [
        *("_job", "part-00000.parquet", "part-00001.parquet"),
    ]
    found = EmbeddedParts.of(some, backbone)
    names = [name for name in pictures.names if name != "green/zz.png"]
    assert list(found.pictures.names) == names
    assert [name for name, _ in found.broken] == ["green/zz.png"]
    digests = [
        hashlib.blake2b(pictures.read(i), digest_size=16).digest()
        for i in range(7)
        if pictures.names[i] != "green/zz.png"
    ]
    assert [one.tobytes() for one in found.contents] == digests
    assert found.array("layers").shape == (6, 3, 2, 32)
    assert [len(one) for one in found.slices("cls")] == [4, 2]


def test_other_files_in_a_folder_of_parts(tmp_path: Path) -> None:
    some = Parts(tmp_path / "f", Pictures(tmp_path, ("a",)), 4)
    some.folder.mkdir()
    (some.folder / "b.txt").touch()
    (some.folder / "a.txt").touch()
    with pytest.raises(ValueError, match=r"has other files in it, such as a\.txt: name a new"):
        some.begin({"x": 1})
    for name in ("a.txt", "b.txt"):
        (some.folder / name).unlink()
    some.begin({"x": 1, "y": 2})
    (some.folder / "_job" / "part-1").touch()
    (some.folder / "b.txt").touch()
    some.begin({"x": 1, "y": 2})
    assert not (some.folder / "_job" / "part-1").exists(), "what was half written goes"
    with pytest.raises(ValueError, match=r"another job \(its y differs\): do that one again, or"):
        some.begin({"x": 1, "y": 3})
    file = Parts(tmp_path / "f" / "b.txt", Pictures(tmp_path, ("a",)))
    with pytest.raises(ValueError, match="is a file, and parts need a folder"):
        file.begin({})


# --- files of features


def test_where_features_may_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tables.check_target(Path("~/new/a.NPZ")) == tmp_path / "new" / "a.NPZ"
    assert (tmp_path / "new").is_dir()
    assert tables.check_folder(tmp_path / "deep" / "parts").is_dir()
    assert tables.check_folder(tmp_path / "deep" / "parts").is_dir()
    (tmp_path / "d.npz").mkdir()
    for path, said in (
        (tmp_path / "a.csv", "should end in .parquet or .npz: that says what to write."),
        (tmp_path / "d.npz", "is a folder: name a file."),
    ):
        with pytest.raises(ValueError) as caught:
            tables.check_target(path)
        assert str(caught.value) == f"{path} {said}"
    assert tables.check_target(tmp_path / "a.json", (".json",)).name == "a.json"


def test_columns_that_are_asked_for(backbone: Backbone, tmp_path: Path) -> None:
    pictures = find_pictures(files(tmp_path, coloured(2)))
    with cache_for(backbone, Preparation(28)) as cache:
        found = embed(backbone, pictures, Preparation(28), cache)
        assert exploring_columns(found) == {}
        for pixels in (16, 512):
            assert set(exploring_columns(found, thumbnails=pixels)) == {"image"}
        for pixels in (15, 513):
            with pytest.raises(ValueError, match=f"16 to 512 px long, not {pixels}"):
                exploring_columns(found, thumbnails=pixels)
        with pytest.raises(ValueError, match="by pca, tsne, umap, not by 'dream'"):
            exploring_columns(found, method="dream")
        columns = exploring_columns(found, method="pca", neighbours=2, thumbnails=16)
        assert list(columns) == ["x", "y", "neighbors", "image"]
        units = found.array("cls")
        units = units / np.linalg.norm(units, axis=1, keepdims=True)
        apart = 1 - units @ units.T
        rows = columns["neighbors"].rows(slice(1, 3)).to_pylist()
        for row, one in zip((1, 2), rows, strict=True):
            order = [int(i) for i in np.argsort(apart[row]) if i != row][:2]
            assert one["ids"] == order
            assert one["distances"] == pytest.approx(apart[row][order], abs=1e-4)
        images = columns["image"].rows(slice(4, 9)).to_pylist()
        assert [one["path"] for one in images] == list(pictures.names[4:6])
        assert images[0]["bytes"][:3] == b"\xff\xd8\xff"
