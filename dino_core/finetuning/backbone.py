"""The second stage of fine-tuning: blocks of the backbone learn with the head.

Epochs over augmented pictures, until the validation loss no longer falls. Which picture comes when,
and its crop, follow from seed and step (`loader.py`): a run that went on from a checkpoint ends as
if it had never been stopped.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dino_core.config import CropConfig, OptimConfig
from dino_core.crops import apply_decisions, draw_crops
from dino_core.datasets import Pictures
from dino_core.embedding.preparation import square_input
from dino_core.finetuning.checkpoints import BackboneCheckpoints, epochs_done
from dino_core.finetuning.classifier import Classifier
from dino_core.finetuning.setup import FinetuneSetup
from dino_core.runs.control import Control
from dino_core.runs.folder import RunFolder
from dino_core.schedules import warmup_cosine
from dino_core.step.loader import (
    Streams,
    background_batches,
    generator_for,
    normalised,
    order_of_pass,
)
from dino_core.update import parameter_groups

AUGMENTATION = CropConfig(
    global_scale=(0.5, 1.0),
    local_count=0,
    jitter_probability=0.0,
    grey_probability=0.0,
    blur_probability=(0.0, 0.0, 0.0),
    solarize_probability=(0.0, 0.0, 0.0),
)


class StopRequested(Exception):  # noqa: N818  it is not an error
    """A person asked to stop in the middle of something."""


class CropMaker:
    """Augmented training pictures of a step, in the order of its pass."""

    def __init__(self, pictures: Pictures, setup: FinetuneSetup) -> None:
        self.pictures, self.setup = pictures, setup
        self.streams = Streams.of(pictures)
        self.per_pass = math.ceil(len(pictures) / setup.batch_size)

    def make(self, step: int) -> tuple[np.ndarray, Tensor]:
        """uint8 [b, 1, size, size, 3] and labels [b]; the last batch of a pass may be smaller."""
        setup, labels = self.setup, self.pictures.labels
        assert labels is not None
        number, place = divmod(step, self.per_pass)
        order = order_of_pass(setup.seed, number, self.streams)
        chosen = order[place * setup.batch_size : (place + 1) * setup.batch_size].tolist()
        config = replace(AUGMENTATION, global_size=setup.size)
        crops = []
        for index in chosen:
            picture = self.pictures.picture(index)
            generator = generator_for(setup.seed, f"crop {number}", index)
            decided = draw_crops(picture.width, picture.height, config, generator)
            crops.append(apply_decisions(picture, decided[0]))
        return np.stack(crops)[:, None], torch.tensor([labels[i] for i in chosen])


def train_backbone(
    run: RunFolder,
    setup: FinetuneSetup,
    train: Pictures,
    validation: Pictures,
    classifier: Classifier,
    control: Control,
) -> int:
    """Epochs over augmented pictures until the validation loss no longer falls; the best epoch."""
    classifier.to(setup.device)
    trainable = set_trainable(classifier, setup)
    optimiser = torch.optim.AdamW(rates(classifier, setup))
    maker = CropMaker(train, setup)
    steps = setup.epochs * maker.per_pass
    stored = BackboneCheckpoints(run, classifier, optimiser, trainable)
    best, best_epoch, first = stored.restore()
    if first == 0:
        best, accuracy = validated(classifier, validation, setup, control)
        report_epoch(run, setup, Epoch(0, "backbone", math.nan, best, accuracy))
        stored.keep_best()
    batches = background_batches(maker, first * maker.per_pass, steps)
    for epoch in range(first + 1, setup.epochs + 1):
        if epoch - 1 - best_epoch >= setup.patience:
            break
        begun, total = time.perf_counter(), 0.0
        for step in range((epoch - 1) * maker.per_pass, epoch * maker.per_pass):
            follow_control(control, setup)
            crops, labels = next(batches)
            factor = warmup_cosine(
                step, start=1.0, end=0.01, steps=steps, warmup=max(steps // 10, 1)
            )
            for group in optimiser.param_groups:
                group["lr"] = factor * group["peak"]
            total += update(classifier, optimiser, crops, labels, setup) * len(labels)
        loss = total / len(train)
        validation_loss, accuracy = validated(classifier, validation, setup, control)
        seconds = time.perf_counter() - begun
        if validation_loss < best:
            best, best_epoch = validation_loss, epoch
            stored.keep_best()
        ended = Epoch(epoch, "backbone", loss, validation_loss, accuracy, seconds)
        report_epoch(run, setup, ended)
        stored.store(epoch, best, best_epoch)
    batches.close()
    stored.load_best()
    run.log(f"The validation loss was lowest after {best_epoch} epochs.")
    return best_epoch


def set_trainable(classifier: Classifier, setup: FinetuneSetup) -> list[str]:
    """Names of the parameters that will move."""
    vit = classifier.backbone
    vit.requires_grad_(setup.part == "all")
    vit.mask_token.requires_grad_(False)  # never seen here
    if setup.part == "blocks":
        for part in (*list(vit.blocks)[-setup.blocks :], vit.norm):
            part.requires_grad_(True)
    return [name for name, p in classifier.named_parameters() if p.requires_grad]


def rates(classifier: Classifier, setup: FinetuneSetup) -> list[dict[str, Any]]:
    """Parameter groups: each block learns at a fraction of the rate of the one after it."""
    decay = setup.layer_decay if setup.part == "all" else 1.0
    config = OptimConfig(layer_decay=decay, patch_embed_factor=1.0)
    groups = []
    for part, depth in (
        (classifier.backbone, len(classifier.backbone.blocks)),
        (classifier.head, 0),
    ):
        for group in parameter_groups(part, config, depth):
            rule = group["rule"]
            peak = rule.learning_rate * setup.rate
            decays = rule.weight_decay * setup.weight_decay
            groups.append({"params": group["params"], "peak": peak, "weight_decay": decays})
    return groups


def update(
    classifier: Classifier,
    optimiser: torch.optim.Optimizer,
    crops: np.ndarray,
    labels: Tensor,
    setup: FinetuneSetup,
) -> float:
    """One step; its cross-entropy. FloatingPointError before any weight is changed."""
    classifier.eval()  # no drop path; there is no other difference
    images = normalised(crops, setup.device)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=setup.bfloat16):
        logits = classifier(images)
    loss = F.cross_entropy(logits.float(), labels.to(images.device))
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(classifier.parameters(), 3.0)
    check_finite(loss.item())
    optimiser.step()
    return loss.item()


@torch.no_grad()
def logits_and_labels(
    classifier: Classifier, pictures: Pictures, setup: FinetuneSetup, control: Control
) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits and labels of all pictures, batch by batch."""
    patch, labels = classifier.backbone.config.patch_size, torch.tensor(pictures.labels)
    for indices in torch.arange(len(pictures)).split(setup.batch_size):
        follow_control(control, setup)
        images = [square_input(pictures.picture(i), setup.size, patch) for i in indices.tolist()]
        yield classifier(torch.stack(images).to(setup.device)).cpu(), labels[indices]


def validated(
    classifier: Classifier, pictures: Pictures, setup: FinetuneSetup, control: Control
) -> tuple[float, float]:
    """(cross-entropy, share of correct logits_and_labels)."""
    loss, correct = 0.0, 0
    for logits, labels in logits_and_labels(classifier, pictures, setup, control):
        loss += F.cross_entropy(logits, labels, reduction="sum").item()
        correct += int((logits.argmax(1) == labels).sum())
    return loss / len(pictures), correct / len(pictures)


# --- between steps and epochs


def follow_control(control: Control, setup: FinetuneSetup) -> None:
    """Waits while a pause is asked for; StopRequested when it is to stop."""
    action = control.action()
    if action == "pause":
        run = control.run
        run.put_state("paused", "Paused.", max(epochs_done(run), 0), setup.epochs)
        action = control.wait()
    if action == "stop":
        raise StopRequested


@dataclass(frozen=True)
class Epoch:
    """How an epoch ended."""

    number: int
    stage: str  # "head" or "backbone"
    loss: float
    validation_loss: float
    accuracy: float  # of the validation pictures, 0 to 1
    seconds: float | None = None


def report_epoch(run: RunFolder, setup: FinetuneSetup, epoch: Epoch) -> None:
    """A line of the metrics, and where the run is now."""
    run.add_metrics(
        {
            "step": epoch.number,
            "steps": setup.epochs,
            "stage": epoch.stage,
            "train_loss": epoch.loss,
            "validation_loss": epoch.validation_loss,
            "validation_accuracy": epoch.accuracy,
            "seconds": epoch.seconds,
            "time": time.time(),
        }
    )
    words = f"Epoch {epoch.number}: {100 * epoch.accuracy:.1f} % of the validation pictures right."
    to_come = setup.epochs - epoch.number  # at most
    left = None if epoch.seconds is None else epoch.seconds * to_come
    run.put_state("running", words, epoch.number, setup.epochs, left)


def check_finite(loss: float) -> None:
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"The cross-entropy is {loss}. A lower learning rate or float32 usually helps."
        )
