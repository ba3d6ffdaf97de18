"""The smallest distillation, and what the tests of it share."""

from dataclasses import replace
from pathlib import Path

from tiny_runs import TRAIN, longer

from dino_core.config import FollowConfig, OptimConfig
from dino_core.datasets import Pictures, find_pictures
from dino_core.distillation.setup import DistilSetup
from dino_core.distillation.views import ViewMaker, asked_about
from dino_core.runs.presets import RunConfig

FOLLOW = FollowConfig(answers=40, teacher_grid=3)  # four crops of each of ten pictures
# A grid of 4 x 4 patches of 4 px under a teacher that sees 3 x 3 of 14 px.
RUN = replace(
    longer(6),
    follow=FOLLOW,
    train=replace(
        TRAIN,
        vit=replace(TRAIN.vit, drop_path=0.0),
        optim=OptimConfig(layer_decay=1.0, patch_embed_factor=1.0),
        schedule=replace(TRAIN.schedule, epochs=6, base_learning_rate=0.05),
    ),
)


def setup(
    data: Path, teacher: Path | str | None, run: RunConfig = RUN, **changes: object
) -> DistilSetup:
    name = None if teacher is None else str(teacher)
    return DistilSetup(run=run, data=str(data), teacher=name, **{"threads": 1, **changes})


def maker(data: Path, run: RunConfig = RUN, rank: int = 0, world: int = 1) -> ViewMaker:
    assert run.follow is not None
    pictures, crops = asked_about(found(data), run.follow.answers)
    return ViewMaker(pictures, crops, run, rank, world)


def found(data: Path) -> Pictures:
    return find_pictures(data)


def distil_there(
    folder: str, chosen: DistilSetup | None, rank: int = 0, world: int = 1, port: int = 0
) -> None:
    """Starts a distillation, or goes on with it where none is given; also as one of several."""
    import os

    import torch

    from dino_core.distillation.run import distil

    torch.set_num_threads(1)
    if world > 1:
        os.environ.update(RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1")
        os.environ["MASTER_PORT"] = str(port)
    distil(folder, chosen, resume=chosen is None)
