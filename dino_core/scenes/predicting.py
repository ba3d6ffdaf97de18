"""Try it: what a classifier says of a picture, why, and which training pictures are near."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from PIL.Image import Image

from dino_core.draw.encode import jpeg
from dino_core.finetuning.classifier import Classifier, classifier_of, load_classifier
from dino_core.finetuning.explaining import TrainingFeatures, explain, nearest, training_features
from dino_core.scenes.facts import NearestFacts
from dino_core.scenes.finetuning import pictures_of
from dino_core.weights import Backbone

CLASSES = 5  # that are named, at most
NEAREST = 8  # training pictures
THUMB = 160  # px
WITHOUT = "This run kept no features of its training pictures, so the nearest cannot be told."
BROUGHT = "A checkpoint does not say which pictures it has learnt from: no nearest can be named."
NONE_HERE = "No classifier lies beside this backbone, so it names no classes."


@dataclass(frozen=True, eq=False)
class TunedModel:
    """A finished fine-tuning that can be asked, or a checkpoint; stays on the server."""

    classifier: Classifier
    training: TrainingFeatures | None
    without: str = ""  # why no training pictures are named


@dataclass(frozen=True)
class PredictScene:
    """The likeliest classes of one picture, the first first; k of them."""

    picture: np.ndarray  # [H, W, 3] uint8, the middle square that the model is given
    patches: np.ndarray  # [k, h, w] float32, what each patch adds to the logit
    classes: list[str]
    probabilities: list[float]
    logits: list[float]  # = bias + class token + sum of the patches
    class_token: list[float]
    bias: list[float]
    nearest: list[Annotated[dict[str, Any], NearestFacts]]
    grid: tuple[int, int]
    without: str  # why no training pictures are named; "" where they are
    reads: str  # what a classifier reads that was brought, in a sentence; "" of a run
    by_patches: bool  # whether it reads the mean of the patches, which then have shares


def open_tuned(folder: Path, device: str = "cpu") -> TunedModel:
    """ValueError in a sentence for a run that is not a finished fine-tuning."""
    if not model_file(folder).is_file() or not (folder / "report.json").is_file():
        raise ValueError("This run has no classifier yet: it comes at the end of a fine-tuning.")
    try:
        classifier = load_classifier(folder, device=device)
        training = training_features(folder, classifier)
        classifier.words = ""  # of a run that is known
        return TunedModel(classifier, training, WITHOUT if training is None else "")
    except (ValueError, OSError):
        raise ValueError("The classifier of this run is damaged.") from None


def brought_model(backbone: Backbone) -> TunedModel:
    """The classifier that lay beside a backbone. ValueError in a sentence where there is none."""
    classifier = classifier_of(backbone)
    if classifier is None:
        raise ValueError(NONE_HERE)
    return TunedModel(classifier, None, BROUGHT)


def model_file(folder: Path) -> Path:
    """What a fine-tuning leaves behind."""
    return folder / "model.safetensors"


def predict_scene(model: TunedModel, picture: Image, count: int = CLASSES) -> PredictScene:
    """One forward. ValueError for no class at all."""
    if count < 1:
        raise ValueError(f"At least 1 class can be named, not {count}.")
    classifier, classes = model.classifier, model.classifier.classes
    found = explain(classifier, picture, count)
    order = found.explained
    near: list[dict[str, Any]] = []
    if (training := model.training) is not None:
        near = [
            {"index": i, "label": classes[int(training.labels[i])], "cosine": cosine}
            for i, cosine in nearest(training, found.features, NEAREST)
        ]
    return PredictScene(
        picture=found.pixels,
        patches=found.patches.numpy(),
        classes=[classes[i] for i in order.tolist()],
        probabilities=found.probabilities[order].tolist(),
        logits=found.logits[order].tolist(),
        class_token=found.class_token.tolist(),
        bias=found.bias.tolist(),
        nearest=near,
        grid=(found.patches.shape[1], found.patches.shape[2]),
        without=model.without,
        reads=classifier.words,
        by_patches=classifier.reads.mean_patch,
    )


def training_picture(folder: Path, model: TunedModel, index: int) -> bytes:
    """A training picture by its place among the features, as a small JPEG. ValueError for none."""
    training = model.training
    if training is None or not 0 <= index < len(training.names):
        raise ValueError("There is no such training picture.")
    name, pictures = training.names[index], pictures_of(folder)
    if name not in pictures.names:
        raise ValueError("The picture is no longer there.")
    return jpeg(pictures.picture(pictures.names.index(name)), THUMB)
