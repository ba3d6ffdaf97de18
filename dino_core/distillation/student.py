"""The student with its linear maps, and what it costs not to agree with the teacher.

The student's tokens have its own width D, the teacher's F. Two linear maps carry the class token
and the patch tokens over. Each channel of the teacher's answers is brought to mean 0 and standard
deviation 1 first, for class and patch tokens apart: otherwise a few channels with a large mean, the
same for every picture, would be all that a cosine sees. In a loop:

    for each crop b:
        loss += (1 - cos(cls_map(cls[b]), (answer[b][0] - mean) / std)) / B
        for each patch p:
            loss += weight * (1 - cos(patch_map(patches[b][p]), ...)) / (B P)

A student that says the same of every crop has a cosine of about 0 and a loss of about 1 each.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dino_core.config import ViTConfig
from dino_core.initialisation import truncated_normal
from dino_core.vit import VisionTransformer


@dataclass(frozen=True)
class Usual:
    """What the teacher usually says: mean and standard deviation of every channel, [2, F] each.

    First of class tokens, then of patch tokens.
    """

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, answers: Tensor) -> "Usual":
        """Of answers [n, 1 + P, F]."""
        cls_token, patches = answers[:, 0], answers[:, 1:].flatten(0, 1)
        stds = [part.std(0, correction=0).clamp_min(1e-6) for part in (cls_token, patches)]
        return cls(torch.stack([cls_token.mean(0), patches.mean(0)]), torch.stack(stds))

    def standardised(self, answers: Tensor) -> tuple[Tensor, Tensor]:
        """Answers [B, 1 + P, F] -> class tokens [B, F], patches [B, P, F], without their usual."""
        return (
            (answers[:, 0] - self.mean[0]) / self.std[0],
            (answers[:, 1:] - self.mean[1]) / self.std[1],
        )


class Follower(nn.Module):
    """A backbone of width D and its maps to the teacher's width F."""

    def __init__(self, config: ViTConfig, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.backbone = VisionTransformer(config, generator=generator)
        self.cls_map = linear(config.dim, width, generator)
        self.patch_map = linear(config.dim, width, generator)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """[B, 3, H, W] -> class tokens [B, F] and patches [B, P, F], as the teacher would say."""
        out = self.backbone(images)
        return self.cls_map(out.cls), self.patch_map(out.patches)

    @property
    def parts(self) -> dict[str, nn.Module]:
        """The modules by name; gradients are clipped in each of them separately."""
        return dict(self.named_children())


@torch.no_grad()
def linear(width_in: int, width_out: int, generator: torch.Generator) -> nn.Linear:
    """With weights of standard deviation 1 / sqrt(width in), zero bias."""
    layer = nn.utils.skip_init(nn.Linear, width_in, width_out)
    truncated_normal(layer.weight, width_in**-0.5, generator)
    layer.bias.zero_()
    return layer


@dataclass(frozen=True)
class Agreement:
    """Of a student with its teacher on one batch: mean cosines, and the loss made of them."""

    loss: Tensor  # scalar
    terms: dict[str, Tensor]  # scalars that add up to it: cls, patches
    cls: Tensor  # scalar, -1 to 1
    patches: Tensor


def agreement(
    said: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor], patch_weight: float
) -> Agreement:
    """Class tokens [B, F] and patches [B, P, F] of the student, and those of the teacher."""
    cls, patches = (
        F.cosine_similarity(ours.float(), theirs, dim=-1).mean()
        for ours, theirs in zip(said, wanted, strict=True)
    )
    terms = {"cls": 1 - cls, "patches": patch_weight * (1 - patches)}
    return Agreement(terms["cls"] + terms["patches"], terms, cls, patches)


def flipped_answers(answers: Tensor, flipped: Tensor, grid: tuple[int, int]) -> Tensor:
    """Answers [B, 1 + P, F] of upright crops, patches mirrored where bool [B] says so."""
    maps = answers[:, 1:].unflatten(1, grid)  # [B, h, w, F]
    patches = torch.where(flipped.view(-1, 1, 1, 1), maps.flip(2), maps)
    return torch.cat([answers[:, :1], patches.flatten(1, 2)], dim=1)
