"""writing.py: a file is there whole or not at all, and on the disk before it bears its name."""

import os
from pathlib import Path
from typing import Any

import pytest

from dino_core import writing
from dino_core.writing import replacing, take_room


def test_what_lasts_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way round a power cut leaves an empty file in the place of a good one."""
    done: list[str] = []

    def noted(name: str) -> None:
        call = getattr(os, name)

        def noting(*args: Any) -> None:
            done.append(name)
            call(*args)

        monkeypatch.setattr(writing.os, name, noting)

    noted("fsync")
    noted("replace")
    with replacing(tmp_path / "new" / "x") as partial:
        partial.write_text("whole")
    assert done == ["fsync", "replace"]
    with replacing(tmp_path / "y", lasting=False) as partial:
        partial.write_text("whole")
    assert done == ["fsync", "replace", "replace"], "nobody waits for what does not last"


def test_two_who_write_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with replacing(path) as one:
        one.write_text("one")
        with replacing(path) as other:
            other.write_text("other")
        assert path.read_text() == "other"
        assert one.read_text() == "one"
    assert path.read_text() == "one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_what_does_not_last_brings_no_folder_back(tmp_path: Path) -> None:
    with pytest.raises(OSError), replacing(tmp_path / "gone" / "x", lasting=False) as partial:
        partial.write_text("a run that was deleted")
    assert not (tmp_path / "gone").exists()


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no room can be taken ahead here")
def test_what_will_be_mapped_has_its_room_before(tmp_path: Path) -> None:
    """A hole that is written into on a full disk ends the process by a signal."""
    path = tmp_path / "rows.npy"
    path.write_bytes(b"head")
    with path.open("rb+") as file:
        take_room(file, 2**20)
    assert path.stat().st_size == 2**20
    assert path.stat().st_blocks * 512 >= 2**20
    assert path.read_bytes()[:5] == b"head\0"
