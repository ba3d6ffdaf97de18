"""Shards: what WebDataset itself reads in them, labels of every kind, and hostile tars in words."""

import io
import json
import os
import pickle
import tarfile
from concurrent.futures import ThreadPoolExecutor

import pytest
import webdataset
from braceexpand import braceexpand
from sharded import sharded, tarred
from tiny_runs import coloured, files, picture, zipped

from dino_core.datasets import find_pictures, places, shards
from dino_core.datasets.patterns import expanded
from dino_core.datasets.shards import look_like_labels

A, B, C = picture(0), picture(1), picture(2)


def reasons(found) -> dict[str, str]:
    return dict(found.left_out)


def test_shards_are_the_folder_they_were_made_of(tmp_path):
    contents = coloured(4)
    folder = find_pictures(files(tmp_path / "folder", contents))
    for source in (
        sharded(tmp_path / "shards", contents),
        tmp_path / "shards" / "set-{000000..000002}.tar",
        tmp_path / "shards" / "set-*.tar",
    ):
        found = find_pictures(source)
        assert (found.labels, found.classes) == (folder.labels, folder.classes)
        assert [found.read(i) for i in range(12)] == [folder.read(i) for i in range(12)]
        assert found.names[5] == "set-000001.tar/000005.png"
        assert found.left_out == ()


def test_one_reader_and_webdataset_say_the_same(tmp_path):
    """The library's own writer and reader, as the outside truth on keys, order and bytes."""
    with webdataset.ShardWriter(f"{tmp_path}/a-%03d.tar", maxcount=3, verbose=0) as writer:
        for i in range(7):
            writer.write({"__key__": f"in/{i:03}", "png": picture(i), "cls": i % 3})
    found = find_pictures(tmp_path / "a-{000..002}.tar")
    urls = f"{tmp_path}/a-{{000..002}}.tar"
    truth = list(webdataset.WebDataset(urls, shardshuffle=False))
    assert [found.read(i) for i in range(len(found))] == [one["png"] for one in truth]
    assert [found.classes[label] for label in found.labels or ()] == [
        one["cls"].decode() for one in truth
    ]
    assert found.names[3] == "a-001.tar/in/003.png"


@pytest.mark.parametrize(
    "pattern",
    ["a", "s-{000..012}.tar", "s-{8..12}.tar", "{train,val}-{0..1}.tar", "{09..7}", "{0..9..4}",
     "{1..010}"],
)  # fmt: skip
def test_braces_are_those_of_webdataset(pattern):
    assert expanded(pattern) == list(braceexpand(pattern))


def test_subset_and_pickle_keep_places(tmp_path):
    found = find_pictures(tarred(tmp_path / "s.tar", {"1.png": A, "2.png": B, "3.png": C}))
    assert found.names == ("1.png", "2.png", "3.png")
    some = pickle.loads(pickle.dumps(found.subset([2, 0])))
    assert [some.read(0), some.read(1)] == [C, A]
    assert some.fingerprint != found.fingerprint


def test_more_shards_than_may_be_open(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "OPEN_TARS", 2)
    for i in range(5):
        tarred(tmp_path / f"s-{i}.tar", {"1.png": picture(i)})
    found = find_pictures(tmp_path)
    assert found.places is not None
    for i in (0, 4, 2, 0, 3, 1, 4):
        before = list(found.places._open.files.values())
        assert found.read(i) == picture(i)
        now = list(found.places._open.files.values())
        assert len(now) <= 2
        assert all(file.closed for file in before if file not in now)


def test_a_set_is_looked_through_once_and_again_when_it_has_changed(tmp_path, monkeypatch):
    path = tarred(tmp_path / "s.tar", {"1.png": A, "1.cls": b"a", "2.png": B})
    looked = []
    there = shards.members
    monkeypatch.setattr(shards, "members", lambda path: looked.append(path) or there(path))
    first, second = find_pictures(path), find_pictures(path)
    assert (first, first.left_out) == (second, second.left_out)
    assert len(looked) == 1
    tarred(path, {"1.png": A, "1.cls": b"a", "2.png": B, "2.cls": b"b"})
    assert find_pictures(path).labels == (0, 1)
    (tmp_path / "classes.txt").write_text("b\na\n")  # names are asked for each time
    assert find_pictures(path).labels == (1, 0)
    assert len(looked) == 2


# --- labels


@pytest.mark.parametrize(
    ("beside", "classes", "labels"),
    [
        ({".cls": [b"2", b"10", b"2\n"]}, ("2", "10"), (0, 1, 0)),
        ({".cls": [b"cat", b"dog", b" cat"]}, ("cat", "dog"), (0, 1, 0)),
        ({".json": [b'{"label": 1}', b'{"label": 0}', b'{"label": 1}']}, ("0", "1"), (1, 0, 1)),
        (
            {
                ".json": [
                    b'{"class_name": "b", "label": 7}',
                    b'{"class_name": "a"}',
                    b'{"Label": 3}',
                ]
            },
            ("a", "b"),
            (1, 0),
        ),
        ({".txt": [b"yes", b"yes", b"yes"]}, ("yes",), (0, 0, 0)),
        ({".txt": [b"0", b"1", b"2"]}, ("0", "1", "2"), (0, 1, 2)),
        ({".txt": [b"a dog on a lawn", b"two cats", b"rain"]}, (), None),  # captions
        ({".cls": [b"1", b"0", b"1"], ".txt": [b"x", b"y", b"z"]}, ("0", "1"), (1, 0, 1)),
        # .cls counts where there is a .json as well, whichever comes first in the tar.
        (
            {
                ".cls": [b"1", b"0", b"1"],
                ".json": [b'{"label": 7}', b'{"label": 8}', b'{"label": 7}'],
            },
            ("0", "1"),
            (1, 0, 1),
        ),
        (
            {
                ".json": [b'{"label": 7}', b'{"label": 8}', b'{"label": 7}'],
                ".cls": [b"1", b"0", b"1"],
            },
            ("0", "1"),
            (1, 0, 1),
        ),
        ({".json": [b'{"caption": "x"}'] * 3}, (), None),
    ],
)
def test_labels_beside(tmp_path, beside, classes, labels):
    members = {}
    for i in range(3):
        members[f"{i}.png"] = picture(i)
        members |= {f"{i}{kind}": texts[i] for kind, texts in beside.items()}
    found = find_pictures(tarred(tmp_path / "s.tar", members))
    assert (found.classes, found.labels) == (classes, labels)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("classes.txt", "zebra\nape\nbee\n"),
        ("classes.txt", "0 zebra\n1 ape\n2 bee\n"),
        ("classes.json", '["zebra", "ape", "bee"]'),
        ("labels.json", '{"0": "zebra", "1": "ape", "2": "bee"}'),
        ("class_names.json", '{"ape": 1, "zebra": 0, "bee": 2}'),
    ],
)
def test_names_of_classes_beside(tmp_path, file, text):
    members = {"1.png": A, "1.cls": b"1", "2.png": B, "2.cls": b"0", "3.png": C, "3.cls": b"7"}
    tarred(tmp_path / "s-0.tar", members)
    (tmp_path / file).write_text(text)
    found = find_pictures(tmp_path)
    assert found.classes == ("zebra", "ape")  # in the order of the file, those that are there
    assert found.labels == (1, 0)
    assert reasons(found) == {
        "s-0.tar/3.png": "Its label is 7, but there are names for 0 to 2 alone."
    }


def test_a_file_of_other_words_names_no_classes(tmp_path):
    members = {}
    for i in range(5):
        members |= {f"{i}.png": picture(i), f"{i}.cls": b"%d" % (7 * i)}
    tarred(tmp_path / "s-0.tar", members)
    (tmp_path / "labels.txt").write_text("see README\n")
    assert find_pictures(tmp_path).classes == ("0", "7", "14", "21", "28")


def test_labels_that_are_none(tmp_path):
    bad = {"3": b"", "4": b"three", "5": b"\xff\xfe\x00", "6": b"-1", "7": b"9" * 2000}
    members = {"1.png": A, "1.cls": b"1", "2.png": B, "2.cls": b"0", "8.png": C, "9.png": C}
    members["9.cls"] = b"1"
    for key, text in bad.items():
        members |= {f"{key}.png": C, f"{key}.cls": text}
    members |= {"a.png": A, "a.cls": b"1", "b.png": A, "b.cls": b"1"}
    found = find_pictures(tarred(tmp_path / "s.tar", members))
    assert found.names == ("1.png", "2.png", "9.png", "a.png", "b.png")
    assert reasons(found) == {
        "3.png": "Its label is empty.",
        "4.png": "Its label is 'three', and those of the others are numbers.",
        "5.png": "Its .cls is none that can be read.",
        "6.png": "Its label is -1: it has none.",
        "7.png": "Its .cls is larger than 1,024 bytes.",
        "8.png": "It has no label: there is no .cls for it.",
    }


def test_folders_inside_are_classes_where_nothing_else_is(tmp_path):
    contents = coloured(2)
    found = find_pictures(tarred(tmp_path / "all.tar", contents))
    truth = find_pictures(zipped(tmp_path / "all.zip", contents))
    assert (found.names, found.labels, found.classes) == (truth.names, truth.labels, truth.classes)
    assert sorted(found.read(i) for i in range(6)) == sorted(contents.values())


def test_splits_are_in_the_names_of_shards(tmp_path):
    for name in ("imagenet-train-000", "imagenet-val-000"):
        tarred(tmp_path / f"{name}.tar", {"1.png": A, "1.cls": b"a", "2.png": B, "2.cls": b"b"})
    found = find_pictures(tmp_path)
    assert found.splits == ("train", "train", "val", "val")
    assert found.part("test").names[0] == "imagenet-val-000.tar/1.png"
    assert find_pictures(tmp_path / "imagenet-val-000.tar").splits is None


def test_samples_with_several_pictures(tmp_path):
    members = {"1.seg.png": A, "1.jpg": B, "1.cls": b"x", "2.png": C, "2.PNG": C, "2.cls": b"y"}
    members |= {"3.png": A, "3.png.cls": b"y", "4.a.jpg": B, "4.cls": b"x"}
    members |= {"IMG.01.png": A, "IMG.01.cls": b"x", "IMG.02.png": B, "IMG.02.cls": b"y"}
    found = find_pictures(tarred(tmp_path / "s.tar", members))
    assert found.names == ("1.jpg", "2.png", "3.png", "4.a.jpg", "IMG.01.png", "IMG.02.png")
    assert found.labels == (0, 1, 1, 0, 0, 1)
    assert reasons(found) == {
        "1.seg.png": "A second picture of a sample: 1.jpg is taken.",
        "2.PNG": "A second picture of a sample: 2.png is taken.",
    }


def test_shards_among_other_files_of_a_folder(tmp_path):
    """img2dataset leaves tables and counts beside; a preview makes no folder of pictures."""
    tarred(tmp_path / "00000.tar", {"0.png": A, "0.json": b'{"key": "0"}', "1.png": B})
    files(tmp_path, {"00000_stats.json": b"{}", "README.md": b"#", "preview.png": C})
    found = find_pictures(tmp_path)
    assert (len(found), found.labels) == (2, None)
    assert set(reasons(found)) == {"00000_stats.json", "README.md", "preview.png"}
    files(tmp_path, {"big.png": os.urandom(50_000)})  # now the tar is what lies beside
    assert set(find_pictures(tmp_path).names) == {"big.png", "preview.png"}


# --- hostile and damaged


def entry(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    return info


def test_members_that_are_no_files_of_a_set(tmp_path):
    path = tmp_path / "s.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("../out.png", "/etc/out.png", "C:/out.png", "a/../../b.png", "good.png"):
            tar.addfile(entry(name, size=len(A)), io.BytesIO(A))
        tar.addfile(entry("link.png", tarfile.SYMTYPE, linkname="/etc/passwd"))
        tar.addfile(entry("hard.png", tarfile.LNKTYPE, linkname="good.png"))
        tar.addfile(entry("device.png", tarfile.CHRTYPE, devmajor=1, devminor=5))
        tar.addfile(entry("pipe.png", tarfile.FIFOTYPE))
        tar.addfile(entry("good.png", size=len(B)), io.BytesIO(B))
        tar.addfile(entry("alone.cls", size=1), io.BytesIO(b"1"))
        tar.addfile(entry("data.npy", size=3), io.BytesIO(b"abc"))
        tar.addfile(entry("ok.png", size=len(C)), io.BytesIO(C))
    found = find_pictures(path)
    assert found.names == ("good.png", "ok.png")
    assert found.read(0) == A
    outside = "Its name leads outside."
    assert reasons(found) | {"good.png": ""} == {
        "../out.png": outside, "/etc/out.png": outside, "C:/out.png": outside,
        "a/../../b.png": outside,
        "link.png": "This is a link, which is not followed.",
        "hard.png": "This is a link, which is not followed.",
        "device.png": "This is a device, no file.", "pipe.png": "This is a pipe, no file.",
        "alone.cls": "There is no picture beside it.",
        "data.npy": "This is a NumPy array, no picture.", "good.png": "",
    }  # fmt: skip
    assert reasons(found)["good.png"] == "A second file of this name in its tar."
    assert [p.name for p in tmp_path.iterdir()] == ["s.tar"]


def test_ten_gigabytes_of_zeros_are_left_out_unread(tmp_path):
    """The file has holes, so it costs this disk nothing."""
    path, size = tmp_path / "s.tar", 10 * 2**30
    header = entry("zeros.png", size=size).tobuf(tarfile.GNU_FORMAT)
    with path.open("wb") as file:
        file.write(header)
        file.seek(size, os.SEEK_CUR)
        for data in (entry("1.png", size=len(A)).tobuf(), A, bytes(-len(A) % 512), bytes(1024)):
            file.write(data)
    found = find_pictures(path)
    assert found.names == ("1.png",)
    assert found.read(0) == A
    assert reasons(found)["zeros.png"] == "The file is larger than 100 MB (10240 MB)."


def test_holes_are_not_filled(tmp_path):
    info = entry("holes.png", tarfile.GNUTYPE_SPARSE, size=512)
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[386:410] = b"%011o\0%011o\0" % (0, 512)  # one piece of data at the beginning
    block[483:495] = b"%011o\0" % (8 * 2**30 - 1)  # of a file of 8 GB
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    good = entry("1.png", size=len(A)).tobuf() + A + bytes(-len(A) % 512)
    path = tmp_path / "s.tar"
    path.write_bytes(bytes(block) + bytes(512) + good + bytes(1024))
    found = find_pictures(path)
    assert found.names == ("1.png",)
    assert "would be 8191 MB" in reasons(found)["holes.png"]


@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK]
)
def test_a_header_of_gigabytes_is_not_read(tmp_path, kind):
    path = tmp_path / "s.tar"
    good = entry("1.png", size=len(A)).tobuf() + A + bytes(-len(A) % 512)
    with path.open("wb") as file:
        file.write(good + entry("x", kind, size=6 * 2**30).tobuf(tarfile.GNU_FORMAT))
        file.seek(6 * 2**30, os.SEEK_CUR)
        file.write(bytes(1024))
    found = find_pictures(path)
    assert found.names == ("1.png",)
    assert "larger than any that makes sense" in next(iter(reasons(found).values()))


def test_headers_in_headers_end(tmp_path):
    """Long names of long names: each is read by a call inside the last."""
    deep = entry("x", tarfile.GNUTYPE_LONGNAME, size=2).tobuf() + b"y\0" + bytes(510)
    good = entry("1.png", size=len(A)).tobuf() + A + bytes(-len(A) % 512)
    path = tmp_path / "s.tar"
    path.write_bytes(good + 3000 * deep + bytes(1024))
    found = find_pictures(path)
    assert found.names == ("1.png",)
    assert "damaged" in next(iter(reasons(found).values()))


def test_negative_sizes_end(tmp_path):
    block = bytearray(entry("2.png", size=0).tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 11 + b"\x00"  # base 256: -256
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    good = entry("1.png", size=len(A)).tobuf() + A + bytes(-len(A) % 512)
    path = tmp_path / "s.tar"
    path.write_bytes(good + bytes(block) + good)
    found = find_pictures(path)
    assert found.names == ("1.png",)


@pytest.mark.parametrize("cut", [512, 700, 1024 + 20, 1024 + 512, 2000, 2048 + 100])
def test_a_shard_cut_short_gives_what_is_whole(tmp_path, cut):
    small = b"\x89PNG\r\n\x1a\n" + bytes(400)  # one block each: header and body are 1024 bytes
    whole = tarred(tmp_path / "a.tar", {f"{i}.png": small for i in range(4)}).read_bytes()
    path = tmp_path / "cut-0.tar"
    path.write_bytes(whole[: 1024 + cut])
    tarred(tmp_path / "cut-1.tar", {"9.png": A})
    found = find_pictures(tmp_path / "cut-{0..1}.tar")
    complete = sum(1024 * i + 512 + len(small) <= 1024 + cut for i in range(4))
    expected = [f"cut-0.tar/{i}.png" for i in range(complete)]
    assert [*expected, "cut-1.tar/9.png"] == list(found.names)
    assert len(found.left_out) == 1
    assert "cut short" in found.left_out[0][1]


@pytest.mark.parametrize("data", [b"", b"junk" * 300, b"\x1f\x8b" + bytes(600), A])
def test_no_tar_at_all(tmp_path, data):
    (tmp_path / "bad.tar").write_bytes(data)
    with pytest.raises(ValueError, match=r"bad\.tar.*\.$"):
        find_pictures(tmp_path / "bad.tar")
    tarred(tmp_path / "good.tar", {"1.png": A})
    found = find_pictures(tmp_path / "{bad,good}.tar")
    assert found.names == ("good.tar/1.png",)
    assert reasons(found)["bad.tar"]


def test_a_compressed_shard_is_refused_in_words(tmp_path):
    import gzip

    (tmp_path / "s.tar.gz").write_bytes(
        gzip.compress(tarred(tmp_path / "s.tar", {"1.png": A}).read_bytes())
    )
    with pytest.raises(ValueError, match="unpack it to a plain"):
        find_pictures(tmp_path / "s.tar.gz")


def test_a_shard_that_shrinks_is_met_when_read(tmp_path):
    path = tarred(tmp_path / "s.tar", {"1.png": A, "2.png": B})
    found = find_pictures(path)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(ValueError, match="shorter"):
        found.read(1)


@pytest.mark.parametrize(
    "source",
    ["http://example.org/set-{000..010}.tar", "https://example.org/a.tar", "pipe:touch OUT",
     "pipe:touch OUT{0..1}.tar", "s3://bucket/a.tar", "gs://b/a-{0..9}.tar", "hdfs://a/b",
     "file:///etc/passwd", "PIPE:touch OUT"],
)  # fmt: skip
def test_addresses_and_commands_are_never_followed(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="never followed"):
        find_pictures(source)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("s-{0..3}.tar", "Of the 4 files .* 1 are there: s-1.tar, s-2.tar, s-3.tar are not"),
        ("s-{0..999999999}.tar", "more than 1,000,000"),
        ("s-{0..999}{0..999}{0..999}.tar", "more than 1,000,000"),
        ("s-{x}.tar", "neither a range"),
        ("t-*.tar", "no file of the pattern"),
        ("{s-0.tar,a.png}", "should name shards"),
    ],
)
def test_patterns_that_name_nothing(tmp_path, pattern, words):
    tarred(tmp_path / "s-0.tar", {"1.png": A})
    (tmp_path / "a.png").write_bytes(A)
    with pytest.raises(ValueError, match=words):
        find_pictures(tmp_path / pattern)


def test_include_and_exclude_name_members(tmp_path):
    path = tarred(tmp_path / "s.tar", {"a/1.png": A, "b/2.png": B, "a/3.png": C})
    found = find_pictures(path, exclude=["3.png"])
    assert found.names == ("a/1.png", "b/2.png")
    assert reasons(found) == {"a/3.png": "Left out as asked."}


def test_json_of_any_shape_is_no_traceback(tmp_path):
    texts = [b"[" * 5000, b'{"label": {"a": 1}}', b'{"label": NaN}', b'{"label": 1e999}', b"null",
             b'{"label": true}', json.dumps({"label": "x" * 500}).encode(), b"\xff",
             b'{"label": 3}']  # fmt: skip
    members = {}
    for i, text in enumerate(texts):
        members |= {f"{i}.png": picture(i), f"{i}.json": text}
    found = find_pictures(tarred(tmp_path / "s.tar", members))
    assert (found.names, found.classes) == (("8.png",), ("3",))
    assert len(found.left_out) == 8


def test_names_of_other_letters(tmp_path):
    path = tmp_path / "s.tar"
    with tarfile.open(path, "w", encoding="latin-1", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(entry("Gr\xf6\xdfe.png", size=len(A)), io.BytesIO(A))
    found = find_pictures(path)
    assert found.read(0) == A
    assert found.names[0].isprintable()


ONE = picture(1)


def test_a_tar_that_ends_with_its_last_picture_has_it(tmp_path):
    """Its end is missing, and is named; the picture is there to the last byte."""
    path = tarred(tmp_path / "a.tar", {"1.png": ONE, "2.png": ONE})
    data = path.read_bytes()
    end = data.rindex(ONE) + len(ONE)
    path.write_bytes(data[:end])
    found = find_pictures(path)
    assert found.read(1) == ONE
    path.write_bytes(data[: end - 1])
    assert find_pictures(path).names == ("1.png",)


@pytest.mark.parametrize(
    ("texts", "labels"), [("aabb", True), ("aabbc", False), ("abc", False), ("123", True)]
)
def test_texts_of_which_half_are_another_look_like_labels(texts, labels):
    assert look_like_labels(list(texts)) == labels


def test_threads_do_not_share_a_place_in_a_tar(tmp_path):
    """Each seeks and reads: two of them in one file would get each other's bytes."""
    path = tarred(tmp_path / "a.tar", {"1.png": picture(1), "2.png": picture(2)})
    opened = places._OpenTars()
    mine = opened.of(path)
    assert opened.of(path) is mine
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: opened.of(path)).result() is not mine
