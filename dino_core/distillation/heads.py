"""The recipe of the released ViT-S, B and L (paper, section 5 and table 16): by prototypes.

The losses and the loop are those of training (`runs/pretraining.py`), with these exceptions:

    the teacher is another network with its heads, larger and frozen
    nothing is masked: iBOT compares all patches of both global crops
    no path is dropped
    a moving average of the student is kept beside, which is the result

The student's heads have as many prototypes as the teacher's, and so its sizes.
"""

from dataclasses import replace
from pathlib import Path

import torch

from dino_core.config import TrainConfig
from dino_core.datasets import Pictures
from dino_core.distillation.setup import DistilSetup, is_file, teacher_name
from dino_core.runs.checkpoint_pairs import open_checkpoint_pair
from dino_core.runs.folder import RunFolder
from dino_core.runs.pretrained_heads import heads_for, load_heads
from dino_core.runs.pretraining import End, learn, say_start
from dino_core.runs.progress import Progress, open_pair, run_optimiser
from dino_core.step.distributed import World
from dino_core.step.forward import Centers
from dino_core.step.loader import generator_for
from dino_core.student_teacher import Network, StudentTeacher, TaughtStudent
from dino_core.weights.files import read_state_dict


def load_teacher(setup: DistilSetup) -> tuple[Network, TrainConfig]:
    """The teacher with its heads, and how it was trained. ValueError for a backbone alone."""
    name = teacher_name(setup.teacher)
    if is_file(name):
        pair, config = open_teacher(name)
    elif heads_for(name):
        pair, config = load_heads()
    else:
        raise ValueError(
            f"By the recipe paper the student learns from the teacher's heads, and {name} has "
            f"none here: take preview_vits14, a run, a checkpoint of student and teacher, or a "
            f"file of heads (see the command heads); or the recipe features."
        )
    return pair.teacher, config


def open_teacher(name: str) -> tuple[StudentTeacher, TrainConfig]:
    """The pair of a run's folder, a file of heads, or a training checkpoint of any origin."""
    if Path(name).is_dir() or "train" in read_state_dict(name)[1]:
        pair, config, _ = open_pair(name)
        return pair, config
    return open_checkpoint_pair(name)


def with_heads_of(setup: DistilSetup, teacher: TrainConfig) -> DistilSetup:
    """The student with heads of the teacher's sizes. ValueError where patches differ in size."""
    train = setup.run.train
    ours, theirs = train.vit.patch_size, teacher.vit.patch_size
    if ours != theirs:
        raise ValueError(
            f"By the recipe paper patches are compared one by one, but the student's have {ours} "
            f"px and the teacher's {theirs}: choose a student with patches of {theirs} px, or the "
            f"recipe features."
        )
    train = replace(train, dino_head=teacher.dino_head, ibot_head=teacher.ibot_head)
    return replace(setup, run=replace(setup.run, train=train))


def begin(setup: DistilSetup, teacher: Network, device: torch.device) -> Progress:
    """Step 0: the student drawn from the seed, its average a copy."""
    config = setup.run
    generator = generator_for(config.seed, "weights", 0)
    pair = TaughtStudent(config.train, teacher, generator=generator).to(device)
    return Progress(pair, run_optimiser(pair.student, config), Centers.zeros(config.train, device))


def learn_by_heads(
    run: RunFolder, setup: DistilSetup, pictures: Pictures, world: World, teacher: Network
) -> End:
    """The run, in each of its processes."""
    say_start(run, setup.run, world)
    return learn(run, setup, pictures, world, begin(setup, teacher, world.device))
