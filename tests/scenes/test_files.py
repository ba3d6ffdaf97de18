"""scenes/files.py: films, figures and pages of a picture, as values; and their limits."""

import base64
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.analysis.depth import attention_by_layer, layers_in_colours
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.config import PCA_PRESETS
from dino_core.draw.film import layer_frames
from dino_core.images import patch_box, to_tensor
from dino_core.scenes import files
from dino_core.scenes.files import figure_values, film_file, film_values, in_colours, page_values
from dino_core.scenes.printing import Source
from dino_core.scenes.prints import Shown

SOURCE = Source("cat.jpg")


@pytest.fixture(scope="module")
def seen() -> Inspection:
    """3 x 4 patches in 3 layers."""
    noise = np.random.default_rng(0).integers(0, 255, (42, 56, 3), np.uint8)
    return inspect(tiny_vit(replace(TINY, depth=3)), to_tensor(Image.fromarray(noise)))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is made a film of, in place of the film."""
    told: list[Any] = []

    def film_bytes(frames: Any, kind: str, milliseconds: int) -> bytes:
        told.append((frames, kind, milliseconds))
        return b"film"

    monkeypatch.setattr(files, "film_bytes", film_bytes)
    return told


def test_colours_of_all_layers_become_a_film(seen: Inspection, drawn: list[Any]) -> None:
    chosen = {"preset": "all-patches", "flip": True, "method": "signs", "robust": True}
    film = film_file(seen, colours=chosen, kind="gif", steps=2, milliseconds=70)
    assert film == (b"film", 5, "")
    [(frames, kind, milliseconds)] = drawn
    assert (len(frames), kind, milliseconds) == (5, "gif", 70)
    config = replace(PCA_PRESETS["all-patches"], flip=True)
    family = layers_in_colours(seen, config, method="signs", robust=True)
    known = np.stack([one.colours.numpy() for one in family.maps])
    for one, wanted in zip(frames, layer_frames(known, seen.pixels.numpy(), 2), strict=True):
        np.testing.assert_array_equal(one, wanted)


def test_attention_of_a_patch_is_shown_to_the_largest_weight_of_each_layer(
    seen: Inspection, drawn: list[Any]
) -> None:
    assert film_file(seen, "attention", query=(2, 1), head=1, steps=1).frames == 3
    values = attention_by_layer(seen, (2, 1), head=1).numpy()
    known = values / values.max((1, 2), keepdims=True)
    pixels = seen.pixels.numpy()
    wanted = layer_frames(known, pixels, 1, patch_box(2, 1, 14))
    np.testing.assert_array_equal(drawn[0][0], wanted)
    film_file(seen, "attention", steps=1)
    plain = attention_by_layer(seen).numpy()
    plain = layer_frames(plain / plain.max((1, 2), keepdims=True), pixels, 1)
    np.testing.assert_array_equal(drawn[1][0], plain)


@pytest.mark.parametrize(
    ("frames", "pixels", "asked", "made"),
    [
        (240, 40_000_000, None, 17),  # 8 steps between each two of three layers
        (16, 40_000_000, None, 15),  # 7 steps, where 8 would be too many
        (17, 40_000_000, None, 17),
        (3, 40_000_000, None, 3),
        (240, 42 * 56 * 9, None, 9),
        (240, 42 * 56 * 9, 4, 9),
        (240, 42 * 56 * 9, 5, None),
        (2, 40_000_000, None, None),
        (240, 40_000_000, 0, None),
        (21, 40_000_000, 10, 21),
    ],
)
def test_as_many_frames_as_there_is_room_for(
    frames: int,
    pixels: int,
    asked: int | None,
    made: int | None,
    seen: Inspection,
    drawn: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "MOST_FRAMES", frames)
    monkeypatch.setattr(files, "MOST_PIXELS", pixels)
    if made is None:
        with pytest.raises(ValueError, match=f"A film has at most {frames} frames, and at this"):
            film_file(seen, "attention", steps=asked)
        return
    assert film_file(seen, "attention", steps=asked).frames == made == len(drawn[0][0])


def test_a_film_as_values(seen: Inspection) -> None:
    values = film_values(seen, "attention", kind="gif", steps=1)
    with Image.open(io.BytesIO(base64.b64decode(values.pop("base64")))) as picture:
        assert (picture.format, picture.size, picture.n_frames) == ("GIF", (56, 62), 3)
    assert values == {"media_type": "image/gif", "frames": 3, "layers": 3, "note": ""}
    with pytest.raises(ValueError, match="shows pca or attention, not 'norms'"):
        film_values(seen, "norms")


@pytest.mark.parametrize(
    ("width", "said", "points"), [("column", "column", 252.283), ("70", "70", 198.425)]
)
def test_a_figure_as_values(seen: Inspection, width: str, said: str, points: float) -> None:
    values = figure_values(seen, Shown("rollout"), SOURCE, width=width)
    text = base64.b64decode(values["base64"]).decode()
    assert values["media_type"] == "image/svg+xml"
    assert float(text.split('width="')[1].split("pt")[0]) == pytest.approx(points, abs=0.01)
    assert values["caption"].endswith(f"--figure rollout.svg --figure-width {said}")


def test_what_is_no_figure_of_one_picture_is_said(seen: Inspection) -> None:
    for view in ("matches", "comparison"):
        with pytest.raises(ValueError, match="of two pictures or models"):
            figure_values(seen, Shown(view), SOURCE)
    with pytest.raises(ValueError, match="column, page or a number of mm, not 'wide'"):
        figure_values(seen, Shown("rollout"), SOURCE, width="wide")
    with pytest.raises(ValueError, match="svg, pdf or png, not 'gif'"):
        figure_values(seen, Shown("rollout"), SOURCE, kind="gif")


def test_a_page_says_what_it_is_of(seen: Inspection, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    def page(*given: Any, **named: Any) -> str:
        told.append((given, named))
        return "ä page"

    monkeypatch.setattr(files, "offline_page", page)
    values = page_values(seen, title="x" * 121, words="ViT", colours={"preset": "all-patches"})
    assert values == {"html": "ä page", "bytes": 7, "note": ""}
    [(given, named)] = told
    assert given[0] is seen
    assert named == {"title": "x" * 120, "words": "ViT, 3 × 4 patches of 14 px."}
    monkeypatch.setattr(files, "MOST_PATCHES", 12)
    page_values(seen, title="x", words="")
    monkeypatch.setattr(files, "MOST_PATCHES", 11)
    with pytest.raises(ValueError, match="at most 11 patches, not 3 x 4"):
        page_values(seen, title="x", words="")


def test_colours_are_changed_as_they_are_asked(seen: Inspection) -> None:
    with pytest.raises(ValueError, match="A method is one of"):
        in_colours(seen, method="luck")
    config = replace(PCA_PRESETS["all-patches"], components=(2, 1, 0))
    found = in_colours(seen, "all-patches", changes={"components": (2, 1, 0)})
    wanted = layers_in_colours(seen, config)
    for one, two in zip(found.maps, wanted.maps, strict=True):
        np.testing.assert_allclose(one.colours, two.colours)
