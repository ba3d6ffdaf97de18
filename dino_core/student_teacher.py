"""The pair: the same networks twice. The student learns by gradient, the teacher follows it.

Paper, section 4; official file `train/ssl_meta_arch.py`, whose names are kept. This pair trained
ViT-g. When ViT-S, B and L were distilled from it the teacher was ViT-g itself, frozen, and what was
released of them is a moving average that was kept beside the student (section 5):

    student.backbone.*   student.dino_head.*   student.ibot_head.*    (the last one if separate)
    teacher.backbone.*   teacher.dino_head.*   teacher.ibot_head.*
"""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dino_core.config import TrainConfig
from dino_core.heads import ProjectionHead
from dino_core.vit import VisionTransformer


class Network(nn.Module):
    """One side of the pair: backbone, DINO head and, unless patches share that, an iBOT head."""

    def __init__(
        self,
        config: TrainConfig,
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        # One generator for all parts: seeded anew for each, the two heads would start alike.
        generator = generator or torch.Generator().manual_seed(0)
        width = config.vit.dim
        self.backbone = VisionTransformer(config.vit, generator=generator, device=device)
        self.dino_head = ProjectionHead(width, config.dino_head, generator=generator, device=device)
        self.ibot_head = (
            ProjectionHead(width, config.ibot_head, generator=generator, device=device)
            if config.ibot_head is not None
            else None
        )

    @property
    def parts(self) -> dict[str, nn.Module]:
        """The modules by name; gradients are clipped in each of them separately."""
        return dict(self.named_children())

    def logits(self, cls: Tensor, patches: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Class tokens [n, D], masked patch tokens [M, D] -> logits [n, K], [M, K'] of iBOT's head.

        A shared head sees both in one batch, so that its large last matrix is read once.
        """
        if patches is None:
            return self.dino_head(cls), None
        if self.ibot_head is not None:
            return self.dino_head(cls), self.ibot_head(patches)
        both = self.dino_head(torch.cat([cls, patches]))
        return both[: len(cls)], both[len(cls) :]


class StudentTeacher(nn.Module):
    """Student and teacher. The teacher starts as a copy, has no gradient and stays in eval mode."""

    def __init__(
        self,
        config: TrainConfig,
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.student = Network(config, generator=generator, device=device)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> "StudentTeacher":
        """Student into the mode asked for; the teacher never drops a path."""
        super().train(mode)
        self.teacher.eval()
        return self

    @property
    def follower(self) -> Network:
        """Who follows the student by moving average, and is what a run is about: the teacher."""
        return self.teacher

    @torch.no_grad()
    def copy_student(self) -> None:
        """Makes the follower equal to the student again, after weights were put into it."""
        self.follower.load_state_dict(self.student.state_dict())

    def kept(self) -> dict[str, Tensor]:
        """What a checkpoint holds."""
        return self.state_dict()

    def load_kept(self, tensors: Mapping[str, Tensor]) -> None:
        """The way back, strictly."""
        self.load_state_dict(tensors)


class TaughtStudent(StudentTeacher):
    """Distillation: the teacher is another network, larger and done with learning.

    It never moves; the moving average of the student is kept beside, and is the result:

        student.*    average.*    teacher.*    (the last is in no checkpoint)

    Both heads of the teacher must have as many prototypes as the student's, and as many patches
    must be seen of a crop.
    """

    def __init__(
        self, config: TrainConfig, teacher: Network, *, generator: torch.Generator | None = None
    ) -> None:
        nn.Module.__init__(self)
        self.student = Network(config, generator=generator)
        self.teacher = teacher.requires_grad_(False)
        self.average = copy.deepcopy(self.student).requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> "TaughtStudent":
        super().train(mode)
        self.average.eval()
        return self

    @property
    def follower(self) -> Network:
        return self.average

    def kept(self) -> dict[str, Tensor]:
        return {k: v for k, v in self.state_dict().items() if not k.startswith("teacher.")}

    def load_kept(self, tensors: Mapping[str, Tensor]) -> None:
        teacher = {k: v for k, v in self.state_dict().items() if k.startswith("teacher.")}
        self.load_state_dict({**tensors, **teacher})
