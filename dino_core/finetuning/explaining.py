"""Why a fine-tuned model answers as it does: its logit taken apart, and training pictures nearby.

The head is linear, in the mean of the patch tokens too, so that each patch has its share:

    logit_y = b_y + W_y · (cls - m) / s  +  sum over patches p of  (1/P) W'_y · (x_p - m') / s'
              bias   the class token                               what patch p adds

m and s are means and spreads of the training features. The shares add up to the logit exactly; of a
head that does not read the mean of the patches theirs are 0. What is nearby is measured where the
head looks: cosine of standardised features.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from dino_core.embedding.preparation import middle_square
from dino_core.finetuning.classifier import Classifier, LinearHead
from dino_core.images import to_tensor
from dino_core.weights import read_state_dict

AS_IT_CAME, TUNED = (
    "train",
    "train-tuned",
)  # files of features/: before and after the backbone moved


@dataclass(frozen=True)
class Explanation:
    """One picture, asked of a classifier of Y classes; k of them are taken apart."""

    pixels: np.ndarray  # uint8 [H, W, 3], the middle square that the model is given
    probabilities: Tensor  # float32 [Y]
    logits: Tensor  # float32 [Y]
    explained: Tensor  # int64 [k], which classes
    bias: Tensor  # float32 [k]
    class_token: Tensor  # float32 [k], what the class token adds, or the several that are read
    patches: Tensor  # float32 [k, h, w], what each patch adds
    features: Tensor  # float32 [F], standardised


@dataclass(frozen=True)
class TrainingFeatures:
    """What a head was given of its training pictures, in their order."""

    features: Tensor  # float32 [n, 2 D], standardised, of length 1
    labels: Tensor  # int64 [n]
    names: tuple[str, ...]


@torch.inference_mode()
def explain(
    classifier: Classifier, picture: Image.Image, likeliest: int | None = None
) -> Explanation:
    """Asks a classifier of its device, and takes its answer apart: of the so many likeliest
    classes, the first first, or of all in their order."""
    vit, head = classifier.backbone, classifier.head
    patch = vit.config.patch_size
    square = middle_square(picture, classifier.size, patch)
    pixels = np.asarray(square)
    cls, patches = classifier.tokens(to_tensor(square)[None].to(vit.pos_embed.device))
    features = classifier.features(cls, patches)
    logits = head(features)[0].cpu()
    chosen = torch.arange(len(logits))
    if likeliest is not None:
        chosen = logits.argsort(descending=True, stable=True)[:likeliest]
    C, P = cls.shape[1], patches.shape[1]
    weight = head.weight[chosen] / head.std  # [k, F]
    of_class_token = (cls - head.mean[:C]) @ weight[:, :C].T  # [1, k]
    of_patches = torch.zeros(P, len(chosen))
    if classifier.reads.mean_patch:
        of_patches = (patches[0] - head.mean[C:]) @ weight[:, C:].T / P  # [P, k]
    h, w = pixels.shape[0] // patch, pixels.shape[1] // patch
    return Explanation(
        pixels=pixels,
        probabilities=logits.softmax(0),
        logits=logits,
        explained=chosen,
        bias=head.bias[chosen].cpu(),
        class_token=of_class_token[0].cpu(),
        patches=of_patches.T.reshape(-1, h, w).cpu(),
        features=standardised(head, features)[0].cpu(),
    )


def standardised(head: LinearHead, features: Tensor) -> Tensor:
    """[n, 2 D] -> the same as the head looks at them."""
    mean, std = (one.to(features.device) for one in (head.mean, head.std))
    return (features - mean) / std


def training_features(folder: Path, classifier: Classifier) -> TrainingFeatures | None:
    """What was kept of a run's training pictures under the backbone that it ended with.

    None where that is not there: of a run whose backbone moved, by a version that did not keep it.
    """
    moved = json.loads((folder / "report.json").read_text(encoding="utf-8")).get("part") != "head"
    path = folder / "features" / f"{TUNED if moved else AS_IT_CAME}.safetensors"
    if not path.is_file():
        return None
    try:
        tensors, facts = read_state_dict(path)
        both = torch.cat([tensors["cls"], tensors["mean_patch"]], dim=1).float()
        labels, names = tensors["labels"].clone(), tuple(json.loads(facts["names"]))
        unit = F.normalize(standardised(classifier.head, both), dim=1)
    except (ValueError, KeyError, RuntimeError):
        return None
    return TrainingFeatures(unit, labels, names) if len(names) == len(unit) == len(labels) else None


def nearest(training: TrainingFeatures, features: Tensor, count: int) -> list[tuple[int, float]]:
    """The training pictures most like one with these standardised features [2 D]: index, cosine."""
    cosines = training.features @ F.normalize(features, dim=0)
    values, places = cosines.topk(min(count, len(cosines)))
    return list(zip(places.tolist(), values.tolist(), strict=True))
