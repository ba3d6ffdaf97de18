"""open_picture: a picture that is right, or a sentence, whatever comes."""

import subprocess
import sys
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from hostile import (
    CASES,
    PAGE_BYTES,
    PICTURES,
    REFUSED,
    Case,
    exif,
    four_colours,
    heic,
    is_plain_sentence,
    jpeg,
    noise,
    saved,
    several_pages,
    with_exif,
    write_files,
)
from PIL import Image, ImageFile

from dino_core.images import notes_of, open_picture, readers


def in_three_scans(data: bytes) -> bytes:
    """A JPEG whose first scan says that it holds one colour of the three."""
    at = data.index(b"\xff\xda")
    scan = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0"
    return data[:at] + scan + data[at + 14 :]


ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _no_warnings():
    """Nothing that Pillow remarks on may reach the person, whatever the process does with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def picture_or_sentence(data: bytes) -> Image.Image | str:
    try:
        return open_picture(data)
    except ValueError as error:
        return str(error)


def quadrant_means(picture: Image.Image) -> np.ndarray:
    pixels = np.asarray(picture).astype(float)
    height, width, _ = pixels.shape
    h, w = max(height // 2, 1), max(width // 2, 1)
    quadrants = (pixels[:h, :w], pixels[:h, -w:], pixels[-h:, :w], pixels[-h:, -w:])
    return np.array([quadrant.mean((0, 1)) for quadrant in quadrants])


@pytest.mark.parametrize("case", PICTURES, ids=lambda case: case.name)
def test_picture_comes_out_right(case: Case):
    picture = open_picture(case.build())
    assert picture.mode == "RGB"
    assert picture.size == case.size
    assert type(picture) is Image.Image  # no file behind it
    assert set(picture.info) <= {"notes"}  # nothing else travels on
    assert case.note in " ".join(notes_of(picture))
    assert bool(notes_of(picture)) == bool(case.note)
    np.testing.assert_allclose(quadrant_means(picture), case.quadrants, atol=case.tolerance)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refused_in_a_plain_sentence(case: Case):
    with pytest.raises(ValueError) as caught:
        open_picture(case.build(), max_bytes=PAGE_BYTES)
    assert case.error in str(caught.value)
    assert is_plain_sentence(str(caught.value))


def test_paths_and_bytes_give_the_same(tmp_path: Path):
    paths = write_files(tmp_path)
    assert set(paths) == {case.name for case in CASES}
    for case in PICTURES:
        expected = open_picture(case.build())
        for source in (paths[case.name], str(paths[case.name])):
            assert open_picture(source) == expected
    for case in REFUSED:
        with pytest.raises(ValueError) as caught:
            open_picture(paths[case.name], max_bytes=PAGE_BYTES)
        assert case.error in str(caught.value)
        assert is_plain_sentence(str(caught.value))


@pytest.mark.parametrize("name", ["missing.png", ".", "x" * 5000, "a\0b"])
def test_no_file(tmp_path: Path, name: str):
    with pytest.raises(ValueError) as caught:
        open_picture(str(tmp_path) + "/" + name)
    assert is_plain_sentence(str(caught.value))


def test_too_many_pixels_are_never_decoded(monkeypatch: pytest.MonkeyPatch):
    def load(self: ImageFile.ImageFile) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    for case in REFUSED:
        if case.error is not None and "mega" in case.error:
            with pytest.raises(ValueError, match="megapixels allowed"):
                open_picture(case.build())
    with pytest.raises(ValueError, match="damaged"):  # so the trap does spring
        open_picture(jpeg(four_colours()))


def test_limits_are_the_largest_allowed():
    data = saved(noise(10, 20), "PNG")
    assert open_picture(data, max_bytes=len(data), max_pixels=200).size == (20, 10)
    with pytest.raises(ValueError, match="MB allowed"):
        open_picture(data, max_bytes=len(data) - 1)
    with pytest.raises(ValueError, match=r"20 x 10 px, more than the 0\.000199 megapixels"):
        open_picture(data, max_pixels=199)


@pytest.mark.parametrize("case", PICTURES, ids=lambda case: case.name)
def test_damage_anywhere_is_a_picture_or_a_sentence(case: Case):
    """A few changed bytes, or a cut, at random: never another exception, never a warning."""
    whole = np.frombuffer(case.build(), np.uint8)
    random = np.random.default_rng(len(whole))
    for trial in range(40):
        data = whole.copy()
        places = random.integers(0, len(data), 1 + trial % 4)
        data[places] = random.integers(0, 256, len(places))
        if trial % 5 == 0:
            data = data[: random.integers(1, len(data))]
        answer = picture_or_sentence(data.tobytes())
        if isinstance(answer, str):
            assert is_plain_sentence(answer)
        else:
            assert answer.mode == "RGB"


def test_pillow_is_left_as_it_was():
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    for case in PICTURES[:3] + REFUSED[:6]:
        picture_or_sentence(case.build())
    after = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    assert before == after


def test_decoding_does_not_wait_for_torch():
    code = "import sys, dino_core.images; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


# --- large photos


def smooth(width: int, height: int) -> np.ndarray:
    """Red along x, green along y: what comes out tells the size and the side it was read at."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    return pixels


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 2}])
@pytest.mark.parametrize(
    ("most", "size", "words"),
    [
        (9600, (120, 80), ""),
        (9599, (60, 40), "a half"),
        (2400, (60, 40), "a half"),
        (2399, (30, 20), "a quarter"),
    ],
)
def test_a_large_jpeg_is_read_at_a_fraction_of_its_size(
    most: int, size: tuple[int, int], words: str, options: dict[str, int]
) -> None:
    data = saved(smooth(120, 80), "JPEG", quality=95, **options)
    picture = open_picture(data, max_pixels=most)
    assert picture.size == size
    expected = smooth(*size).astype(int)
    assert np.abs(np.asarray(picture)[..., :2] - expected[..., :2]).max() < 12
    assert words in " ".join(notes_of(picture))
    assert bool(notes_of(picture)) == bool(words)


def test_a_large_jpeg_keeps_its_orientation_and_has_a_limit_too() -> None:
    stored = saved(smooth(120, 80)[::-1, ::-1], "JPEG", quality=95)
    picture = open_picture(with_exif(stored, exif(3)), max_pixels=2400)
    assert np.abs(np.asarray(picture)[..., :2] - smooth(60, 40)[..., :2].astype(int)).max() < 12
    with pytest.raises(ValueError, match=r"120 x 80 px, more than the 0\.0095 megapixels"):
        open_picture(stored, max_pixels=1900)


@pytest.mark.parametrize(
    "data",
    [
        saved(noise(80, 120), "JPEG", progressive=True),
        in_three_scans(saved(noise(80, 120), "JPEG", subsampling=0)),
    ],
    ids=["progressive", "one colour after the other"],
)
def test_a_jpeg_in_passes_is_not_held_in_memory_whole(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libjpeg keeps every coefficient of one: 200 megapixels would take more than a gigabyte."""
    monkeypatch.setattr(readers, "PASSES_PIXELS", 9599)
    with pytest.raises(ValueError, match="megapixels allowed"):
        open_picture(data, max_pixels=5000)
    open_picture(saved(noise(80, 120), "JPEG"), max_pixels=5000)
    assert open_picture(data, max_pixels=9600).size == (120, 80), "as other kinds of that size"


def test_a_large_heic_is_halved() -> None:
    data = heic(smooth(120, 80))
    assert open_picture(data, max_pixels=9600).size == (120, 80)
    picture = open_picture(data, max_pixels=6400)
    assert picture.size == (60, 40)
    assert "a half of its size" in notes_of(picture)[0]
    with pytest.raises(ValueError, match="megapixels allowed"):
        open_picture(data, max_pixels=6399)


def test_of_several_pictures_in_a_heic_the_primary_one_is_taken() -> None:
    colours = [(200, 30, 30), (30, 30, 200), (30, 200, 30)]
    file = pillow_heif.HeifFile()
    for colour in colours:
        file.add_from_pillow(Image.new("RGB", (64, 48), colour))
    buffer = BytesIO()
    file.save(buffer, primary_index=1, quality=95)
    mean = np.asarray(open_picture(buffer.getvalue())).mean((0, 1))
    np.testing.assert_allclose(mean, colours[1], atol=12)


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(saved(noise(10, 20), "PNG"))

    def read(_: Path) -> bytes:
        raise AssertionError("read")

    monkeypatch.setattr(Path, "read_bytes", read)
    with pytest.raises(ValueError, match="MB allowed"):
        open_picture(path, max_bytes=100)


def test_pages_are_no_animation() -> None:
    (note,) = notes_of(open_picture(several_pages()))
    assert "more than one page" in note
