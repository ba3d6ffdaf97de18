"""k-NN of patches: does a patch know of what its picture is?

A patch gets the class that its nearest neighbours among the patches of *other* pictures vote for;
its true class is its picture's, for nobody labels patches. In a loop, x being features of unit
length whose mean over all patches was subtracted before:

    for each patch i:
        others = the patches j whose picture is not i's
        near   = the k of them with the largest x_i . x_j
        right  = argmax_c sum(exp(x_i . x_j / 0.07) for j in near of class c) == class of i

Patches of the background have no class of their own and keep the share below 100 %; whether it
grows in a run is what it says. By chance it is that of the commonest class. Votes are those of
`knn.py` (Wu et al. 2018).
"""

from contextlib import suppress

import torch
import torch.nn.functional as F
from torch import Tensor

from dino_core.datasets import Pictures
from dino_core.embedding.preparation import square_input
from dino_core.evaluation.knn import NEIGHBOURS, votes
from dino_core.evaluation.patch_matching import evenly_spread
from dino_core.vit import VisionTransformer

PICTURES = 200  # evenly spread over the set, and so over its classes
PATCHES = 10  # of each
BATCH = 25  # pictures a forward
SEED = 0  # the same patches at every milestone


@torch.inference_mode()
def patch_knn_accuracy(
    vit: VisionTransformer, pictures: Pictures, size: int, *, seed: int = SEED
) -> float:
    """Share of patches whose vote is right, in per cent: of PATCHES drawn patches a picture.

    `pictures` have labels; those that cannot be read are left out.
    """
    assert pictures.labels is not None
    inputs, labels = [], []
    for index in evenly_spread(len(pictures), PICTURES):
        with suppress(ValueError):
            inputs.append(square_input(pictures.picture(index), size, vit.config.patch_size))
            labels.append(pictures.labels[index])
    if not inputs:
        return 0.0
    was_training = vit.training
    vit.eval()
    device = vit.pos_embed.device
    features = torch.cat(
        [vit(torch.stack(part).to(device)).patches.float().cpu() for part in batches(inputs)]
    )  # [n, P, D]
    vit.train(was_training)
    n, patches, width = features.shape
    chosen = drawn_patches(n, patches, seed)  # [n, c]
    sample = features.gather(1, chosen[..., None].expand(-1, -1, width))
    right = right_votes(sample, torch.tensor(labels), len(pictures.classes))
    return 100 * right.float().mean().item()


def batches(inputs: list[Tensor]) -> list[list[Tensor]]:
    return [inputs[at : at + BATCH] for at in range(0, len(inputs), BATCH)]


def drawn_patches(n: int, patches: int, seed: int) -> Tensor:
    """Which of each picture's patches are taken, all different: int64 [n, c]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, patches, generator=generator).argsort(1)[:, :PATCHES]


def right_votes(features: Tensor, labels: Tensor, classes: int, k: int = NEIGHBOURS) -> Tensor:
    """Features [n, c, D] of c patches of each of n pictures, labels [n] -> bool [n, c].

    Without any other picture there is no vote, and none is right.
    """
    n, c, _ = features.shape
    k = min(k, (n - 1) * c)
    if k == 0:
        return torch.zeros(n, c, dtype=torch.bool)
    x = features.flatten(0, 1)  # [n, c, D] -> [n c, D]
    x = F.normalize(x - x.mean(0), dim=1)
    picture = torch.arange(n).repeat_interleave(c)
    similar = (x @ x.T).masked_fill(picture[:, None] == picture, -torch.inf)
    values, near = similar.topk(k, dim=1)
    voted = votes(values, labels[picture[near]], classes).argmax(1)
    return (voted == labels[picture]).unflatten(0, (n, c))
