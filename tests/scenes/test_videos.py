"""scenes/videos.py: what may be asked of a film, and what is made of its frames."""

import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.analysis.inspection import inspect
from dino_core.analysis.pca import colour_features
from dino_core.config import PCA_PRESETS, PropagationConfig
from dino_core.images import Fitted, fit_to_patches, to_tensor
from dino_core.images.frames import Film
from dino_core.scenes import videos
from dino_core.scenes.videos import VideoChoice, check_choice, open_film, video_values
from dino_core.vit import VisionTransformer

HOW = PropagationConfig()


@pytest.fixture(scope="module")
def vit() -> VisionTransformer:
    return tiny_vit(TINY).requires_grad_(False)


@pytest.fixture(scope="module")
def film() -> Film[Fitted]:
    noise = np.random.default_rng(0).integers(0, 255, (3, 42, 56, 3), np.uint8)
    fitted = tuple(fit_to_patches(Image.fromarray(one), 14, 42) for one in noise)
    return Film(fitted, (0.0, 0.5, 1.25), ("a", "b", "c"), ("A note.",))


@pytest.mark.parametrize(
    ("name", "low", "high", "chosen"),
    [
        ("every", 1, 100, lambda value: VideoChoice(every=value)),
        ("most", 1, 120, lambda value: VideoChoice(most=value)),
        ("alike", 0, 1, lambda value: VideoChoice(alike=value)),
        ("neighbours", 1, 100, lambda n: VideoChoice(propagation=replace(HOW, neighbours=n))),
        ("radius", 1, 1000, lambda n: VideoChoice(propagation=replace(HOW, radius=n))),
        ("queue", 1, 12, lambda n: VideoChoice(propagation=replace(HOW, queue=n))),
    ],
)
def test_each_number_has_its_limits(name: str, low: int, high: int, chosen: Any) -> None:
    for value in (low, high):
        check_choice(chosen(value))
    for value in (low - 1, high + 1):
        with pytest.raises(ValueError, match=f"^{name} goes from {low} to {high}, but is {value}."):
            check_choice(chosen(value))


def test_a_choice_is_of_patches_or_a_mask_and_of_a_known_preset() -> None:
    check_choice(VideoChoice(patches=((0, 0),)))
    check_choice(VideoChoice(mask=Path("a.png")))
    with pytest.raises(ValueError, match="by one of both"):
        check_choice(VideoChoice(patches=((0, 0),), mask=Path("a.png")))
    with pytest.raises(ValueError, match="A preset is one of"):
        check_choice(VideoChoice(preset="none"))


def test_what_a_film_is_when_nothing_is_chosen() -> None:
    """As the command and the page say of themselves."""
    assert VideoChoice() == VideoChoice(
        layer=-1,
        size=224,
        every=1,
        most=60,
        preset="paper",
        flip=False,
        patches=(),
        mask=None,
        alike=0.7,
        propagation=PropagationConfig(neighbours=5, radius=12, queue=7, temperature=0.1),
        kind="webp",
        milliseconds=80,
        arrays=False,
    )


def read_npz(values: dict[str, Any]) -> dict[str, np.ndarray]:
    return dict(np.load(io.BytesIO(base64.b64decode(values["npz"]))))


def test_colours_are_those_of_all_frames_together(
    vit: VisionTransformer, film: Film[Fitted]
) -> None:
    chosen = VideoChoice(layer=-2, preset="all-patches", flip=True, arrays=True, kind="gif")
    values = video_values(vit, film, chosen)
    arrays = read_npz(values)
    features = [inspect(vit, to_tensor(one.picture)).patches(0) for one in film.pictures]
    config = replace(PCA_PRESETS["all-patches"], flip=True)
    found = colour_features(features, [(3, 4)] * 3, config)
    for i, view in enumerate(found.pictures):
        np.testing.assert_allclose(arrays["colours"][i], view.colours, atol=1e-3)
    assert arrays["seconds"].tolist() == [0, 0.5, 1.25]
    named = {name: values[name] for name in ("media_type", "frames", "grid", "seconds", "notes")}
    assert named == {
        "media_type": "image/gif",
        "frames": 3,
        "grid": (3, 4),
        "seconds": (0.0, 0.5, 1.25),
        "notes": ("A note.",),
    }
    assert values["tracked"] == 0
    with Image.open(io.BytesIO(base64.b64decode(values["base64"]))) as picture:
        assert (picture.format, picture.size) == ("GIF", (56, 42 + 20))
        assert picture.info["duration"] == 80


def test_what_is_tracked_is_counted_and_laid_over_the_frames(
    vit: VisionTransformer, film: Film[Fitted]
) -> None:
    chosen = VideoChoice(patches=((0, 0), (2, 3)), alike=1.0, arrays=True, milliseconds=50)
    values = video_values(vit, replace(film, seconds=None), chosen)
    arrays = read_npz(values)
    assert set(arrays) == {"labels", "masks"}
    assert (values["tracked"], values["seconds"]) == (2, None)
    places = arrays["labels"][0].argmax(0)
    assert places[0, 0] == 1
    assert places[2, 3] == 2
    assert "npz" not in video_values(vit, film, VideoChoice())


def test_layers_are_counted_from_both_ends(vit: VisionTransformer, film: Film[Fitted]) -> None:
    for layer in (-3, 2):
        with pytest.raises(ValueError, match="layers 0 to 1, or -1 to -2"):
            video_values(vit, film, VideoChoice(layer=layer))
    last, counted = (
        videos.looked_at(film.pictures, list(videos.frame_features(vit, film.pictures, at)), chosen)
        for at, chosen in ((1, VideoChoice()), (-1 % 2, VideoChoice()))
    )
    assert torch.equal(last.colours, counted.colours)


def test_a_mask_says_what_is_tracked(
    vit: VisionTransformer, film: Film[Fitted], tmp_path: Path
) -> None:
    labels = np.zeros((42, 56), np.uint8)
    labels[:14, 28:] = 1
    Image.fromarray(labels).save(tmp_path / "mask.png")
    chosen = VideoChoice(mask=tmp_path / "mask.png", arrays=True)
    values = video_values(vit, film, chosen)
    first = read_npz(values)["labels"][0].argmax(0)
    assert first.tolist() == [[0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert values["tracked"] == 1


def saved(folder: Path, count: int, side: int = 20) -> list[Path]:
    paths = [folder / f"{i}.png" for i in range(count)]
    for i, path in enumerate(paths):
        Image.new("RGB", (side, side), (9 * i, 0, 0)).save(path)
    return paths


def test_frames_are_fitted_as_they_are_read_and_each_is_asked_about(tmp_path: Path) -> None:
    asked: list[int] = []
    files = saved(tmp_path, 5)
    chosen = VideoChoice(size=28, every=2, most=2)
    found = open_film(files, 14, chosen, lambda: asked.append(1))
    assert [one.grid for one in found.pictures] == [(2, 2)] * 2
    assert found.names == ("0.png", "2.png")
    assert asked


def test_more_patches_than_there_is_room_for_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = saved(tmp_path, 3)
    monkeypatch.setattr(videos, "MOST_PATCHES", 12)
    assert len(open_film(files, 14, VideoChoice(size=28), lambda: None).pictures) == 3
    monkeypatch.setattr(videos, "MOST_PATCHES", 11)
    with pytest.raises(ValueError, match="Of frames of 2 x 2 patches 2 can be looked at"):
        open_film(files, 14, VideoChoice(size=28), lambda: None)
    assert len(open_film(files, 14, VideoChoice(size=28, most=2), lambda: None).pictures) == 2


def test_a_film_is_one_file_or_its_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = saved(tmp_path, 3)
    monkeypatch.setattr(videos, "MOST_FRAMES", 2)
    for given in ([], files):
        with pytest.raises(ValueError, match="one file, or its frames, at most 2"):
            open_film(given, 14, VideoChoice(most=2), lambda: None)
    (tmp_path / "1.png").write_bytes(b"junk")
    with pytest.raises(ValueError) as said:
        open_film(files[:2], 14, VideoChoice(most=2), lambda: None)
    assert str(tmp_path) not in str(said.value)
    with pytest.raises(ValueError, match="goes from 1 to 2, but is 3"):
        open_film(files[:1], 14, VideoChoice(most=3), lambda: None)
