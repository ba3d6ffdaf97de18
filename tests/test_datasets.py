"""datasets.py: what is found, in which order, and what is refused."""

import pickle
import struct
import threading
import zipfile

import numpy as np
import pytest
from tiny_runs import coloured, files, noise_folder, picture, zipped

from dino_core.datasets import MAX_RATIO, find_pictures, sample_pictures


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


@pytest.mark.parametrize(
    ("names", "labels", "classes", "splits"),
    [
        (["1.png", "2.png"], None, (), None),
        (["around/1.png", "around/2.png"], None, (), None),
        (["cat/1.png", "dog/1.png", "loose.png"], None, (), None),
        (["all/cat/1.png", "all/dog/1.png"], (0, 1), ("cat", "dog"), None),
        (["train/cat/1.png", "train/dog/1.png"], (0, 1), ("cat", "dog"), None),
        (["train/1.png", "test/1.png"], None, (), ("test", "train")),
        (
            ["train/cat/1.png", "train/dog/1.png", "val/cat/1.png"],
            (0, 1, 0),
            ("cat", "dog"),
            ("train", "train", "test"),
        ),
        (["data/Test/x/1.png", "data/Train/y/1.png"], (0, 1), ("x", "y"), ("test", "train")),
    ],
)
def test_labels_and_splits_come_from_the_folders(tmp_path, names, labels, classes, splits):
    found = find_pictures(files(tmp_path, dict.fromkeys(names, picture(0))))
    assert (found.labels, found.classes, found.splits) == (labels, classes, splits)


def test_a_zip_is_never_unpacked(tmp_path):
    path = zipped(tmp_path / "pictures.zip", coloured(2))
    found = find_pictures(path)
    assert found.picture(0).size == (24, 20)
    assert [entry.name for entry in tmp_path.iterdir()] == ["pictures.zip"]


@pytest.mark.parametrize(
    "name", ["../out.png", "a/../../out.png", "/etc/out.png", "..\\out.png", "C:/out.png"]
)
def test_names_that_lead_outside_are_refused(tmp_path, name):
    path = zipped(tmp_path / "bad.zip", {"good.png": picture(0), name: picture(1)})
    with pytest.raises(ValueError, match="leads outside"):
        find_pictures(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = zipped(tmp_path / "bomb.zip", {"a.png": bytes(MAX_RATIO * 2**16)}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**16
    with pytest.raises(ValueError, match="times what it occupies"):
        find_pictures(path)


def test_a_bomb_of_many_names_for_the_same_bytes_is_refused(tmp_path):
    """Each entry is harmless; together they unpack to hundreds of times the file."""
    single = zipped(tmp_path / "one.zip", {"0000.png": bytes(200_000)}, zipfile.ZIP_DEFLATED)
    raw = single.read_bytes()
    directory = raw.index(b"PK\x01\x02")
    end = raw.index(b"PK\x05\x06")
    entry = raw[directory:end]
    count = 400
    entries = b"".join(entry.replace(b"0000.png", b"%04d.png" % i) for i in range(count))
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(entries), directory, 0)
    path = tmp_path / "bomb.zip"
    path.write_bytes(raw[:directory] + entries + tail)
    assert len(zipfile.ZipFile(path).infolist()) == count
    with pytest.raises(ValueError, match="would unpack to"):
        find_pictures(path)


def test_a_zip_that_lies_about_a_size_gives_a_sentence_not_the_bytes(tmp_path):
    path = zipped(tmp_path / "lie.zip", {"a.png": bytes(100_000)}, zipfile.ZIP_DEFLATED)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(struct.pack("<I", 100_000), struct.pack("<I", 10)))
    with pytest.raises(ValueError):
        find_pictures(path).picture(0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "nothing", "no folder or zip"),
        (lambda p: files(p, {"a.txt": b""}), "has no pictures"),
        (lambda p: files(p, {"a.zip": b"PK not really"}) / "a.zip", "is no zip"),
        (lambda p: files(p, {"a.png": picture(0)}) / "a.png", "is no zip"),
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


def test_a_damaged_member_of_a_zip_is_said(tmp_path):
    text = b"the same words again and again, " * 40
    path = zipped(tmp_path / "a.zip", {"a.png": text, "b.png": text}, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    start = data.index(b"a.png") + len("a.png")
    data[start : start + 8] = bytes([255] * 8)  # no deflated block begins like this
    path.write_bytes(data)
    found = find_pictures(path)
    with pytest.raises(ValueError, match="does not give this file out"):
        found.read(0)
    assert found.read(1) == text


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
