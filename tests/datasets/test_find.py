"""What is found, in which order, what is left out, and the value that comes out."""

import pickle
import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hostile import avif, heic, noise, png_of, saved
from images.test_tiff import raw_file
from PIL import Image
from tiny_runs import coloured, files, noise_folder, picture, zipped

from dino_core.datasets import Pictures, find_pictures, sample_pictures
from dino_core.datasets.contents import Listing
from dino_core.images import MAX_BYTES


def test_folder_and_zip_give_the_same_pictures_in_the_same_order(tmp_path):
    contents = {
        "b/1.png": picture(1),
        "a/1.png": picture(2),
        "a/sub/2.PNG": picture(3),
        "a/notes.txt": b"no picture",
        ".hidden/3.png": picture(4),
        "__MACOSX/a/._1.png": b"junk",
    }
    folder = find_pictures(files(tmp_path / "folder", contents))
    archive = find_pictures(zipped(tmp_path / "pictures.zip", contents))
    assert folder.names == archive.names == ("a/1.png", "a/sub/2.PNG", "b/1.png")
    assert folder.labels == archive.labels == (0, 0, 1)
    assert folder.classes == ("a", "b")
    assert folder.fingerprint == archive.fingerprint
    for i in range(3):
        assert folder.read(i) == archive.read(i) == contents[folder.names[i]]


def test_a_zip_is_never_unpacked(tmp_path):
    path = zipped(tmp_path / "pictures.zip", coloured(2))
    found = find_pictures(path)
    assert found.picture(0).size == (24, 20)
    assert [entry.name for entry in tmp_path.iterdir()] == ["pictures.zip"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "nothing", "no folder or zip"),
        (lambda p: files(p, {"a.txt": b""}), "has no pictures"),
        (lambda p: files(p, {"a.zip": b"PK not really"}) / "a.zip", "is no zip"),
        (lambda p: files(p, {"a.png": picture(0)}) / "a.png", "is no zip but a PNG picture"),
        (lambda p: files(p, {"a.rar": b"Rar!\x1a\x07\0"}) / "a.rar", "is no zip but a RAR archive"),
    ],
)
def test_what_is_no_set_of_pictures_is_said(tmp_path, make, words):
    with pytest.raises(ValueError, match=words):
        find_pictures(make(tmp_path))


def test_a_broken_file_is_named_when_it_is_opened(tmp_path):
    found = find_pictures(files(tmp_path, {"a.png": picture(0)[:200], "b.png": picture(1)}))
    with pytest.raises(ValueError, match="damaged"):
        found.picture(0)
    assert found.picture(1).size == (24, 20)


def test_threads_and_processes_may_read_the_same_zip(tmp_path):
    contents = {f"{i}.png": picture(i) for i in range(8)}
    found = find_pictures(zipped(tmp_path / "a.zip", contents))
    found.read(0)
    wrong = []

    def work(pictures):
        for _ in range(20):
            wrong.extend(n for i, n in enumerate(found.names) if pictures.read(i) != contents[n])

    copies = [found, found, pickle.loads(pickle.dumps(found))]
    threads = [threading.Thread(target=work, args=(copy,)) for copy in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_dividing_holds_out_a_share_of_every_class(tmp_path):
    contents = coloured(10) | {"rare/0.png": picture(0), "rare/1.png": picture(1)}
    contents |= {"single/0.png": picture(2)}
    found = find_pictures(files(tmp_path, contents))
    rest, held = found.divide(0.3, seed=1)
    counts = np.bincount(held.labels, minlength=5)
    assert dict(zip(found.classes, counts.tolist(), strict=True)) == {
        "blue": 3, "green": 3, "rare": 1, "red": 3, "single": 0,
    }  # fmt: skip
    assert sorted(rest.names + held.names) == list(found.names)
    assert found.divide(0.3, seed=1)[1] == held
    assert found.divide(0.3, seed=2)[1] != held


def test_the_fingerprint_notices_a_change(tmp_path):
    before = find_pictures(noise_folder(tmp_path, 3)).fingerprint
    (tmp_path / "01.png").write_bytes(picture(1)[:-1])
    assert find_pictures(tmp_path).fingerprint != before


def test_the_samples_that_come_with_the_project():
    found = sample_pictures()
    assert len(found) == 8
    assert found.labels is None
    assert "cat.jpg" in found.names


# --- what is a picture


def jpeg_of(seed: int) -> bytes:
    return saved(np.asarray(Image.open(BytesIO(picture(seed)))), "JPEG")


@pytest.mark.parametrize("where", ["folder", "zip"])
def test_pictures_are_found_by_content_and_not_by_ending(tmp_path, where):
    contents = {
        "a/1.jpg": jpeg_of(1), "a/2.JPG": jpeg_of(2), "a/3.jfif": jpeg_of(3), "a/4": jpeg_of(4),
        "a/5.tmp": picture(5), "a/6.png": jpeg_of(6), "b/1.HEIC": heic(noise(20, 20)),
        "b/2.heif": heic(noise(20, 20)), "b/3.avif": avif(noise(20, 20)), "b/4.x": picture(7),
        "b/5.dng": raw_file(preview=jpeg_of(8)), "b/6.txt": jpeg_of(9), "b/7.json": picture(10),
    }  # fmt: skip
    rest = {
        "a/7": b"words", "b/6.mp4": b"\0\0\0\x18ftypisom" + bytes(90), "b/Thumbs.db": b"x",
        "a/.DS_Store": b"x", "notes.txt": b"x", "b/7.dcm": bytes(128) + b"DICM",
        "b/8.svg": b"<svg/>", "b/9.jxl": b"\xff\x0a12",
    }  # fmt: skip
    root = files(tmp_path / "d", contents | rest)
    found = find_pictures(
        root if where == "folder" else zipped(tmp_path / "d.zip", contents | rest)
    )
    assert found.names == tuple(sorted(contents))
    for i in range(len(found)):
        assert found.picture(i).mode == "RGB"
    assert found.classes == ("a", "b")
    assert dict(found.left_out) == {
        "a/7": "This is a text file.",
        "b/6.mp4": "This is an MP4 video.",
        "notes.txt": "This is a text file, no picture.",
        "b/7.dcm": "This is a DICOM file of a medical scanner.",
        "b/8.svg": "This is an SVG drawing.",
        "b/9.jxl": "This is a JPEG XL picture.",
    }


def test_of_many_files_that_say_what_they_are_the_first_are_looked_into(tmp_path, monkeypatch):
    """There may be a text beside every picture, and a million of both."""
    monkeypatch.setattr("dino_core.datasets.contents.LOOKED_INTO", 3)
    opened = []
    plain = Listing.add

    def add(self, name, size, head):
        plain(self, name, size, lambda: opened.append(name) or head())

    monkeypatch.setattr(Listing, "add", add)
    contents = {f"{i}.png": picture(i) for i in range(2)}
    contents |= {f"{i}{ending}": b"words" for i in range(5) for ending in (".txt", ".json")}
    found = find_pictures(files(tmp_path, contents))
    assert len(found.left_out) == 10
    assert len(opened) == 6, "three of each ending"


def test_what_is_left_out_is_counted_by_its_reason_and_the_first_are_named(tmp_path):
    contents = {f"{i}.png": picture(i) for i in range(2)}
    contents |= {f"{i}.txt": b"x" for i in range(5)} | {"x.pdf": b"%PDF-1.4"}
    found = find_pictures(files(tmp_path, contents))
    assert len(found.left_out) == 6
    assert found.summary() == [
        "5 files were left out (0.txt, 1.txt, 2.txt, ...): This is a text file, no picture.",
        "1 file was left out (x.pdf): This is a PDF document.",
    ]


def test_files_that_only_look_like_pictures_are_named_before_they_are_read(tmp_path):
    contents = {
        "a.png": picture(0),
        "b.jpg": b"<!DOCTYPE html><title>not found</title>",
        "c.jpg": b"version https://git-lfs.github.com/spec/v1\n",
        "d.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99),
        "e.png": b"",
        "f.jpg": picture(1),
    }
    found = find_pictures(zipped(tmp_path / "z.zip", contents))
    assert len(found) == 6  # found by their endings; each is named when it is read
    assert [name for name, _ in found.refused()] == ["b.jpg", "c.jpg", "d.heic", "e.png"]
    assert "a web page" in dict(found.refused())["b.jpg"]
    assert "Git LFS" in dict(found.refused())["c.jpg"]
    usable = found.without_refused()
    assert usable.names == ("a.png", "f.jpg")
    assert usable.left_out == found.refused()


def test_a_file_too_large_is_left_out_and_never_read(tmp_path, monkeypatch):
    root = files(tmp_path, {"a.png": picture(0)})
    with (root / "large.png").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    found = find_pictures(root)
    assert found.names == ("a.png",)
    assert found.left_out[0][0] == "large.png"
    assert "larger than 100 MB" in found.left_out[0][1]
    grown = Pictures(root, ("large.png",))  # since it was found

    def opened(*_, **__):
        raise AssertionError("opened")

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(ValueError, match="larger than 100 MB"):
        grown.read(0)


def test_links_to_folders_are_not_followed_and_said(tmp_path):
    root = files(tmp_path / "d", {"a/1.png": picture(0), "b/1.png": picture(1)})
    (root / "a" / "circle").symlink_to(root, target_is_directory=True)
    (root / "a" / "2.png").symlink_to(root / "b" / "1.png")
    (root / "b" / "gone.png").symlink_to(root / "nothing.png")
    found = find_pictures(root)
    assert found.names == ("a/1.png", "a/2.png", "b/1.png")
    assert dict(found.left_out) == {
        "a/circle": "This is a link to a folder, which is not followed.",
        "b/gone.png": "This is a link to a file that is not there.",
    }


def test_stretching_is_a_property_of_the_set(tmp_path):
    dark = np.linspace(0, 4095, 32 * 32).astype(np.uint16).reshape(32, 32, 1)
    root = files(tmp_path, {"a.png": png_of(dark, 0)})
    assert np.asarray(find_pictures(root).picture(0)).max() < 20
    found = find_pictures(root, stretch=True)
    assert np.asarray(found.picture(0)).max() == 255
    assert found.subset([0]).stretch


def test_looking_through_a_set_does_not_wait_for_torch():
    code = "import sys, dino_core.datasets; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- a set of one class


def test_a_test_set_of_one_class_gets_its_label_from_the_classes_that_are_known(tmp_path):
    root = files(tmp_path / "photos", {"Cats/1.png": picture(0), "Cats/2.png": picture(1)})
    found = find_pictures(root)
    assert found.labels is None  # one folder around everything may be anything
    for known in (("cats", "dogs"), ("Cats", "dogs", "owls")):
        labelled = found.labelled_as(known)
        assert (labelled.labels, labelled.classes) == ((0, 0), (known[0],))
    inside = find_pictures(root / "Cats").labelled_as(("cats", "dogs"))
    assert (inside.labels, inside.classes) == ((0, 0), ("cats",))
    assert found.labelled_as(("owls", "dogs")).labels is None
    nested = find_pictures(files(tmp_path / "dogs", {"cats/owls/1.png": picture(2)}))
    assert nested.labelled_as(("owls", "cats", "dogs")).classes == ("owls",), "the innermost"
    assert nested.labelled_as(("cats", "dogs")).classes == ("cats",)
