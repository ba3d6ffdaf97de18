"""What is looked at in a run now and then, and kept in its folder."""

from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dino_core.datasets import Pictures
from dino_core.evaluation import knn, patch_knn, patch_matching, piece_knn
from dino_core.runs import sample_pictures
from dino_core.runs.folder import RunFolder
from dino_core.runs.presets import RunConfig
from dino_core.runs.progress import Progress
from dino_core.step.distributed import World
from dino_core.step.sharding import whole_backbone
from dino_core.vit import VisionTransformer


class Milestones:
    """What is looked at now and then: the chosen pictures, k-NN of pictures and of patches, patches
    found again; of pictures without classes, k-NN over pieces of them."""

    # The frozen teacher of a distillation, and the px at which it looks: what there is to reach.
    teacher: tuple[VisionTransformer, int] | None = None

    def __init__(
        self,
        run: RunFolder,
        config: RunConfig,
        world: World,
        knn: knn.LabelledSet | None,
        probes: list[tuple[str, Image.Image]],
        pictures: Pictures,
    ) -> None:
        self.run, self.config, self.first = run, config, world.first
        self.knn, self.probes, self.pictures = knn, probes, pictures
        # Whoever goes on from good weights wants to know what becomes of the dense features.
        self.dense = config.needs_weights or knn is not None
        self.over_pieces = knn is None and pictures.labels is None

    def visit(self, progress: Progress) -> None:
        """The first process looks; the others must call it too, for it may need their shards."""
        if not (self.dense or self.over_pieces or self.probes):
            return
        vit = whole_backbone(progress.pair.follower.backbone, self.first)
        if vit is not None:
            self.look(vit, progress.step)

    def look(self, vit: VisionTransformer, step: int) -> None:
        """At a backbone after so many steps; in the first process."""
        size, steps = self.config.train.crops.global_size, self.config.steps
        if self.probes:
            arrays = self._seen_by(vit, size, step)
            sample_pictures.save_arrays(self.run.probes / f"step-{step:08}.npz", arrays)
            if self.run.events is not None:
                self.run.events.pictures(arrays, step)
        measured = self._measured(vit, size, step)
        if measured:
            self.run.add_metrics({"step": step, "steps": steps, **measured})

    def _measured(self, vit: VisionTransformer, size: int, step: int) -> dict[str, Any]:
        """What the milestone's line says of a backbone, in the names of docs/metrics.md."""
        measured: dict[str, Any] = {}
        if self.knn is not None:
            self.run.put_state("running", "Measuring k-NN accuracy.", step, self.config.steps)
            scores = knn.knn_accuracy(vit, self.knn, size)
            patches = patch_knn.patch_knn_accuracy(vit, self.knn.test, size)
            measured |= {"knn": scores, "patch_knn": patches}
            words = ", ".join(f"{name} {score:.2f} %" for name, score in scores.items())
            self.run.log(
                f"20-NN after step {step}: {words}; of single patches, for the class of their "
                f"picture, {patches:.2f} %."
            )
        if self.over_pieces:
            measured |= self._recognised(vit, size, step)
        if self.dense:
            dense = patch_matching.dense_measures(vit, self._some(), size)
            measured |= {"matching": dense.found, "patch_cosine": dense.cosine}
            self.run.log(
                f"Patches found again after step {step}: {dense.found:.2f} %; mean cosine between "
                f"the patches of a picture {dense.cosine:.3f}."
            )
        return measured

    def _recognised(self, vit: VisionTransformer, size: int, step: int) -> dict[str, Any]:
        """k-NN over pieces, and what to compare it with; nothing of fewer than two pictures."""
        found = piece_knn.piece_knn(vit, self.pictures, size)
        if found is None:
            return {}
        chance = 100 / found.pictures
        words = ", ".join(f"{name} {share:.2f} %" for name, share in found.shares.items())
        self.run.log(
            f"k-NN over pieces after step {step}: from which of {found.pictures} pictures a piece "
            f"is, by {words}; by chance {chance:.2f} %."
        )
        facts = {"chance": chance, "pictures": found.pictures, "pieces": piece_knn.PIECES}
        return {"piece_knn": {**found.shares, **self._to_compare, **facts}}

    @cached_property
    def _to_compare(self) -> dict[str, float]:
        """k-NN over the same pieces by raw pixels, and by the frozen teacher's class token."""
        pixels, found = piece_knn.pixel_knn(self.pictures), {}
        if pixels is not None:
            found["pixels"] = pixels
        if self.teacher is not None:
            vit, size = self.teacher
            seen = piece_knn.piece_knn(vit, self.pictures, size)
            found |= {} if seen is None else {"teacher": seen.shares["cls"]}
        return found

    def _seen_by(self, vit: VisionTransformer, size: int, step: int) -> dict[str, np.ndarray]:
        """The chosen pictures, in colours that flicker as little as may be."""
        arrays = sample_pictures.probe(vit, self.probes, size, self.config)
        before = [p for p in sorted(self.run.probes.glob("step-*.npz")) if milestone(p) < step]
        if before:
            with np.load(before[-1]) as stored:
                arrays["pca"] = sample_pictures.same_colours(arrays["pca"], stored["pca"])
        return arrays

    def _some(self) -> list[Image.Image]:
        """A few of the run's own, evenly spread; those that cannot be read are left out."""
        found = []
        for index in patch_matching.evenly_spread(len(self.pictures), patch_matching.PICTURES):
            with suppress(ValueError):
                found.append(self.pictures.picture(index))
        return found


def milestone(path: Path) -> int:
    """probes/step-00000400.npz -> 400."""
    return int(path.stem.removeprefix("step-"))
