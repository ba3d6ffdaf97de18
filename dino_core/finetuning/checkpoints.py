"""What the second stage of fine-tuning puts on the disk: each epoch, and the best of them."""

import math
from dataclasses import dataclass

import torch
from safetensors.torch import save_file
from torch import Tensor

from dino_core.finetuning.classifier import Classifier, copied
from dino_core.runs import checkpoints
from dino_core.runs.checkpoints import Checkpoint
from dino_core.runs.folder import RunFolder
from dino_core.weights import read_state_dict
from dino_core.writing import replacing


@dataclass(frozen=True)
class BackboneCheckpoints:
    """What learns, and where it is kept."""

    run: RunFolder
    classifier: Classifier
    optimiser: torch.optim.Optimizer
    trainable: list[str]  # names of the parameters that move

    def moving(self) -> dict[str, Tensor]:
        """What training changes: its parameters, and the head's standardisation beside them."""
        state = copied(self.classifier)
        return {name: state[name] for name in (*self.trainable, "head.mean", "head.std")}

    def keep_best(self) -> None:
        tensors = {n: t.cpu().contiguous() for n, t in self.moving().items()}
        with replacing(self.run.path / "best.safetensors") as partial:
            save_file(tensors, partial)

    def load_best(self) -> None:
        found, _ = read_state_dict(self.run.path / "best.safetensors")
        self.classifier.load_state_dict(found, strict=False)

    def store(self, epoch: int, best: float, best_epoch: int) -> None:
        """After an epoch; `best` is the lowest validation loss so far."""
        checkpoints.save_checkpoint(
            self.run.checkpoints,
            Checkpoint(
                epoch,
                self.moving(),
                checkpoints.optimiser_tensors(self.optimiser, self.classifier),
                {"best": best, "best_epoch": best_epoch},
            ),
        )

    def restore(self) -> tuple[float, int, int]:
        """(lowest validation loss, its epoch, epochs done) of the newest whole checkpoint."""
        found, complaints = checkpoints.newest_checkpoint(self.run.checkpoints)
        for complaint in complaints:
            self.run.log(complaint)
        if found is None:
            return math.inf, 0, 0
        assert {*self.trainable, "head.mean", "head.std"} == set(found.model)
        self.classifier.load_state_dict(found.model, strict=False)
        checkpoints.load_optimiser(self.optimiser, self.classifier, found.optimiser)
        self.run.log(f"Going on after epoch {found.step}.")
        return found.facts["best"], found.facts["best_epoch"], found.step


def epochs_done(run: RunFolder) -> int:
    """-1 before the first."""
    steps = checkpoints.steps_in(run.checkpoints, to_resume=True)
    return steps[-1] if steps else -1
