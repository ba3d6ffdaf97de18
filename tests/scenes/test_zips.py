"""What a page says of a zip before anything is made of it."""

from pathlib import Path

import pytest
from tiny_runs import coloured, picture, zipped

from dino_core.scenes.zips import contents


def test_what_is_used_and_what_is_not_is_counted_and_named(tmp_path: Path) -> None:
    files = coloured(3, "Training/") | coloured(2, "Testing/")
    files |= {"Training/red/x.jpg": b"<html>", "notes.txt": b"words", "cover.png": picture(0)}
    found = contents(zipped(tmp_path / "z.zip", files))
    assert (found["pictures"], found["divided"], found["left_out"]) == (15, True, 3)
    assert found["classes"] == {"blue": 5, "green": 5, "red": 5}
    text = " ".join(found["notes"])
    assert "Divided by its folders: 10 train, 6 test." in text  # x.jpg has the ending of a picture
    for word in ("x.jpg", "web page", "notes.txt", "cover.png"):
        assert word in text


def test_a_zip_without_a_picture_that_can_be_read_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", {"a.jpg": b"<!DOCTYPE html>", "b.png": b""})
    with pytest.raises(
        ValueError, match=r"no picture that can be read.*a\.jpg: This is a web page"
    ):
        contents(path)
