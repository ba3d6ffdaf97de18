"""Is a backbone any good? k-NN on labelled pictures, and what it makes of a few chosen ones.

k-NN needs no training and has nothing to tune: a picture gets the label that its nearest neighbours
among the labelled ones vote for (`analysis/neighbours.py`). Here the mean of the training features
is subtracted first, which is not done officially. On features of small models, which share one
large direction, it is worth several points, and costs nothing on good ones.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dino_core.analysis.neighbours import TEMPERATURE, knn
from dino_core.datasets import Pictures
from dino_core.images import fit_to_patches, to_tensor
from dino_core.vit import VisionTransformer

FEATURES = ("cls", "mean_patch", "both")


@dataclass(frozen=True)
class Embedded:
    """Features of a set of pictures. Broken files are left out, and named."""

    cls: Tensor  # [n, D] class tokens after the final norm
    mean_patch: Tensor  # [n, D] mean of the patch tokens
    labels: Tensor  # [n] int64, -1 without labels
    names: tuple[str, ...]
    broken: tuple[tuple[str, str], ...]  # (name, why)

    @property
    def both(self) -> Tensor:
        """[n, 2 D]"""
        return torch.cat([self.cls, self.mean_patch], dim=1)


@dataclass(frozen=True)
class LabelledSet:
    """Training and test pictures for k-NN, of few enough pictures to be looked at during a run."""

    train: Pictures
    test: Pictures

    @classmethod
    def of(
        cls, pictures: Pictures, per_class: int = 500, test_per_class: int = 200, seed: int = 0
    ) -> "LabelledSet":
        """The first so many of each class, in the order of their names."""
        if pictures.labels is None:
            raise ValueError(
                f"{pictures.source} has no labels: k-NN wants a folder for each class, with or "
                f"without train/ and test/ around them."
            )
        if pictures.splits is None:
            train, test = pictures.divide(0.3, seed)
        else:
            train, test = pictures.part("train"), pictures.part("test")
        return cls(train.first(per_class), test.first(test_per_class))


def as_input(picture: Image.Image, size: int, patch_size: int) -> Tensor:
    """Short side to `size`, the middle of it: [3, size, size], bicubic, normalised."""
    return to_tensor(middle(picture, size, patch_size))


def middle(picture: Image.Image, size: int, patch_size: int) -> Image.Image:
    """The square that the model sees."""
    return fit_to_patches(picture, patch_size, (size, size), "crop").picture


@torch.no_grad()
def embed(
    vit: VisionTransformer,
    pictures: Pictures,
    size: int,
    batch_size: int = 64,
    progress: Callable[[int], None] = lambda done: None,
) -> Embedded:
    """Features of all pictures that can be read, in their order.

    `progress` is called with the number of pictures seen before each batch; it may raise to stop.
    """
    device, patch = vit.pos_embed.device, vit.config.patch_size
    was_training = vit.training
    vit.eval()
    cls, means, kept, broken = [], [], [], []
    waiting: list[Tensor] = []

    def forward() -> None:
        if waiting:
            out = vit(torch.stack(waiting).to(device, vit.pos_embed.dtype))
            cls.append(out.cls.float().cpu())
            means.append(out.patches.float().mean(1).cpu())
            waiting.clear()

    for index in range(len(pictures)):
        try:
            waiting.append(as_input(pictures.picture(index), size, patch))
        except ValueError as error:
            broken.append((pictures.names[index], str(error)))
            continue
        kept.append(index)
        if len(waiting) == batch_size:
            progress(index)
            forward()
    forward()
    vit.train(was_training)
    if not kept:
        raise ValueError(
            f"None of the {len(pictures)} pictures in {pictures.source} can be read. The first "
            f"says: {broken[0][1] if broken else 'there is none'}"
        )
    labels = [-1 if pictures.labels is None else pictures.labels[i] for i in kept]
    return Embedded(
        torch.cat(cls),
        torch.cat(means),
        torch.tensor(labels),
        tuple(pictures.names[i] for i in kept),
        tuple(broken),
    )


def knn_predict(
    train: Tensor,
    labels: Tensor,
    test: Tensor,
    *,
    classes: int,
    k: int = 20,
    temperature: float = TEMPERATURE,
    center: bool = True,
) -> Tensor:
    """Features [n, D], labels [n], features [m, D] -> predicted labels [m]."""
    shares = knn(
        train, labels, test, classes=classes, ks=(k,), temperature=temperature, center=center
    )
    return shares[k].argmax(1)


def knn_accuracy(vit: VisionTransformer, data: LabelledSet, size: int) -> dict[str, float]:
    """20-NN accuracy in per cent for class token, mean patch and both together."""
    train, test = embed(vit, data.train, size), embed(vit, data.test, size)
    classes = len(data.train.classes)
    scores = {}
    for name in FEATURES:
        predicted = knn_predict(
            getattr(train, name), train.labels, getattr(test, name), classes=classes
        )
        scores[name] = 100 * (predicted == test.labels).float().mean().item()
    return scores


def raw_pixel_accuracy(data: LabelledSet, size: int = 32) -> float:
    """The same vote on the pixels themselves: what any features must beat, in per cent."""
    sides = []
    for pictures in (data.train, data.test):
        rows = [
            np.asarray(pictures.picture(i).resize((size, size))).reshape(-1)
            for i in range(len(pictures))
        ]
        sides.append(torch.from_numpy(np.stack(rows)).float())
    labels = [torch.tensor(pictures.labels) for pictures in (data.train, data.test)]
    predicted = knn_predict(sides[0], labels[0], sides[1], classes=len(data.train.classes))
    return 100 * (predicted == labels[1]).float().mean().item()


# --- chosen pictures at each milestone
