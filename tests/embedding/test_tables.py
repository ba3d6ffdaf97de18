"""What the files hold: Parquet read by pyarrow, NPZ read by NumPy, in slices or at once."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tiny_galleries import labelled_folder, mixed_folder
from tiny_runs import coloured, files, picture

from dino_core.datasets import find_pictures
from dino_core.embedding import embed as embedding
from dino_core.embedding.embed import cache_for, embed
from dino_core.embedding.preparation import Preparation
from dino_core.embedding.tables import check_target, readable, write
from dino_core.weights import Backbone

SQUARE = Preparation(28)


def written(backbone: Backbone, root: Path, target: Path, layers: bool = False) -> dict:
    """Writes the file; what should be in it."""
    with cache_for(backbone, SQUARE, layers) as cache:
        found = embed(backbone, find_pictures(root), SQUARE, cache)
        write(target, found, {"model": "tiny"})
        names = ("cls", "mean_patch", *(["layers"] if layers else []))
        arrays = {name: found.array(name) for name in names}
        return arrays | {"pictures": found.pictures, "broken": found.broken}


@pytest.mark.parametrize("slice_", [4, 1024])
def test_npz(
    backbone: Backbone, tmp_path: Path, slice_: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dino_core.embedding.tables.SLICE", slice_)
    monkeypatch.setattr(embedding, "SLICE", slice_)
    target = tmp_path / "f.npz"
    expected = written(backbone, labelled_folder(tmp_path / "data", 3), target, layers=True)
    with np.load(target, allow_pickle=False) as got:
        for name in ("cls", "mean_patch", "layers"):
            assert got[name].dtype == expected[name].dtype
            np.testing.assert_array_equal(got[name], expected[name])
        assert got["layers"].shape == (9, 3, 2, 32)
        assert got["names"].tolist() == list(expected["pictures"].names)
        assert got["labels"].tolist() == [0] * 3 + [1] * 3 + [2] * 3
        assert got["classes"].tolist() == ["blue", "green", "red"]
        assert got["splits"].tolist() == [""] * 9
        assert got["broken"].tolist() == [list(one) for one in expected["broken"]]
        assert got["broken"].shape == (1, 2)
        facts = json.loads(str(got["facts"]))
    assert facts["model"] == "tiny"
    before = target.read_bytes()
    written(backbone, tmp_path / "data", target, layers=True)
    assert target.read_bytes() == before


@pytest.mark.parametrize("slice_", [4, 1024])
def test_parquet(
    backbone: Backbone, tmp_path: Path, slice_: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as parquet

    monkeypatch.setattr("dino_core.embedding.tables.SLICE", slice_)
    monkeypatch.setattr(embedding, "SLICE", slice_)
    target = tmp_path / "f.parquet"
    root = files(tmp_path / "data", coloured(2, "train/") | coloured(1, "test/"))
    expected = written(backbone, root, target, layers=True)
    table = parquet.read_table(target)
    for name in ("cls", "mean_patch", "layers"):
        got = np.stack(table[name].to_numpy()).reshape(expected[name].shape)
        np.testing.assert_array_equal(got, expected[name])
    assert table["name"].to_pylist() == list(expected["pictures"].names)
    assert table["label"].to_pylist() == [0, 1, 2, 0, 0, 1, 1, 2, 2]
    assert table["class"].to_pylist()[1] == "green"
    assert table["split"].to_pylist() == ["test"] * 3 + ["train"] * 6
    assert json.loads(table.schema.metadata[b"facts"])["broken"] == []
    assert parquet.ParquetFile(target).num_row_groups == (3 if slice_ == 4 else 1)


def test_pictures_without_labels(backbone: Backbone, tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    root = mixed_folder(tmp_path / "data")
    written(backbone, root, tmp_path / "f.npz")
    with np.load(tmp_path / "f.npz", allow_pickle=False) as got:
        assert got["labels"].tolist() == [-1] * 12
        assert got["classes"].shape == (0,)
        assert "layers" not in got.files
    written(backbone, root, tmp_path / "f.parquet")
    table = parquet.read_table(tmp_path / "f.parquet")
    for name in ("label", "class", "split"):
        assert table[name].to_pylist() == [None] * 12


def test_names_that_are_no_text(backbone: Backbone, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "caf\udce9.png").write_bytes(picture(0))
    (root / "日本.png").write_bytes(picture(1))
    for ending in ("npz", "parquet"):
        written(backbone, root, tmp_path / f"f.{ending}")
    with np.load(tmp_path / "f.npz", allow_pickle=False) as got:
        assert set(got["names"].tolist()) == {"caf\ufffd.png", "日本.png"}
    assert readable("plain") == "plain"


def test_targets_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"\.parquet or \.npz"):
        check_target(tmp_path / "f.csv")
    (tmp_path / "g.npz").mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        check_target(tmp_path / "g.npz")
    assert check_target(tmp_path / "new" / "f.npz").parent.is_dir()
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ValueError, match="pip install"):
        check_target(tmp_path / "f.parquet")


def test_a_file_that_was_there_stays_when_writing_fails(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "f.npz"
    target.write_bytes(b"before")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dino_core.embedding.tables._write", broken)
    with pytest.raises(OSError, match="space"):
        written(backbone, labelled_folder(tmp_path / "data", 1), target)
    assert target.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.glob("f.*")) == ["f.npz"]


def test_the_same_features_give_the_same_file_whenever_it_is_written(
    backbone: Backbone, tmp_path: Path
) -> None:
    target = tmp_path / "f.npz"
    written(backbone, mixed_folder(tmp_path / "data"), target)
    with zipfile.ZipFile(target) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
