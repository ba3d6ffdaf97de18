"""What was asked for -> what a distillation is made of, checked before anything is written."""

from dataclasses import dataclass, replace
from pathlib import Path

from dino_core.datasets import Pictures
from dino_core.distillation.views import asked_about
from dino_core.runs.request import full_path
from dino_core.runs.setup import (
    Setup,
    check_looked_at,
    check_readable,
    check_whole_patches,
    read_pictures,
    with_full_paths,
)
from dino_core.weights import Backbone, default_model, load_backbone


@dataclass(frozen=True)
class DistilSetup(Setup):
    """A run of a student under a frozen teacher; `config.json` holds it."""

    teacher: str | None = None  # a model by name, or a file; None: the model on this disk


def validated(setup: DistilSetup) -> tuple[DistilSetup, Pictures]:
    """The setup with nothing left open, and its pictures; the teacher is not looked at here."""
    crops, patch = setup.run.train.crops, setup.run.train.vit.patch_size
    sizes = (crops.global_size, crops.local_size) if setup.run.follow is None else ()
    check_whole_patches((crops.global_size, *sizes), patch)
    pictures = read_pictures(setup)
    check_readable(pictures, setup.data)
    check_looked_at(setup)
    setup = replace(setup, teacher=teacher_name(setup.teacher))
    return with_full_paths(setup), pictures


def teacher_name(asked: str | None) -> str:
    """A model by its name, or the full path of a file."""
    if asked is None:
        return default_model()
    return full_path(asked) if is_file(asked) else asked


def is_file(name: str) -> bool:
    return Path(name).expanduser().exists()


def load_teacher(setup: DistilSetup) -> Backbone:
    """ValueError for a name that is no model, and a file that is no backbone."""
    name = teacher_name(setup.teacher)
    model, weights = (None, name) if is_file(name) else (name, None)
    return load_backbone(model, weights, device=setup.device)


def student_grid(setup: DistilSetup) -> tuple[int, int]:
    """Patches (h, w) of the student."""
    side = setup.run.train.crops.global_size // setup.run.train.vit.patch_size
    return side, side


def teacher_size(setup: DistilSetup, teacher: Backbone) -> int:
    """Px at which the teacher looks: so many of its own patches a side as the recipe says."""
    assert setup.run.follow is not None
    side = setup.run.follow.teacher_grid or student_grid(setup)[0]
    return side * teacher.vit.config.patch_size


def used_pictures(setup: DistilSetup, pictures: Pictures) -> tuple[Pictures, int]:
    """Those that the teacher is asked about, and in how many crops each is cut."""
    assert setup.run.follow is not None
    return asked_about(pictures, setup.run.follow.answers)
