"""What names a set in many files, and what is refused of folders and zips, value by value."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_runs import picture

from dino_core.datasets import containers, contents, folders, patterns, zips

# --- sets in many files


def test_sentences_on_where_labels_come_from() -> None:
    for kind, file, said in (
        (".cls", "", "The labels are those of .cls files beside the pictures."),
        (".txt", "", "The labels are those of .txt files beside the pictures."),
        (
            ".json label",
            "",
            "The labels are those of .json label in the files beside the pictures.",
        ),
        ("the column label", "", "The labels are those of the column label."),
        (
            ".cls",
            "classes.txt",
            "The labels are those of .cls files beside the pictures, the names those of "
            "classes.txt.",
        ),
    ):
        assert containers._label_sentence(kind, file) == said


def tar_of(path: Path, *names: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name in names:
            data = picture(len(name)) if name.endswith(".png") else b"1"
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def test_what_names_files_that_hold_pictures(tmp_path: Path) -> None:
    table = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"path": ["a"], "label": ["b"]}), table)
    held = tmp_path / "held.parquet"
    pq.write_table(pa.table({"image": [b"x"]}), held)
    one = tar_of(tmp_path / "x" / "a-0.tar", "1.png")
    two = tar_of(tmp_path / "y" / "a-1.tar", "1.png")
    packed = tmp_path / "b.tar.gz"
    packed.touch()
    for path in (table, tmp_path / "none.tar", tmp_path / "none.parquet", tmp_path):
        assert containers.named_source(path) is None, path
    for path, shards_ in ((held, False), (one, True), (packed, True)):
        source = containers.named_source(path)
        assert source is not None
        assert (source.path, source.root, source.files) == (path, path.parent, (path.name,))
        assert source.shards == (shards_ or path.suffix == ".gz")
    pattern = containers.named_source(tmp_path / "*" / "a-*.tar")
    assert pattern is not None
    assert (pattern.root, pattern.files) == (tmp_path, ("x/a-0.tar", "y/a-1.tar"))
    (tmp_path / "a.txt").touch()
    for wrong in ("{held.parquet,x/a-0.tar}", "{a.txt,a.txt}"):
        with pytest.raises(ValueError, match="should name shards: files that all end in"):
            containers.named_source(tmp_path / wrong)
    assert two.is_file()


def test_shards_are_a_set_where_they_hold_more_than_lies_loose(tmp_path: Path) -> None:
    held, label = tmp_path / "t.parquet", tmp_path / "l.parquet"
    pq.write_table(pa.table({"image": [b"x"] * 3}), held)
    pq.write_table(pa.table({"path": ["a"] * 9}), label)

    def found(**files: Any) -> Any:
        return containers.source_in(tmp_path, contents.Listing(**files))

    assert found(shards={"a.tar": 9}, pictures={"b.png": 9}) is None
    left = [("x.txt", "Why."), ("classes.txt", "This is a text file.")]
    source = found(
        shards={"b.tar": 5, "a.tar": 5}, pictures={"b.png": 9}, tables={"c.csv": 1}, left_out=left
    )
    assert source.files == ("a.tar", "b.tar")
    beside = "It lies beside the files that hold the pictures."
    assert sorted(source.left_out) == [("b.png", beside), ("c.csv", beside), ("x.txt", "Why.")]
    tables_ = {"t.parquet": 1, "l.parquet": 1, "c.csv": 1}
    assert found(tables=tables_, pictures={str(n): 1 for n in range(3)}) is None
    source = found(tables=tables_, pictures={"1": 1, "2": 1})
    assert source.files == ("t.parquet",)
    assert {name for name, _ in source.left_out} == {"l.parquet", "c.csv", "1", "2"}
    assert found() is None


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("a{0..2}", ["a0", "a1", "a2"]),
        ("a{08..10}b", ["a08b", "a09b", "a10b"]),
        ("{2..0}", ["2", "1", "0"]),
        ("{0..5..2}", ["0", "2", "4"]),
        ("{5..0..2}", ["5", "3", "1"]),
        ("{0..4..2}", ["0", "2", "4"]),
        ("{0..1..0}", ["0", "1"]),
        ("{x,y}{1..2}", ["x1", "x2", "y1", "y2"]),
        ("{x,}", ["x", ""]),
        ("plain", ["plain"]),
        ("{0..0}", ["0"]),
        ("{9..10}", ["9", "10"]),
        ("{00..1}", ["00", "01"]),
    ],
)
def test_patterns_of_braces(pattern: str, texts: list[str]) -> None:
    assert patterns.expanded(pattern) == texts


def test_what_patterns_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"has \{x\}, which is neither a range such as \{000"):
        patterns.expanded("{x}")
    monkeypatch.setattr(patterns, "MAX_FILES", 6)
    assert len(patterns.expanded("{1..3}{1,2}")) == 6
    for pattern in ("{1..7}", "{1..2}{1..4}"):
        with pytest.raises(ValueError, match="names more than 6 files"):
            patterns.expanded(pattern)
    for name in ("a-1", "a-3", "b"):
        (tmp_path / name).touch()
    for pattern, said in (
        ("a-{1..2}", "Of the 2 files that {} names 1 are there: a-2 are not."),
        ("a-{1..6}", "Of the 6 files that {} names 2 are there: a-2, a-4, a-5 and 1 more are not."),
        ("a-{3..6}", "Of the 4 files that {} names 1 are there: a-4, a-5, a-6 are not."),
    ):
        with pytest.raises(ValueError) as caught:
            patterns.matching_files(tmp_path / pattern)
        assert str(caught.value).startswith(said.format(tmp_path / pattern))
    with pytest.raises(ValueError, match="There is no file of the pattern"):
        patterns.matching_files(tmp_path / "c*")
    found = patterns.matching_files(tmp_path / "{a-3,b,a-3}")
    assert [path.name for path in found] == ["a-3", "b"]
    assert [path.name for path in patterns.matching_files(tmp_path / "a-*")] == ["a-1", "a-3"]
    (tmp_path / "a[1]").touch()
    for name, is_one in (("a[1]", False), ("a[2]", True), ("a?", True), ("x", False), ("{", False)):
        assert patterns.is_pattern(tmp_path / name) is is_one


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("https://x/a.tar", "an address"),
        ("s3://x", "an address"),
        ("file:x", "an address"),
        ("Pipe:touch x", "a command"),
        ("data:x", "an address"),
        ("c:/x", ""),
        ("a/b:/c", ""),
        ("x:y", ""),
    ],
)
def test_addresses_and_commands(text: str, what: str) -> None:
    assert patterns.is_address(text) is bool(what)
    if what:
        with pytest.raises(ValueError, match=f"is {what}, which is never followed: copy the set"):
            patterns.refuse_address(text)
    else:
        patterns.refuse_address(text)


# --- folders and zips


def test_folders_and_links_that_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    (tmp_path / "locked").mkdir()
    (tmp_path / ".git").mkdir()
    (inside / "1.png").write_bytes(picture(0))
    (inside / ".hidden.png").write_bytes(picture(0))
    (tmp_path / "to folder").symlink_to(inside)
    (tmp_path / "to file.png").symlink_to(inside / "1.png")
    (tmp_path / "to nothing").symlink_to(tmp_path / "none")
    scan = folders.os.scandir

    def scandir(path: Path) -> Any:
        if str(path).rstrip("/").endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(folders.os, "scandir", scandir)
    found = folders.list_folder(tmp_path)
    assert set(found.pictures) == {"a/b/1.png", "to file.png"}
    assert sorted(found.left_out) == [
        ("locked/", "The folder cannot be read: Permission denied."),
        ("to folder", "This is a link to a folder, which is not followed."),
        ("to nothing", "This is a link to a file that is not there."),
    ]
    with pytest.raises(ValueError, match="locked cannot be read: Permission denied"):
        folders.list_folder(tmp_path / "locked")
    monkeypatch.setattr(folders, "MAX_FILES", 2)
    folders.list_folder(tmp_path)
    monkeypatch.setattr(folders, "MAX_FILES", 1)
    with pytest.raises(ValueError, match="has more than 1 pictures: choose a part of it"):
        folders.list_folder(tmp_path)


def entry_of(**values: Any) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("a.png")
    entry.file_size = entry.compress_size = 2000
    for name, value in values.items():
        setattr(entry, name, value)
    return entry


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, ""),
        ({"compress_type": 8}, ""),
        ({"compress_type": 12}, ""),
        ({"compress_type": 14}, ""),
        ({"compress_type": 9}, "It is packed by Deflate64, which is not read here: make the zip "
         "anew."),
        ({"compress_type": 93}, "It is packed by Zstandard, which is not read here: make the zip "
         "anew."),
        ({"compress_type": 7}, "It is packed by method 7, which is not read here: make the zip "
         "anew."),
        ({"external_attr": 0o120777 << 16}, "This is a link, which is not followed."),
        ({"external_attr": 0o100644 << 16}, ""),
        ({"flag_bits": 1}, "It is locked with a password."),
        ({"flag_bits": 2}, ""),
        ({"file_size": 200 * 2000}, ""),
        ({"file_size": 200 * 2000 + 1}, "It would unpack to 0 MB, 200 times what it occupies."),
        ({"file_size": 200 * 1024, "compress_size": 1}, ""),
        ({"file_size": 3 << 20, "compress_size": 0}, "It would unpack to 3 MB, 3145728 times what "
         "it occupies."),
    ],
)  # fmt: skip
def test_objections_to_members_of_a_zip(values: dict[str, Any], said: str) -> None:
    assert zips._objection("a.png", entry_of(**values)) == said
    assert zips._objection("../a", entry_of(**values)) == "Its name leads outside."


def test_members_that_share_their_bytes() -> None:
    one, two, three = (entry_of(header_offset=at, compress_size=70) for at in (0, 100, 150))
    assert zips._sharing([three, one, two]) == {three}
    inside = entry_of(header_offset=99, compress_size=1)
    assert zips._sharing([inside, one]) == {inside}
    assert zips._sharing([two, one]) == set(), "one begins where the other ends"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"PK\x03\x04", "is a zip that is cut short or damaged, so that its table of contents, at"),
        (b"\1\2\3", "is no zip, or it is damaged: name a folder or zip with pictures ("),
        (b"\x89PNG\r\n\x1a\n", "is no zip but a PNG picture: name a folder or zip with pictures ("),
        (b"%PDF", "is no zip but a PDF document: export the page as PNG or JPEG ("),
    ],
)
def test_what_is_no_zip(head: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(head)
    with pytest.raises(ValueError) as caught:
        zips.Archive(path)
    assert str(caught.value).startswith(f"{path} {said}")
    with pytest.raises(ValueError, match="cannot be read"):
        zips.Archive(tmp_path / "none.zip")
