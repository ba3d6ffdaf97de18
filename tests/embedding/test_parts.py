"""Parts: the same numbers whoever computes them, and a job that goes on with what is missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from tiny_galleries import mixed_folder
from tiny_runs import coloured, files, picture

from dino_core.datasets import Pictures, find_pictures
from dino_core.embedding.cache import FeatureCache
from dino_core.embedding.embed import embed
from dino_core.embedding.features import Clock
from dino_core.embedding.parts import (
    JOB,
    EmbeddedParts,
    Parts,
    PartWriter,
    request_of,
    share_of,
)
from dino_core.embedding.preparation import Preparation
from dino_core.weights import Backbone

SIZE = Preparation(28)


def begun(
    folder: Path, pictures: Pictures, backbone: Backbone, rows: int = 4, layers: bool = False
) -> tuple[Parts, PartWriter]:
    parts = Parts(folder, pictures, rows)
    parts.begin(request_of(parts, backbone, SIZE, layers))
    return parts, PartWriter(parts, backbone, SIZE, {"model": "tiny"}, layers)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 10])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_every_part_has_one_process(count, size):
    missing = list(range(100, 100 + count))
    shares = [share_of(missing, rank, size) for rank in range(size)]
    assert [part for share in shares for part in share] == missing
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_any_number_of_processes_writes_the_same_rows(backbone, tmp_path):
    """With a job of three that ended in the middle, its parts damaged, and another of two."""
    pictures = find_pictures(mixed_folder(tmp_path / "data"))
    whole, writer = begun(tmp_path / "one", pictures, backbone)
    for part in whole.missing():
        writer.write(part)

    parts, writer = begun(tmp_path / "many", pictures, backbone)
    missing = parts.missing()
    for part in (*share_of(missing, 0, 3), *share_of(missing, 1, 3)):
        writer.write(part)
    damaged = parts.file(share_of(missing, 1, 3)[0])
    damaged.write_bytes(damaged.read_bytes()[:-20])
    (parts.folder / JOB / "part-00000.parquet.1234.part").write_bytes(b"half")
    parts, writer = begun(tmp_path / "many", pictures, backbone)
    parts.file(2).write_bytes(whole.file(0).read_bytes())  # another part under this name
    left = parts.missing()
    assert left == [1, 2, 3]
    for rank in (1, 0):
        for part in share_of(left, rank, 2):
            writer.write(part)
    assert parts.missing() == []
    assert parquet.read_table(parts.folder).equals(parquet.read_table(whole.folder))
    assert sorted(one.name for one in (parts.folder / JOB).iterdir()) == ["request.json"]


def test_parts_are_what_embedding_at_once_gives(backbone, tmp_path):
    """Features, order, labels, contents and broken files; layers too."""
    contents = coloured(4) | {"red/zz.png": b"junk", "blue/05.png": coloured(4)["blue/01.png"]}
    pictures = find_pictures(files(tmp_path / "data", contents))
    cache = FeatureCache(tmp_path / "cache.sqlite", 32, 3, layers=True)
    truth = embed(backbone, pictures, SIZE, cache)
    parts, writer = begun(tmp_path / "parts", pictures, backbone, 5, layers=True)
    for part in parts.missing():
        writer.write(part)
    found = EmbeddedParts.of(parts, backbone)
    assert found.pictures.names == truth.pictures.names
    assert found.pictures.labels == truth.pictures.labels
    assert found.broken == truth.broken
    np.testing.assert_array_equal(found.contents, truth.contents)
    for column, near in (("cls", 1e-5), ("mean_patch", 1e-5), ("layers", 1e-2)):
        np.testing.assert_allclose(found.array(column), truth.array(column), atol=near)
    table = parquet.read_table(parts.folder)
    assert table["name"].to_pylist() == list(truth.pictures.names)
    assert table["class"].to_pylist() == [truth.pictures.classes[i] for i in truth.pictures.labels]


def test_a_part_of_nothing_but_broken_files(backbone, tmp_path):
    contents = {f"{i}.png": picture(i) if i > 3 else b"junk" for i in range(6)}
    parts, writer = begun(
        tmp_path / "parts", find_pictures(files(tmp_path / "d", contents)), backbone
    )
    clock = writer.clock
    for part in parts.missing():
        writer.write(part)
    assert clock.pictures == 6
    assert 0 <= clock.waited <= clock.seconds
    assert parts.missing() == []
    found = EmbeddedParts.of(parts, backbone)
    assert (found.pictures.names, len(found.broken)) == (("4.png", "5.png"), 4)
    assert found.array("cls").shape == (2, 32)
    none = Parts(tmp_path / "none", parts.pictures.subset([0, 1]))
    none.begin(request_of(none, backbone, SIZE, False))
    PartWriter(none, backbone, SIZE, {}, clock=Clock()).write(0)
    with pytest.raises(ValueError, match="None of the 2 pictures"):
        EmbeddedParts.of(none, backbone)


def test_a_part_with_too_few_rows_is_made_again(backbone, tmp_path):
    pictures = find_pictures(mixed_folder(tmp_path / "data"))
    parts, writer = begun(tmp_path / "parts", pictures, backbone, 8)
    for part in parts.missing():
        writer.write(part)
    table = parquet.read_table(parts.file(0))
    parquet.write_table(table.slice(0, 3), parts.file(0))  # with the facts of the whole part
    assert parts.missing() == [0]


def test_parts_of_two_jobs_are_never_mixed(backbone, tmp_path):
    pictures = find_pictures(mixed_folder(tmp_path / "data"))
    begun(tmp_path / "parts", pictures, backbone)
    for changed, word in (
        (Parts(tmp_path / "parts", pictures.subset(range(5)), 4), "pictures"),
        (Parts(tmp_path / "parts", pictures, 8), "rows"),
    ):
        with pytest.raises(ValueError, match=f"its {word} differs"):
            changed.begin(request_of(changed, backbone, SIZE, False))
    same = Parts(tmp_path / "parts", pictures, 4)
    with pytest.raises(ValueError, match="model or preparation differs"):
        same.begin(request_of(same, backbone, Preparation(42), False))
    files(tmp_path / "full", {"thesis.txt": b"x"})
    with pytest.raises(ValueError, match=r"other files in it, such as thesis\.txt"):
        Parts(tmp_path / "full", pictures).begin({})


def test_a_part_that_breaks_off_is_met_by_no_reader(backbone, tmp_path, monkeypatch):
    pictures = find_pictures(mixed_folder(tmp_path / "data"))
    parts, writer = begun(tmp_path / "out", pictures, backbone)

    def cut_short(path, *_: object, **__: object) -> None:
        path.write_bytes(b"PAR1")
        raise OSError("no space")

    monkeypatch.setattr("dino_core.embedding.parts.write_parquet", cut_short)
    with pytest.raises(OSError, match="no space"):
        writer.write(0)
    assert [path.name for path in parts.folder.iterdir()] == [JOB]


def test_stretched_pictures_are_another_job(backbone, tmp_path):
    pictures = find_pictures(mixed_folder(tmp_path / "data"))
    parts, _ = begun(tmp_path / "out", pictures, backbone)
    other = Parts(parts.folder, replace(pictures, stretch=not pictures.stretch), parts.rows)
    with pytest.raises(ValueError, match="its stretch differs"):
        other.begin(request_of(other, backbone, SIZE, False))
