"""A backbone with a linear classifier on top: how it is trained on features, stored and asked.

    features = (class token, mean of the patch tokens), each number in its training mean and spread
    logits   = W features + b

Stored as one safetensors file with the official backbone names behind `backbone.`, the classifier
behind `head.`, and architecture, classes and input size as metadata; `load_backbone` reads it too.
A classifier of transformers, timm or the official code is asked in the same way, with mean 0 and
spread 1, and by whichever tokens it reads (`weights/classifiers.py`).
"""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from dino_core.embedding.preparation import square_input
from dino_core.images import open_picture
from dino_core.step.loader import generator_for
from dino_core.vit import VisionTransformer
from dino_core.weights import Backbone, load_backbone
from dino_core.weights.classifiers import Reads
from dino_core.writing import replacing

WANTED = (
    "name the folder of a finished fine-tuning, its model.safetensors, or a checkpoint of "
    "transformers, timm or the official code with a linear classifier beside its backbone."
)
BOTH = Reads()  # what a fine-tuning's head looks at
Watch = Callable[[int, float, float, float], None]  # epoch, losses of both parts, accuracy


class LinearHead(nn.Module):
    """Standardises features and maps them to one score for each class."""

    mean: Tensor
    std: Tensor

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(classes, width))
        self.bias = nn.Parameter(torch.zeros(classes))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("std", torch.ones(width))

    def forward(self, features: Tensor) -> Tensor:
        """[n, F] -> [n, Y]."""
        return F.linear((features - self.mean) / self.std, self.weight, self.bias)


class Classifier(nn.Module):
    """Pictures in, scores of the classes out."""

    def __init__(
        self, vit: VisionTransformer, classes: tuple[str, ...], size: int, reads: Reads = BOTH
    ) -> None:
        super().__init__()
        self.backbone = vit
        width = reads.width(vit.config.dim)
        self.head = LinearHead(width, len(classes)).to(vit.pos_embed.device)
        self.classes, self.size, self.reads = classes, size, reads
        self.words = ""  # what it reads and whose it is, where it was brought

    def forward(self, images: Tensor) -> Tensor:
        """Normalised [B, 3, size, size] -> logits [B, Y]."""
        cls, patches = self.tokens(images)
        return self.head(self.features(cls, patches))

    def tokens(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised [B, 3, size, size] -> float32: class tokens that are read, one after the
        other, [B, n D], and patches [B, P, D]; all after the final norm."""
        vit, count = self.backbone, self.reads.class_tokens
        before = range(vit.config.depth - count, vit.config.depth - 1)
        out = vit(images, trace=before)
        earlier = [vit.norm(out.traces[block].tokens[:, 0]) for block in before]
        return torch.cat([*earlier, out.cls], dim=1).float(), out.patches.float()

    def features(self, cls: Tensor, patches: Tensor) -> Tensor:
        """What `tokens` gave -> what the head reads, [B, F]."""
        return torch.cat([cls, patches.mean(1)], dim=1) if self.reads.mean_patch else cls


def fit_head(
    head: LinearHead,
    train: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    *,
    epochs: int,
    patience: int,
    seed: int,
    watch: Watch = lambda *_: None,
    rate: float = 3e-3,
    batch_size: int = 256,
) -> int:
    """Trains on features [n, F] and labels [n] until the validation loss no longer falls.

    Leaves the best weights in the head; the epoch they are from.
    """
    features, labels = train
    head.mean.copy_(features.mean(0))
    head.std.copy_(features.std(0, correction=0).clamp_min(1e-6))
    optimiser = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=1e-2)
    best = (evaluate_head(head, *validation)[0], 0, copied(head))
    for epoch in range(1, epochs + 1):
        order = torch.randperm(len(labels), generator=generator_for(seed, "head", epoch))
        total = 0.0
        for chosen in order.split(batch_size):
            loss = F.cross_entropy(head(features[chosen]), labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(chosen)
        loss_now, accuracy = evaluate_head(head, *validation)
        watch(epoch, total / len(labels), loss_now, accuracy)
        if loss_now < best[0]:
            best = (loss_now, epoch, copied(head))
        elif epoch - best[1] >= patience:
            break
    head.load_state_dict(best[2])
    return best[1]


@torch.no_grad()
def evaluate_head(head: LinearHead, features: Tensor, labels: Tensor) -> tuple[float, float]:
    """(cross-entropy in nats, share of correct answers)."""
    logits = head(features)
    loss = F.cross_entropy(logits, labels).item()
    return loss, (logits.argmax(1) == labels).float().mean().item()


def copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


# --- stored and asked


def save_classifier(
    classifier: Classifier, path: Path, source: str, more: Mapping[str, str] | None = None
) -> None:
    """One file with everything that `load_classifier` needs; `more` metadata counts instead."""
    metadata = {
        "format": "pt",
        "config": json.dumps(asdict(classifier.backbone.config)),
        "classes": json.dumps(classifier.classes),
        "size": str(classifier.size),
        "source": source,
        **(more or {}),
    }
    tensors = {n: t.detach().cpu().contiguous() for n, t in classifier.state_dict().items()}
    with replacing(path) as partial:
        save_file(tensors, partial, metadata)


def save_brought(backbone: Backbone, path: Path, source: str) -> None:
    """A backbone with the classifier that lay beside it, as a file that tells all of itself.

    Whose it was stays written there; whoever reads the backbone alone gets it as it came.
    """
    classifier, found = classifier_of(backbone), backbone.classifier
    assert classifier is not None
    assert found is not None
    more = {
        "config": json.dumps(asdict(backbone.vit.config)),
        "origin": found.origin,
        "positions": json.dumps(found.positions),
        "licence": backbone.info.licence,
    }
    save_classifier(classifier, path, source, more)


def load_classifier(
    path: str | Path, device: torch.device | str = "cpu", **untold: Any
) -> Classifier:
    """From a fine-tuning's folder, or any checkpoint with a classifier beside its backbone.

    `untold` is what a checkpoint does not tell of itself: heads, grid, branch, as of
    `load_backbone`. ValueError when it holds no classifier, in words why.
    """
    path = Path(path).expanduser()
    backbone = load_backbone(weights=path, device=device, **untold)
    found = classifier_of(backbone)
    if found is None:
        why = [note for note in backbone.info.notes if "set aside" in note]
        raise ValueError(" ".join([f"{path} holds no classifier: {WANTED}", *why]))
    return found


def classifier_of(backbone: Backbone) -> Classifier | None:
    """The classifier that lay beside a backbone, with the same weights; None without one.

    Its positions are interpolated as its library does, so that its logits are that library's.
    """
    found, vit = backbone.classifier, backbone.vit
    if found is None:
        return None
    if found.positions is not None:
        vit = copy.copy(vit)  # another configuration, the same weights
        offset, antialias = found.positions
        vit.config = replace(vit.config, position_offset=offset, position_antialias=antialias)
    classifier = Classifier(vit, found.classes, found.size, found.reads)
    device = vit.pos_embed.device
    parts = {n: getattr(found, n).to(device) for n in ("weight", "bias", "mean", "std")}
    classifier.head.load_state_dict(parts)
    classifier.words = found.words
    return classifier.requires_grad_(False).eval()


@torch.inference_mode()
def predict(classifier: Classifier, picture: str | Path | Image.Image) -> list[tuple[str, float]]:
    """Classes with their probabilities, the likeliest first."""
    if not isinstance(picture, Image.Image):
        try:
            picture = open_picture(picture)
        except ValueError as error:
            raise ValueError(f"{picture}: {error}") from None
    vit = classifier.backbone
    images = square_input(picture, classifier.size, vit.config.patch_size)[None]
    logits = classifier(images.to(vit.pos_embed.device))[0]
    found = zip(classifier.classes, logits.softmax(0).tolist(), strict=True)
    return sorted(found, key=lambda pair: pair[1], reverse=True)
