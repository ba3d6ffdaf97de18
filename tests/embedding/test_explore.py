"""embedding/explore.py: the columns that tools for exploring a table ask for."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_galleries import labelled_folder

from dino_core.__main__ import main
from dino_core.analysis.projection import pca_scores
from dino_core.datasets import find_pictures
from dino_core.embedding import embed as embedding
from dino_core.embedding.embed import cache_for, embed
from dino_core.embedding.explore import exploring_columns
from dino_core.embedding.preparation import Preparation
from dino_core.embedding.tables import write
from dino_core.weights import Backbone

SQUARE = Preparation(28)


@pytest.fixture
def target(backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("dino_core.embedding.tables.SLICE", 4)  # 9 pictures in 3 slices
    monkeypatch.setattr(embedding, "SLICE", 4)
    with cache_for(backbone, SQUARE) as cache:
        found = embed(backbone, find_pictures(labelled_folder(tmp_path / "data", 3)), SQUARE, cache)
        columns = exploring_columns(found, method="pca", neighbours=3, thumbnails=16)
        write(tmp_path / "f.parquet", found, {"model": "tiny"}, columns)
    return tmp_path / "f.parquet"


def test_neighbours_by_plain_loops_and_the_map(target: Path) -> None:
    import pyarrow.parquet as parquet

    table = parquet.read_table(target)
    features = np.stack(table["cls"].to_numpy())
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    for row, found in enumerate(table["neighbors"].to_pylist()):
        far = {other: 1 - float(units[row] @ units[other]) for other in range(9) if other != row}
        nearest = sorted(far.values())[:3]
        np.testing.assert_allclose(found["distances"], nearest, atol=1e-5)
        np.testing.assert_allclose([far[i] for i in found["ids"]], nearest, atol=1e-5)
        assert row not in found["ids"]
    points, _ = pca_scores(units, 2)
    np.testing.assert_allclose(np.abs(table["x"].to_numpy()), np.abs(points[:, 0]), atol=1e-5)
    np.testing.assert_allclose(np.abs(table["y"].to_numpy()), np.abs(points[:, 1]), atol=1e-5)
    assert table["class"].to_pylist() == ["blue"] * 3 + ["green"] * 3 + ["red"] * 3
    assert json.loads(table.schema.metadata[b"facts"])["model"] == "tiny"


def test_thumbnails_are_the_pictures(target: Path) -> None:
    import pyarrow.parquet as parquet

    table = parquet.read_table(target)
    for name, kept in zip(table["name"].to_pylist(), table["image"].to_pylist(), strict=True):
        assert kept["path"] == name
        with Image.open(io.BytesIO(kept["bytes"])) as small:
            assert small.format == "JPEG"
            assert max(small.size) <= 16
            ours = np.asarray(small.convert("RGB")).mean((0, 1))
        with Image.open(target.parent / "data" / name) as picture:
            theirs = np.asarray(picture.convert("RGB")).mean((0, 1))
        assert np.abs(ours - theirs).max() < 6


def test_the_command_and_what_it_refuses(
    target: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow.parquet as parquet

    line = ["embed", str(tmp_path / "data"), "--weights", str(weights), "--heads", "2"]
    line += ["--size", "28", "--no-cache", "--map", "tsne", "--neighbours", "2", "--output"]
    assert main([*line, str(tmp_path / "g.parquet")]) == 0
    table = parquet.read_table(tmp_path / "g.parquet")
    assert {"x", "y", "neighbors"} <= set(table.column_names)
    assert "image" not in table.column_names
    assert main([*line, str(tmp_path / "g.npz")]) == 2
    assert "columns of one .parquet file" in capsys.readouterr().err
    assert main([*line, str(tmp_path / "folder") + "/"]) == 2
    assert "not of parts" in capsys.readouterr().err


def test_refused_in_words(backbone: Backbone, tmp_path: Path) -> None:
    with cache_for(backbone, SQUARE) as cache:
        found = embed(backbone, find_pictures(labelled_folder(tmp_path / "data", 1)), SQUARE, cache)
        with pytest.raises(ValueError, match="not by 'mds'"):
            exploring_columns(found, method="mds")
        with pytest.raises(ValueError, match="16 to 512 px long, not 5"):
            exploring_columns(found, thumbnails=5)
        assert exploring_columns(found) == {}
