"""A backbone with a linear classifier on top: how it is trained on features, stored and asked.

    features = (class token, mean of the patch tokens), each number in its training mean and spread
    logits   = W features + b

Stored as one safetensors file with the official backbone names behind `backbone.`, the classifier
behind `head.`, and architecture, classes and input size as metadata; `load_backbone` reads it too.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from dino_core.embedding.preparation import square_input
from dino_core.images import open_picture
from dino_core.step.loader import generator_for
from dino_core.vit import VisionTransformer
from dino_core.weights import load_state, read_state_dict
from dino_core.weights.architecture import config_from_metadata
from dino_core.writing import replacing

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

    def __init__(self, vit: VisionTransformer, classes: tuple[str, ...], size: int) -> None:
        super().__init__()
        self.backbone = vit
        self.head = LinearHead(2 * vit.config.dim, len(classes)).to(vit.pos_embed.device)
        self.classes, self.size = classes, size

    def forward(self, images: Tensor) -> Tensor:
        """Normalised [B, 3, size, size] -> logits [B, Y]."""
        out = self.backbone(images)
        return self.head(torch.cat([out.cls, out.patches.mean(1)], dim=1).float())


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


def save_classifier(classifier: Classifier, path: Path, source: str) -> None:
    """One file with everything that `load_classifier` needs."""
    metadata = {
        "format": "pt",
        "config": json.dumps(asdict(classifier.backbone.config)),
        "classes": json.dumps(classifier.classes),
        "size": str(classifier.size),
        "source": source,
    }
    tensors = {n: t.detach().cpu().contiguous() for n, t in classifier.state_dict().items()}
    with replacing(path) as partial:
        save_file(tensors, partial, metadata)


def load_classifier(path: str | Path, device: torch.device | str = "cpu") -> Classifier:
    """From a fine-tuning's folder, or its model.safetensors. ValueError when it is no such file."""
    path = Path(path).expanduser()
    if path.is_dir():
        path = path / "model.safetensors"
    tensors, metadata = read_state_dict(path)
    config = config_from_metadata(metadata)
    if config is None or "classes" not in metadata or "head.weight" not in tensors:
        raise ValueError(
            f"{path} holds no classifier: name the folder of a finished fine-tuning, or its "
            f"model.safetensors."
        )
    parts: dict[str, dict[str, Tensor]] = {"backbone": {}, "head": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = tensor
    vit = load_state(config, parts["backbone"], device=device)
    classes = tuple(json.loads(metadata["classes"]))
    classifier = Classifier(vit, classes, int(metadata["size"]))
    classifier.head.load_state_dict(parts["head"])
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
