"""finetuning/explaining.py: shares that add up to the logit, and the nearest training pictures."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny_models import shake, tiny_vit

from dino_core.embedding.embed import FeatureSet
from dino_core.embedding.preparation import square_input
from dino_core.finetuning.classifier import Classifier, predict
from dino_core.finetuning.explaining import (
    TrainingFeatures,
    explain,
    nearest,
    standardised,
    training_features,
)
from dino_core.finetuning.features import write_features

CLASSES = ("blue", "green", "red")


@pytest.fixture
def classifier() -> Classifier:
    """With a mean, a spread and a bias that are not nothing."""
    made = Classifier(tiny_vit(), CLASSES, 42)
    shake(made.head, seed=3)
    generator = torch.Generator().manual_seed(4)
    made.head.mean.copy_(torch.randn(made.head.mean.shape, generator=generator))
    made.head.std.copy_(torch.rand(made.head.std.shape, generator=generator) + 0.5)
    return made.requires_grad_(False).eval()


@pytest.fixture
def picture() -> Image.Image:
    noise = torch.randint(0, 256, (50, 70, 3), generator=torch.Generator().manual_seed(5))
    return Image.fromarray(noise.to(torch.uint8).numpy())


def test_the_shares_add_up_to_the_logit(classifier: Classifier, picture: Image.Image) -> None:
    found = explain(classifier, picture)
    total = found.bias + found.class_token + found.patches.sum((1, 2))
    torch.testing.assert_close(total, found.logits, atol=1e-5, rtol=1e-5)
    logits = classifier(square_input(picture, 42, 14)[None])[0]
    torch.testing.assert_close(found.logits, logits)
    assert found.patches.shape == (3, 3, 3)
    assert found.pixels.shape == (42, 42, 3)


def test_a_patch_s_share_is_what_the_head_makes_of_it(
    classifier: Classifier, picture: Image.Image
) -> None:
    """By a plain loop over classes and patches."""
    found, head = explain(classifier, picture), classifier.head
    out = classifier.backbone(square_input(picture, 42, 14)[None])
    D = out.cls.shape[1]
    for y in range(3):
        for p in range(9):
            share = 0.0
            for i in range(D):
                scaled = (out.patches[0, p, i] - head.mean[D + i]) / head.std[D + i]
                share += float(head.weight[y, D + i] * scaled) / 9
            assert float(found.patches[y, p // 3, p % 3]) == pytest.approx(share, abs=1e-5)


def test_the_answers_are_those_of_predict(classifier: Classifier, picture: Image.Image) -> None:
    found = explain(classifier, picture)
    for name, probability in predict(classifier, picture):
        assert float(found.probabilities[CLASSES.index(name)]) == pytest.approx(probability)


def test_the_nearest_are_those_of_a_plain_search() -> None:
    generator = torch.Generator().manual_seed(6)
    features = torch.randn(20, 8, generator=generator)
    unit = torch.nn.functional.normalize(features, dim=1)
    training = TrainingFeatures(unit, torch.zeros(20), tuple(map(str, range(20))))
    asked = torch.randn(8, generator=generator)
    cosines = {i: float(features[i] @ asked / features[i].norm() / asked.norm()) for i in range(20)}
    expected = sorted(cosines, key=lambda i: -cosines[i])[:5]
    found = nearest(training, asked, 5)
    assert [i for i, _ in found] == expected
    assert [c for _, c in found] == pytest.approx([cosines[i] for i in expected], abs=1e-6)
    assert len(nearest(training, asked, 99)) == 20


@pytest.mark.parametrize(("part", "file"), [("head", "train"), ("blocks", "train-tuned")])
def test_features_are_those_of_the_backbone_that_answers(
    classifier: Classifier, tmp_path: Path, part: str, file: str
) -> None:
    (tmp_path / "report.json").write_text(json.dumps({"part": part}))
    assert training_features(tmp_path, classifier) is None
    kept = FeatureSet(
        torch.randn(4, 48), torch.randn(4, 48), torch.arange(4), ("a", "b", "c", "d"), ()
    )
    (tmp_path / "features").mkdir()
    write_features(tmp_path / "features" / f"{file}.safetensors", kept)
    training = training_features(tmp_path, classifier)
    assert training is not None
    assert training.names == kept.names
    expected = standardised(classifier.head, kept.both)
    torch.testing.assert_close(training.features, expected / expected.norm(dim=1, keepdim=True))
    (tmp_path / "features" / f"{file}.safetensors").write_bytes(b"damaged")
    assert training_features(tmp_path, classifier) is None
