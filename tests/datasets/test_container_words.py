"""Small rules on shards, tars and Parquet headers, value by value."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from dino_core.datasets import parquet_files, shards, tars

# --- shards and tars


def test_labels_in_objects_and_texts() -> None:
    for text, labels in (
        ('{"cls": 7, "label": "x"}', {".json cls": "7"}),
        ('{"Class-Name": " cat "}', {".json class_name": "cat"}),
        ('{"label": null, "target": 2.0}', {".json target": "2"}),
        ('{"label": 2.5}', {}),
        ('{"label": true}', {}),
        ('{"type": "cat"}', {}),
        ("7", {".json": "7"}),
        ('""', {}),
        ("[1]", {}),
    ):
        assert shards._labels_in_json(text) == labels, text
    assert shards.stem_of("cats/1.seg.PNG") == ("cats/1.seg", ".png")
    assert shards.key_of("cats/1.seg.png") == "cats/1"
    assert shards.key_of("1.png") == "1"
    assert shards.key_of("a/.png") == "a/.png"


def test_texts_that_look_like_labels() -> None:
    assert shards.look_like_labels(["a", "a", "b", "b"])
    assert not shards.look_like_labels(["a", "b", "b"])
    assert shards.look_like_labels(["1", "2", "3"])
    assert shards.look_like_labels(["a" * 64] * 2)
    assert not shards.look_like_labels(["a" * 65] * 2)
    assert not shards.look_like_labels(["a\nb"] * 2)


def test_which_labels_of_a_shard_are_taken() -> None:
    def chosen(**labels: dict[str, str]) -> Any:
        named = {name.replace("_", " "): values for name, values in labels.items()}
        kinds = {name if name == "bad" else f".{name}": one for name, one in named.items()}
        return shards.chosen_labels(shards.Contained(labels=kinds))

    one, two = {"a": "1"}, {"a": "1", "b": "2"}
    assert chosen(cls=one, json_label=two, txt=two) == (one, {}, ".cls")
    assert chosen(json_label=one, json_cls=two, bad={"c": "x"}) == (two, {"c": "x"}, ".json cls")
    assert chosen(txt=two) == (two, {}, ".txt")
    assert chosen(txt={"a": "x", "b": "y", "c": "z"}) == ({}, {}, "")
    assert chosen() == ({}, {}, "")


def test_members_of_a_tar(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind in (
            ("./a.png", tarfile.REGTYPE),
            ("folder", tarfile.DIRTYPE),
            ("link", tarfile.SYMTYPE),
            ("hard", tarfile.LNKTYPE),
            ("pipe", tarfile.FIFOTYPE),
            ("device", tarfile.CHRTYPE),
            ("block", tarfile.BLKTYPE),
            ("/root", tarfile.REGTYPE),
            ("b.png", tarfile.REGTYPE),
        ):
            entry = tarfile.TarInfo(name)
            entry.type = kind
            data = name.encode() * 200 if kind == tarfile.REGTYPE else b""
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    found = list(tars.members(path))
    assert [(one.name, one.why) for one in found] == [
        ("a.png", ""),
        ("link", "This is a link, which is not followed."),
        ("hard", "This is a link, which is not followed."),
        ("pipe", "This is a pipe, no file."),
        ("device", "This is a device, no file."),
        ("block", "This is a device, no file."),
        ("/root", "Its name leads outside."),
        ("b.png", ""),
    ]
    whole = path.read_bytes()
    for one, name in ((found[0], b"./a.png"), (found[-1], b"b.png")):
        assert (one.size, whole[one.at : one.at + one.size]) == (len(name) * 200, name * 200)
    end = found[-1].at + found[-1].size
    path.write_bytes(whole[: end - 1])
    assert list(tars.members(path))[-1].why == (
        "The tar ends in the middle of it: it is cut short."
    )
    data_end = -(-end // 512) * 512
    path.write_bytes(whole[:data_end])
    assert list(tars.members(path))[-1] == tars.Member(
        "", why=f"It is cut short or damaged after byte {data_end:,}."
    )
    path.write_bytes(whole[:data_end] + bytes(512))
    assert list(tars.members(path)) == found, "one block of zeros is an end"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"", "is an empty file: copy it again."),
        (b"\x1f\x8b", "is compressed, so that no picture in it can be reached: unpack it to a "),
        (b"BZh", "is compressed"),
        (b"\xfd7zXZ", "is compressed"),
        (b"\x28\xb5\x2f\xfd", "is compressed"),
        (b"\x89PNG\r\n\x1a\n" + bytes(600), "is no tar but a PNG picture ("),
        (b"\1\2\3" * 300, "is no tar, or it is damaged ("),
    ],
)
def test_what_is_no_tar(head: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(head)
    with pytest.raises(ValueError) as caught:
        list(tars.members(path))
    assert str(caught.value).startswith(f"{path} {said}")


# --- Parquet headers


def header(data: bytes, end: int = 100) -> parquet_files._Header:
    return parquet_files._Header(io.BytesIO(data), end)


def test_numbers_of_seven_bits_a_byte() -> None:
    assert header(b"\x7f")._number() == 127
    assert header(b"\x80\x01")._number() == 128
    assert header(b"\xff" * 9 + b"\x01")._number() == 2**64 - 1
    with pytest.raises(ValueError, match="a number that does not end"):
        header(b"\x80" * 10 + b"\x01")._number()
    with pytest.raises(ValueError, match="a header that does not end"):
        header(b"\x80")._number()
    assert [header(bytes([n]))._whole() for n in range(5)] == [0, -1, 1, -2, 2]
    header(b"ab", 2)._number()
    with pytest.raises(ValueError, match="does not end"):
        header(b"\x80\x01", 1)._number()


def test_structures_are_stepped_over_but_for_whole_numbers() -> None:
    """Thrift's compact protocol: step and kind in a byte, then the value."""
    parts = [
        b"\x15\x0a",  # field 1, i32: 5
        b"\x18\x03abc",  # field 2, binary
        b"\x11",  # field 3, true
        b"\x17" + bytes(8),  # field 4, double
        b"\x13\x07",  # field 5, byte
        b"\x19\x25\x02\x04",  # field 6, a list of two i32
        b"\x1a\xf5\x10" + b"\x02" * 16,  # field 7, a set of sixteen i32
        b"\x1c\x15\x08\x00",  # field 8, a structure
        b"\x05\x24\x06",  # field 18, i32, by its whole number: 3
        b"\x16\x03",  # field 19, i64: -2
        b"\x00",
    ]
    assert header(b"".join(parts)).structure() == {1: 5, 18: 3, 19: -2}
    with pytest.raises(ValueError, match="a header of another kind"):
        header(b"\x1b\x00").structure()


def test_structures_inside_each_other_end() -> None:
    def nested(depth: int) -> bytes:
        return b"\x1c" * depth + b"\x00" * (depth + 1)

    assert header(nested(8)).structure() == {}
    with pytest.raises(ValueError, match="a header with too much in it"):
        header(nested(9)).structure()
    lists = b"".join(b"\x19\x1c" for _ in range(9))
    with pytest.raises(ValueError, match="too much in it"):
        header(lists + b"\x00" * 30).structure()


def test_pages_are_counted_to_the_end() -> None:
    def page(kind: int, unpacked: int, packed: int) -> bytes:
        numbers = (2 * kind, 2 * unpacked, 2 * packed)
        return b"".join(b"\x15" + bytes([n]) for n in numbers) + b"\x00" + bytes(packed)

    data = b"xx" + page(2, 30, 5) + page(0, 40, 0) + page(0, 1, 9)
    found = list(parquet_files.pages(io.BytesIO(data), 2, len(data)))
    assert found == [(2, 30), (0, 40), (0, 1)]
    for end in (2, 3):
        assert len(list(parquet_files.pages(io.BytesIO(data), 2, end))) == end - 2
    with pytest.raises(ValueError, match="a page without its size"):
        list(parquet_files.pages(io.BytesIO(b"\x15\x00\x00"), 0, 3))
    with pytest.raises(ValueError, match="a page without its size"):
        list(parquet_files.pages(io.BytesIO(b"\x15\x01\x15\x02\x15\x02\x00"), 0, 7))


def test_where_a_column_s_pages_begin() -> None:
    class Chunk:
        def __init__(self, at: int, first: int | None, has: bool) -> None:
            self.data_page_offset, self.dictionary_page_offset = at, first
            self.has_dictionary_page, self.total_compressed_size = has, 50

    for at, first, has, begins in (
        (100, 60, True, 60),
        (100, 60, False, 100),
        (100, None, True, 100),
        (100, 0, True, 100),
        (100, 100, True, 100),
        (100, 120, True, 100),
        (100, -5, True, 100),
    ):
        assert parquet_files.range_of(Chunk(at, first, has)) == (begins, begins + 50)
