"""Pictures <-> tensors, and the samples that go all the way."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile import noise
from PIL import Image
from torchvision.transforms.v2 import functional as tv

from dino_core.images import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    fit_to_patches,
    from_tensor,
    open_picture,
    to_tensor,
)

SAMPLES = Path(__file__).parent.parent.parent / "static" / "samples"


@pytest.mark.parametrize("shape", [(1, 1), (37, 53), (224, 224)])
def test_to_tensor_equals_torchvision(shape: tuple[int, int]):
    picture = Image.fromarray(noise(*shape))
    expected = tv.normalize(
        tv.to_dtype(tv.pil_to_tensor(picture), torch.float32, scale=True),
        list(IMAGENET_MEAN),
        list(IMAGENET_STD),
    )
    got = to_tensor(picture)
    assert got.dtype == torch.float32
    assert got.is_contiguous()
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)


def test_from_tensor_is_the_way_back():
    every_value = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    for mean, std in [(IMAGENET_MEAN, IMAGENET_STD), ((0.5,) * 3, (0.5,) * 3)]:
        tensor = to_tensor(Image.fromarray(every_value), mean, std)
        before = tensor.clone()
        np.testing.assert_array_equal(from_tensor(tensor, mean, std), every_value)
        batch = torch.stack([tensor, tensor.flip(-1)]).requires_grad_()
        np.testing.assert_array_equal(
            from_tensor(batch, mean, std), [every_value, every_value[:, ::-1]]
        )
        assert torch.equal(tensor, before)
    beyond = torch.tensor([-1e6, 1e6]).view(1, 1, 2).expand(3, 1, 2)
    np.testing.assert_array_equal(from_tensor(beyond)[0, :, 0], [0, 255])


def test_to_tensor_leaves_the_picture_alone():
    picture = Image.fromarray(noise(8, 8))
    before = picture.tobytes()
    to_tensor(picture).zero_()
    assert picture.tobytes() == before
    with pytest.raises(ValueError, match="is RGBA"):
        to_tensor(picture.convert("RGBA"))


# --- the samples

CREDITS = json.loads((SAMPLES / "credits.json").read_text("utf-8"))


def test_samples_are_complete_and_may_be_passed_on():
    photos = {path.name for path in SAMPLES.glob("*.jpg")}
    assert {credit["file"] for credit in CREDITS} == photos
    assert len(photos) >= 6
    assert sum((SAMPLES / name).stat().st_size for name in photos) < 2_000_000
    readme = (SAMPLES / "README.md").read_text("utf-8")
    for credit in CREDITS:
        assert set(credit) == {"file", "title", "author", "licence", "source", "note"}
        assert all(credit.values())
        assert credit["licence"] in ("Public domain", "CC0 1.0", "CC BY 2.0")
        if credit["licence"].startswith("CC BY"):
            assert "creativecommons.org/licenses/by/2.0" in credit["note"]
        row = [credit[key] for key in ("title", "author", "licence")]
        assert f"| `{credit['file']}` | {' | '.join(row)} |" in readme


@pytest.mark.parametrize("credit", CREDITS, ids=lambda credit: credit["file"])
def test_sample_goes_all_the_way(credit: dict[str, str]):
    path = SAMPLES / credit["file"]
    assert re.fullmatch(r"[a-z]+\.jpg", credit["file"])
    picture = open_picture(path)
    assert min(picture.size) >= 300
    assert max(picture.size) <= 1024
    fitted = fit_to_patches(picture, 14, 224, "crop")
    assert 224 in (fitted.picture.width, fitted.picture.height)
    tensor = to_tensor(fitted.picture)
    assert tensor.shape == (3, fitted.picture.height, fitted.picture.width)
    assert tensor.std() > 0.3  # a photo, not a blank
    np.testing.assert_array_equal(from_tensor(tensor), np.asarray(fitted.picture))
