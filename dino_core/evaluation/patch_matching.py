"""Are the patch features still good for anything? Patches found again in another view.

k-NN asks the class token, or the mean of all patches; neither notices when patches lose their
places. So each picture is looked at twice, whole, and mirrored with its middle three quarters
enlarged. For every patch of the second view the most similar patch of the first is taken:

    found = |place of the match - true place| <= 1 patch

By chance about pi / P of them are, P being the number of patches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

from dino_core.embedding.preparation import middle_square
from dino_core.images import to_tensor
from dino_core.step.metrics import mean_cosine
from dino_core.vit import VisionTransformer

SHARE = 0.75  # of the side, that the second view enlarges
PICTURES = 48


@dataclass(frozen=True)
class DenseMeasures:
    """What becomes of the patch features, for which neither the loss nor k-NN has an eye."""

    found: float  # share of patches that are found again, in per cent
    cosine: float  # mean between different patches of one picture, -1 to 1; at 1 all are the same


def matching_accuracy(vit: VisionTransformer, pictures: Sequence[Image.Image], size: int) -> float:
    """Share of patches that are found again, in per cent."""
    return dense_measures(vit, pictures, size).found


@torch.inference_mode()
def dense_measures(
    vit: VisionTransformer, pictures: Sequence[Image.Image], size: int
) -> DenseMeasures:
    """Both, from one look at each picture and at its other view."""
    patch = vit.config.patch_size
    side = size // patch
    true = true_places(side)
    was_training = vit.training
    vit.eval()
    found, cosines = [], []
    for picture in pictures:
        square = middle_square(picture, size, patch)
        views = torch.stack([to_tensor(view) for view in two_views(square)])
        features = F.normalize(vit(views.to(vit.pos_embed)).patches.float(), dim=-1)  # [2, P, D]
        match = (features[1] @ features[0].T).argmax(1).cpu()  # [P] in the first view
        place = torch.stack([match // side, match % side], 1) + 0.5
        found.append((place - true).norm(dim=1) <= 1)
        cosines.append(mean_cosine(features[0]))
    vit.train(was_training)
    share = 100 * torch.stack(found).float().mean().item()
    return DenseMeasures(share, sum(cosines) / len(cosines))


def two_views(picture: Image.Image) -> tuple[Image.Image, Image.Image]:
    """A square picture, and its middle enlarged to the same size and mirrored."""
    width, height = picture.size
    edge = (1 - SHARE) / 2
    box = (edge * width, edge * height, (1 - edge) * width, (1 - edge) * height)
    return picture, ImageOps.mirror(picture.resize(picture.size, Image.Resampling.BICUBIC, box))


def evenly_spread(n: int, most: int) -> list[int]:
    """At most so many of 0 .. n - 1, over all of them."""
    return [i * n // most for i in range(most)] if n > most else list(range(n))


def true_places(side: int) -> Tensor:
    """Where the centres of the second view's patches lie in the first: [P, 2], in patches."""
    centres = torch.arange(side) + 0.5
    edge = side * (1 - SHARE) / 2
    rows, columns = edge + SHARE * centres, edge + SHARE * centres.flip(0)
    return torch.cartesian_prod(rows, columns)
