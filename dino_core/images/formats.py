"""What a file is, by its first bytes. Endings are not asked: they are often wrong, or missing.

    kind_of(head)      the kind, None where nothing is known of it
    refusal(head)      the sentence for a file that is not read

The signatures are those of the formats' own specifications.
"""

from dataclasses import dataclass

HEAD = 1024  # bytes that are enough to tell


@dataclass(frozen=True)
class Kind:
    """A kind of file. `decoder` says who reads it; empty for what is not read here."""

    name: str  # with its article, as in: a PNG picture
    decoder: str = ""
    advice: str = "export it as PNG or JPEG"


READ = "JPEG, PNG, WebP, GIF, TIFF, BMP, HEIC or AVIF"

JPEG = Kind("a JPEG picture", "JPEG")
PNG = Kind("a PNG picture", "PNG")
WEBP = Kind("a WebP picture", "WEBP")
GIF = Kind("a GIF picture", "GIF")
TIFF = Kind("a TIFF picture", "TIFF")
BMP = Kind("a BMP picture", "BMP")
HEIF = Kind("a HEIC picture", "HEIF")
AVIF = Kind("an AVIF picture", "AVIF")
RAW = Kind("a camera's raw file", "RAW")

EMPTY = Kind("an empty file", advice="save or download it again")
ZEROS = Kind(
    "a file of nothing but zeros",
    advice="it was not copied or downloaded to its end, so do that again",
)
LFS = Kind(
    "a Git LFS pointer, the stand-in for a file that was not downloaded",
    advice="fetch the files themselves with git lfs pull",
)
ANNEX = Kind(
    "a git-annex pointer, the stand-in for a file that was not downloaded",
    advice="fetch the files themselves with git annex get",
)
PAGE = Kind("a web page", advice="it was saved in place of a picture, so download the picture")
SVG = Kind("an SVG drawing")
ZIP = Kind("a zip", advice="unpack it, or give it as the data itself")
OFFICE = Kind("an Office document", advice="save the pictures in it as PNG or JPEG")
TEXT = Kind("a text file", advice="a picture is wanted")
VIDEO = Kind("a video", advice="export single frames as PNG or JPEG")
MP4 = Kind("an MP4 video", advice=VIDEO.advice)
QUICKTIME = Kind("a QuickTime video", advice=VIDEO.advice)
SOUND = Kind("a sound file", advice="a picture is wanted")
TARGA = Kind("a Targa picture (TGA)")
PROGRAM = Kind("a program", advice="a picture is wanted")
ARCHIVE = Kind("a packed archive", advice="unpack it, and give the folder or a zip of it")

_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"FUJIFILMCCD-RAW", RAW),  # RAF
    (b"IIRO", RAW), (b"IIRS", RAW), (b"MMOR", RAW),  # ORF
    (b"IIU\0", RAW),  # RW2
    (b"\0MRM", RAW), (b"FOVb", RAW),  # MRW, X3F
    (b"II*\0", TIFF), (b"MM\0*", TIFF), (b"II+\0", TIFF), (b"MM\0+", TIFF),
    (b"\xff\x0a", Kind("a JPEG XL picture")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Kind("a JPEG XL picture")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Kind("a JPEG 2000 picture")),
    (b"\xff\x4f\xff\x51", Kind("a JPEG 2000 picture")),
    (b"8BPS", Kind("a Photoshop document (PSD)")),
    (b"gimp xcf", Kind("a GIMP document (XCF)")),
    (b"%PDF", Kind("a PDF document", advice="export the page as PNG or JPEG")),
    (b"%!PS", Kind("a PostScript document", advice="export the page as PNG or JPEG")),
    (b"\xc5\xd0\xd3\xc6", Kind("a PostScript document", advice="export the page as PNG or JPEG")),
    (b"AT&TFORM", Kind("a DjVu document", advice="export the page as PNG or JPEG")),
    (b"v/1\x01", Kind("an OpenEXR picture")),
    (b"#?RADIANCE", Kind("a Radiance HDR picture")),
    (b"#?RGBE", Kind("a Radiance HDR picture")),
    (b"DDS ", Kind("a DirectDraw texture (DDS)")),
    (b"\0\0\x01\0", Kind("an icon file (ICO)")),
    (b"\0\0\x02\0\0\0", TARGA), (b"\0\0\x0a\0\0\0", TARGA), (b"\0\0\x03\0\0\0", TARGA),
    (b"\0\0\x02\0", Kind("a cursor file (CUR)")),  # which holds one or more
    (b"icns", Kind("an icon file (ICNS)")),
    (b"\xd7\xcd\xc6\x9a", Kind("a Windows drawing (WMF)")),
    (b"SIMPLE  =", Kind("a FITS file of astronomy")),
    (b"\x89HDF\r\n\x1a\n", Kind("an HDF5 file of numbers")),
    (b"CDF\x01", Kind("a NetCDF file of numbers")), (b"CDF\x02", Kind("a NetCDF file of numbers")),
    (b"\x93NUMPY", Kind("a NumPy array")),
    (b"MATLAB 5.0", Kind("a MATLAB file of numbers")),
    (b"PAR1", Kind("a Parquet table", advice="a picture is wanted")),
    (b"SQLite format 3\0", Kind("a database", advice="a picture is wanted")),
    (b"PK\x03\x04", ZIP), (b"PK\x05\x06", ZIP), (b"PK\x07\x08", ZIP),
    (b"Rar!\x1a\x07", Kind("a RAR archive", advice=ARCHIVE.advice)),
    (b"7z\xbc\xaf\x27\x1c", Kind("a 7z archive", advice=ARCHIVE.advice)),
    (b"\x1f\x8b", Kind("a gzip archive", advice=ARCHIVE.advice)),
    (b"BZh", ARCHIVE), (b"\xfd7zXZ\0", ARCHIVE), (b"\x28\xb5\x2f\xfd", ARCHIVE),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OFFICE),
    (b"\x1a\x45\xdf\xa3", Kind("a Matroska or WebM video", advice=VIDEO.advice)),
    (b"\0\0\x01\xba", VIDEO), (b"\0\0\x01\xb3", VIDEO), (b"FLV\x01", VIDEO),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind("a Windows Media video", advice=VIDEO.advice)),
    (b"OggS", Kind("an Ogg video or sound file", advice=VIDEO.advice)),
    (b"ID3", SOUND), (b"fLaC", SOUND),
    (b"\x7fELF", PROGRAM), (b"MZ", PROGRAM), (b"\xcf\xfa\xed\xfe", PROGRAM),
    (b"\xca\xfe\xba\xbe", PROGRAM),
    (b"L\0\0\0\x01\x14\x02\0", Kind("a Windows shortcut", advice="give the file that it means")),
    (b"book\0\0\0\0mark", Kind("a macOS alias", advice="give the file that it means")),
    (b"\0\x05\x16\x07", Kind("what macOS keeps beside a file", advice="give the file itself")),
    (b"version https://git-lfs", LFS),
    (b"/annex/objects/", ANNEX),
    (b"\xff\xfe", TEXT), (b"\xfe\xff", TEXT),
)  # fmt: skip

# The brand of an ISO media file, which HEIC, AVIF and most videos are.
_HEIF_BRANDS = {
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1",
}  # fmt: skip
_AVIF_BRANDS = {b"avif", b"avis"}
_MEDIA_BOXES = {
    b"meta", b"mdat", b"moov", b"free", b"skip", b"uuid", b"wide", b"pnot", b"idat", b"pdin",
    b"jumb", b"styp", b"moof", b"sidx", b"ftyp", b"etyp", b"mini",
}  # fmt: skip


def kind_of(head: bytes) -> Kind | None:
    """The kind of the file that begins so, of at most `HEAD` bytes; None where it is not known."""
    if not head:
        return EMPTY
    for start, kind in _STARTS:
        if head.startswith(start):
            return _closer(head, kind)
    for look in (_riff, _media, _bmp, _by_place, _netpbm, _text):
        found = look(head)
        if found is not None:
            return found
    return ZEROS if not head.strip(b"\0") else None


def refusal(head: bytes) -> str:
    """A sentence on a file that is no picture, or none that is read here."""
    kind = kind_of(head)
    if kind is EMPTY:
        return "The file is empty: choose a picture file."
    if kind is None:
        return f"This file is damaged or no picture: {READ} is wanted."
    if kind.decoder:
        return f"This is {kind.name}, but it is damaged: save or download it again."
    return f"This is {kind.name}, which is not read here: {kind.advice}."


def _closer(head: bytes, kind: Kind) -> Kind:
    """What a second look at a file of that kind shows."""
    if kind is TIFF and head[8:10] == b"CR":  # Canon's CR2
        return RAW
    if kind is ZIP and any(
        mark in head for mark in (b"[Content_Types]", b"word/", b"ppt/", b"xl/", b"opendocument")
    ):
        return OFFICE
    return kind


def _riff(head: bytes) -> Kind | None:
    if head[:4] not in (b"RIFF", b"RIFX"):
        return None
    if head[8:12] == b"WEBP":
        return WEBP
    if head[8:12] == b"AVI ":
        return Kind("an AVI video", advice=VIDEO.advice)
    return SOUND if head[8:12] == b"WAVE" else None


def _media(head: bytes) -> Kind | None:
    """HEIC, AVIF and videos: boxes, each with its length and four letters."""
    if head[4:8] in (b"moov", b"mdat", b"wide", b"pnot", b"skip"):
        return QUICKTIME  # from before there were brands
    if head[4:8] != b"ftyp":
        return None
    length = int.from_bytes(head[:4], "big")
    brand = head[8:12]
    brands = {brand, *(head[at : at + 4] for at in range(16, min(length, len(head)), 4))}
    following = head[length + 4 : length + 8]
    if following and len(following) == 4 and following not in _MEDIA_BOXES:
        if brands & (_HEIF_BRANDS | _AVIF_BRANDS):
            name = "AVIF" if brands & _AVIF_BRANDS else "HEIC"
            return Kind(
                f"the beginning of {'an' if name == 'AVIF' else 'a'} {name} picture without the "
                f"rest",
                advice="save or download it again",
            )
        return MP4
    if brand == b"crx ":
        return RAW  # Canon's CR3
    if brands & _AVIF_BRANDS:
        return AVIF
    if brands & _HEIF_BRANDS:
        return HEIF
    if brand == b"jxl ":
        return Kind("a JPEG XL picture")
    if brand == b"qt  ":
        return QUICKTIME
    return SOUND if brand[:3] == b"M4A" else MP4


def _bmp(head: bytes) -> Kind | None:
    # Two letters are also the beginning of many a text: the header's length must be a known one.
    lengths = (12, 40, 52, 56, 64, 108, 124)
    return BMP if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in lengths else None


def _by_place(head: bytes) -> Kind | None:
    """Kinds that are told by bytes in the middle."""
    dicom = Kind("a DICOM file of a medical scanner")
    if head[128:132] == b"DICM" or head[:4] == b"\x08\0\x05\0":  # with its preamble, and without
        return dicom
    if head[344:347] in (b"n+1", b"ni1"):
        return Kind("a NIfTI volume of a medical scanner", advice="export slices as PNG or JPEG")
    if head[257:262] == b"ustar":
        return Kind("a tar archive", advice=ARCHIVE.advice)
    if head[:1] == b"\x47" and head[188:189] == b"\x47" and head[376:377] == b"\x47":
        return VIDEO  # an MPEG transport stream
    if head[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        return Kind("a pickle of Python", advice="a picture is wanted")
    return None


def _netpbm(head: bytes) -> Kind | None:
    if head[:1] == b"P" and head[1:2] in b"1234567Ff" and head[2:3].isspace():
        return Kind("a Netpbm picture (PGM, PPM)")
    return None


def _text(head: bytes) -> Kind | None:
    """Words, and what is written in words: web pages, drawings, pointers."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not just a sign cut in half at the end
            return _html(head.decode("latin-1"))
        text = head[: error.start].decode("utf-8-sig")
    if any(sign < " " and sign not in "\t\n\r\f\v\x1b" for sign in text):
        return _html(text)
    if ".git/annex/objects" in text:
        return ANNEX
    return _html(text) or TEXT


def _html(text: str) -> Kind | None:
    start = text.lstrip("\ufeff \t\r\n").lower()
    if "<svg" in start:
        return SVG
    if start.startswith(("<!doctype html", "<html", "<head", "<script")):
        return PAGE
    if start.startswith("<") and ("<html" in start or "<body" in start):
        return PAGE
    if start.startswith("<?xml"):
        return Kind("an XML file", advice="a picture is wanted")
    return None
