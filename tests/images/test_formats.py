"""What a file is, by its first bytes: named as what it is when it is no picture that is read."""

import tarfile
import zipfile
from io import BytesIO

import pytest
from hostile import PICTURES, Case, is_plain_sentence

from dino_core.images import open_picture
from dino_core.images.formats import HEAD, kind_of


def packed(name: str) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"whatever")
    return file.getvalue()


def tape() -> bytes:
    file = BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.png"))
    return file.getvalue()


def media(brand: bytes, *others: bytes, following: bytes = b"moov") -> bytes:
    body = b"ftyp" + brand + bytes(4) + b"".join(others)
    return (len(body) + 4).to_bytes(4, "big") + body + b"\0\0\1\0" + following + bytes(40)


FOREIGN = {
    "a JPEG XL picture": (b"\xff\x0a\x7f", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(9)),
    "a JPEG 2000 picture": (b"\0\0\0\x0cjP  \r\n\x87\n\0\0", b"\xff\x4f\xff\x51\0\x2f"),
    "a DICOM file": (bytes(128) + b"DICM\2\0\0\0UL", b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100"),
    "a Photoshop document": (b"8BPS\0\1" + bytes(9), b"8BPS\0\2" + bytes(9)),
    "a Targa picture": tuple(
        bytes([0, 0, kind]) + bytes(9) + b"\x32\0\x28\0\x18\0" + bytes(90) for kind in (2, 3, 10)
    ),
    "a cursor file": (b"\0\0\2\0\1\0\x20\x20\0\0",),
    "an SVG drawing": (
        b"<svg/>",
        b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg width="1"/>',
    ),
    "a PDF document": (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3",),
    "an MP4 video": (media(b"isom", b"mp41"), media(b"mp42"), media(b"avc1", following=b"free")),
    "a QuickTime video": (media(b"qt  "), b"\0\0\0\x08wide\0\0\0\0mdat", b"\0\0\7\0moov\0\0\0\0"),
    "an AVI video": (b"RIFF\x10\0\0\0AVI LIST",),
    "a Matroska or WebM video": (b"\x1a\x45\xdf\xa3\x01\0\0\0",),
    "a video": (b"\0\0\1\xba\x44" + bytes(9), b"FLV\1\5", b"G" + (bytes(187) + b"G") * 4),
    "a web page": (
        b"<!DOCTYPE html><title>404</title>",
        b"\xef\xbb\xbf\n  <html lang='en'>",
        b"<!-- saved -->\n<HTML><body>",
    ),
    "a Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n",),
    "a git-annex pointer": (
        b"/annex/objects/SHA256E-s9--4d7a.jpg\n",
        b"../.git/annex/objects/Vx/K0/SHA256E-s9--4d7a.jpg/SHA256E-s9--4d7a.jpg",
    ),
    "a zip": (packed("a.png"),),
    "an Office document": (packed("word/document.xml"), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0"),
    "a tar archive": (tape(),),
    "a RAR archive": (b"Rar!\x1a\x07\1\0",),
    "a gzip archive": (b"\x1f\x8b\x08\0",),
    "a text file": (b"cats;1.jpg\n", "Größe in Ä".encode(), b"\xff\xfea\0b\0", "é".encode() * 700),
    "an XML file": (b"<?xml version='1.0'?><annotation><object/></annotation>",),
    "a program": (b"\x7fELF\2\1\1", b"MZ\x90\0\3"),
    "a NumPy array": (b"\x93NUMPY\1\0v\0{'descr'",),
    "a NIfTI volume": (b"\x5c\1\0\0" + bytes(340) + b"n+1\0",),
    "a file of nothing but zeros": (bytes(5000),),
    "the beginning of an AVIF picture": (media(b"avif", following=bytes(4)),),
    "what macOS keeps beside a file": (b"\0\5\x16\7\0\2\0\0Mac OS X",),
    "a Netpbm picture": (b"P6\n2 2\n255\n" + bytes(12), b"P5 1 1 255 \0"),
    "an OpenEXR picture": (b"v/1\x01\2\0\0\0",),
    "a FITS file": (b"SIMPLE  =                    T",),
}


@pytest.mark.parametrize(
    ("name", "data"), [(name, data) for name, every in FOREIGN.items() for data in every]
)
def test_what_is_not_read_is_named_as_what_it_is(name: str, data: bytes) -> None:
    with pytest.raises(ValueError, match="which is not read here: ") as caught:
        open_picture(data)
    assert f"This is {name}" in str(caught.value)
    assert is_plain_sentence(str(caught.value))


@pytest.mark.parametrize("case", PICTURES, ids=lambda case: case.name)
def test_what_is_read_is_known_by_its_content(case: Case) -> None:
    kind = kind_of(case.build()[:HEAD])
    assert kind is not None
    assert kind.decoder


@pytest.mark.parametrize("data", [b"\1\2\3\4", b"\x80\xff" * 40, b"BM and more\0words \xfe\xff"])
def test_what_is_known_to_nobody_is_no_picture(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"damaged or no picture: JPEG, PNG, .* is wanted"):
        open_picture(data)
