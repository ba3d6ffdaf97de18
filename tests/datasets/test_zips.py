"""Zips as systems and people make them: names, damage and malice, one member at a time."""

import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest
from tiny_runs import picture, zipped

from dino_core.datasets import MAX_RATIO, find_pictures, zips
from dino_core.datasets.zips import guess_letters

GOOD = {"cats/1.png": picture(0), "dogs/1.png": picture(1)}


def raw_zip(
    path: Path, members: list[tuple[bytes, bytes]], *, flags: int = 0, **more: bytes
) -> Path:
    """A zip with names as bytes, as programs write them that know nothing of Unicode."""
    body, directory = b"", b""
    extra = more.get("extra", b"")
    for name, data in members:
        fields = struct.pack(
            "<HHHHHIII", 20, flags, 0, 0, 33, zlib.crc32(data), len(data), len(data)
        )
        lengths = struct.pack("<HH", len(name), 0)
        at = len(body)
        body += b"PK\x03\x04" + fields + lengths + name + data
        lengths = struct.pack("<HH", len(name), len(extra))
        tail = struct.pack("<HHHII", 0, 0, 0, 0, at)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + fields + lengths + tail + name + extra
    count, start = len(members), len(body)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), start, 0)
    path.write_bytes(body + directory + end)
    return path


# --- names


@pytest.mark.parametrize("folder", ["", "data\\", "train\\"])
def test_backslashes_of_windows_are_slashes(tmp_path, folder):
    members = [(f"{folder}{c}\\{i}.png".encode(), picture(i)) for c in ("a", "b") for i in range(2)]
    members.append((f"{folder}a\\".encode(), b""))  # a folder of its own
    found = find_pictures(raw_zip(tmp_path / "z.zip", members))
    assert found.classes == ("a", "b")
    assert found.labels == (0, 0, 1, 1)
    assert found.left_out == ()
    assert found.read(1) == picture(1)
    alone = find_pictures(tmp_path / "z.zip").subset([3])
    assert (alone.names[0].rpartition("/")[2], alone.read(0)) == ("1.png", picture(1))


@pytest.mark.parametrize(
    ("letters", "classes"),
    [
        ("cp437", ("Café", "Größe")),
        ("utf-8", ("Café", "Größe")),
        ("utf-8", ("猫", "犬")),
        ("cp932", ("ねこ", "いぬ")),
        ("cp932", ("三毛猫", "柴犬")),
        ("cp437", ("naïve", "Zürich")),
    ],
)
def test_names_in_the_letters_of_a_country(tmp_path, letters, classes):
    members = [(f"{c}/{i}.png".encode(letters), picture(i)) for c in classes for i in range(2)]
    found = find_pictures(raw_zip(tmp_path / "z.zip", members))
    assert found.classes == tuple(sorted(classes))
    assert [found.picture(i).size for i in range(4)] == [(24, 20)] * 4


def test_letters_that_make_no_sense_as_words_are_the_old_ones():
    for names in (["été"], ["Zürich"], ["éa"], ["ñandú", "Öl"]):
        assert guess_letters([name.encode("cp437") for name in names]) == "cp437"


def test_a_name_in_unicode_beside_the_old_one(tmp_path):
    old, new = b"_____/1.png", "Übung/1.png".encode()
    body = b"\x01" + struct.pack("<I", zlib.crc32(old)) + new
    extra = struct.pack("<HH", 0x7075, len(body)) + body
    found = find_pictures(raw_zip(tmp_path / "z.zip", [(old, picture(0))], extra=extra))
    assert found.names == ("Übung/1.png",)


def test_a_name_in_unicode_that_belongs_to_another_does_not_count(tmp_path):
    """A program that knew nothing of it has renamed the file, and left the old one beside it."""
    body = b"\x01" + struct.pack("<I", zlib.crc32(b"old/1.png")) + b"other/1.png"
    extra = struct.pack("<HH", 0x7075, len(body)) + body
    found = find_pictures(raw_zip(tmp_path / "z.zip", [(b"new/1.png", picture(0))], extra=extra))
    assert found.names == ("new/1.png",)


def test_what_macos_adds_is_passed_over_and_its_accents_are_joined(tmp_path):
    name = unicodedata.normalize("NFD", "Café/1.png")
    contents = {name: picture(0), "x/1.png": picture(1), "__MACOSX/x/._1.png": b"\0\5\x16\7"}
    contents |= {"x/.DS_Store": b"", "x/._2.png": b"\0\5\x16\7"}
    found = find_pictures(zipped(tmp_path / "z.zip", contents))
    assert found.classes == (unicodedata.normalize("NFC", "Café"), "x")
    assert (found.left_out, found.read(0)) == ((), picture(0))


# --- members that leave themselves out


@pytest.mark.parametrize(
    "name",
    ["../out.png", "a/../../out.png", "/etc/out.png", "..\\out.png", "C:/out.png", "C:\\o.png",
     "cats\\..\\..\\o.png", "\\\\server\\o.png"],
)  # fmt: skip
def test_names_that_lead_outside_leave_themselves_out(tmp_path, name):
    path = raw_zip(tmp_path / "bad.zip", [*((n.encode(), d) for n, d in GOOD.items()),
                                          (name.encode(), picture(2))])  # fmt: skip
    found = find_pictures(path)
    assert (found.names, found.classes) == (tuple(GOOD), ("cats", "dogs"))
    assert [why for _, why in found.left_out] == ["Its name leads outside."]


@pytest.mark.parametrize("name", ["cats/\x1b[2J.png", "a\nb.png", "x" * 300 + ".png"])
def test_names_that_no_file_has_leave_themselves_out(tmp_path, name):
    found = find_pictures(zipped(tmp_path / "z.zip", {**GOOD, name: picture(2)}))
    assert found.names == tuple(GOOD)
    ((shown, why),) = found.left_out
    assert why == "Its name is none that a file may have."
    assert shown.isprintable()


def test_a_bomb_leaves_itself_out_and_is_never_unpacked(tmp_path):
    bomb = bytes(MAX_RATIO * 2**16)
    path = zipped(tmp_path / "z.zip", {**GOOD, "cats/2.png": bomb}, zipfile.ZIP_DEFLATED)
    found = find_pictures(path)
    assert found.names == tuple(GOOD)
    assert "times what it occupies" in found.left_out[0][1]
    alone = zipped(tmp_path / "alone.zip", {"a.png": bomb}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="times what it occupies"):
        find_pictures(alone)


@pytest.mark.parametrize("lacking", [1, None])
def test_all_together_unpack_to_so_much_and_no_more(tmp_path, monkeypatch, lacking):
    """The limit is reached exactly by two, or a single byte short by the third."""
    contents = {f"{i}.png": picture(i) for i in range(3)}
    sizes = [len(data) for data in contents.values()]
    monkeypatch.setattr(zips, "MAX_TOTAL", sum(sizes) - (lacking or sizes[2]))
    found = find_pictures(zipped(tmp_path / "z.zip", contents))
    assert found.names == ("0.png", "1.png")
    ((name, why),) = found.left_out
    assert name == "2.png"
    assert why.startswith("Together the files would unpack to")


def test_many_names_for_the_same_bytes_are_one_file(tmp_path):
    """Each entry is harmless; together they would unpack to hundreds of times the file."""
    single = zipped(tmp_path / "one.zip", {"0000.png": picture(0)}, zipfile.ZIP_DEFLATED)
    raw = single.read_bytes()
    directory, end = raw.index(b"PK\x01\x02"), raw.index(b"PK\x05\x06")
    entry, count = raw[directory:end], 400
    entries = b"".join(entry.replace(b"0000.png", b"%04d.png" % i) for i in range(count))
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(entries), directory, 0)
    path = tmp_path / "bomb.zip"
    path.write_bytes(raw[:directory] + entries + tail)
    assert len(zipfile.ZipFile(path).infolist()) == count
    found = find_pictures(path)
    assert found.names == ("0000.png",)
    assert {why for _, why in found.left_out} == {"It shares its bytes with another."}
    assert len(found.left_out) == count - 1


def test_a_second_file_of_a_name_leaves_itself_out(tmp_path):
    members = [
        (b"cats/1.png", picture(0)),
        (b"dogs/1.png", picture(1)),
        (b"cats\\1.png", picture(2)),
    ]
    found = find_pictures(raw_zip(tmp_path / "z.zip", members))
    assert found.left_out == (("cats/1.png", "A second file of this name."),)
    assert found.read(0) == picture(0)


def changed(path: Path, name: bytes, at: int, value: bytes) -> Path:
    """A field of one member's headers, counted from the field `flags`, in both places."""
    data = bytearray(path.read_bytes())
    for mark, flags, header in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        start = data.index(name) if mark == b"PK\x03\x04" else data.rindex(name)
        assert data[start - header : start - header + 4] == mark
        place = start - header + flags + at
        data[place : place + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (0, b"\1\0", "locked with a password"),
        (0, b"\x09\x08", "locked with a password"),  # and named in UTF-8
        (2, struct.pack("<H", 9), "packed by Deflate64"),
        (2, struct.pack("<H", 99), "packed by AES"),
        (2, struct.pack("<H", 77), "packed by method 77"),
    ],
)
def test_what_cannot_be_unpacked_leaves_itself_out(tmp_path, at, value, words):
    path = zipped(tmp_path / "z.zip", {**GOOD, "cats/bad.png": picture(2)})
    found = find_pictures(changed(path, b"cats/bad.png", at, value))
    assert found.names == tuple(GOOD)
    assert found.left_out[0][0] == "cats/bad.png"
    assert words in found.left_out[0][1]


def test_a_zip_that_is_locked_as_a_whole_is_said(tmp_path):
    path = zipped(tmp_path / "z.zip", {"a.png": picture(2)})
    with pytest.raises(ValueError, match="locked with a password: unlock it first"):
        find_pictures(changed(path, b"a.png", 0, b"\1\0"))


def test_a_link_in_a_zip_is_not_followed(tmp_path):
    path = zipped(tmp_path / "z.zip", GOOD)
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("cats/2.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "../../etc/passwd")
    found = find_pictures(path)
    assert found.left_out == (("cats/2.png", "This is a link, which is not followed."),)


def test_a_zip_in_a_zip_is_named(tmp_path):
    inner = zipped(tmp_path / "inner.zip", GOOD).read_bytes()
    found = find_pictures(zipped(tmp_path / "z.zip", {**GOOD, "more.zip": inner}))
    assert found.left_out == (("more.zip", "This is a zip."),)


def test_a_wrong_checksum_is_met_when_it_is_read_and_stops_nothing(tmp_path):
    path = zipped(tmp_path / "z.zip", {**GOOD, "cats/bad.png": picture(2)})
    data = bytearray(path.read_bytes())
    data[data.index(b"cats/bad.png") + 60] ^= 255
    path.write_bytes(data)
    found = find_pictures(path)
    assert found.names == ("cats/1.png", "cats/bad.png", "dogs/1.png")
    with pytest.raises(ValueError, match="does not give this file out: Bad CRC-32"):
        found.read(1)
    assert found.picture(2).size == (24, 20)


def test_damaged_packing_is_said(tmp_path):
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


def test_a_size_that_is_a_lie_gives_a_sentence_not_the_bytes(tmp_path):
    path = zipped(tmp_path / "lie.zip", {"a.png": bytes(100_000)}, zipfile.ZIP_DEFLATED)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(struct.pack("<I", 100_000), struct.pack("<I", 10)))
    with pytest.raises(ValueError):
        find_pictures(path).picture(0)


# --- zips as a whole


@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_zip_that_is_cut_short_is_said(tmp_path, share):
    path = zipped(tmp_path / "z.zip", GOOD)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ValueError, match=r"cut short or damaged.*download or copy it again"):
        find_pictures(path)


def test_a_zip_for_more_than_four_gigabytes_is_read(tmp_path):
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for name, data in GOOD.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
    found = find_pictures(path)
    assert [found.read(i) for i in range(2)] == list(GOOD.values())


@pytest.mark.parametrize("at", range(0, 300, 3))
def test_any_changed_byte_costs_members_or_the_zip_but_says_so(tmp_path, at):
    path = zipped(tmp_path / "z.zip", GOOD, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    data[-1 - at % len(data)] ^= 0x5A
    path.write_bytes(data)
    words = ""
    try:
        found = find_pictures(path)
        for i in range(len(found)):
            found.read(i)
    except ValueError as error:
        words = str(error)
    assert words == "" or len(words) > 20
