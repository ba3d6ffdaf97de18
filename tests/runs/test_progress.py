"""runs/progress.py: what a run begins with, what learns of it, and where it can go back to."""

from dataclasses import replace

import pytest
import torch
from tiny_runs import RUN, TRAIN, differing_pair, longer, setup

from dino_core.datasets import Pictures
from dino_core.runs import checkpoints
from dino_core.runs.checkpoints import Checkpoint, newest_checkpoint, steps_in
from dino_core.runs.folder import RunFolder
from dino_core.runs.progress import (
    Progress,
    begin,
    good_steps,
    open_pair,
    restore,
    run_optimiser,
    save,
    set_trainable,
)
from dino_core.runs.setup import as_config
from dino_core.step.distributed import World
from dino_core.step.forward import Centers
from dino_core.update import parameter_rule
from dino_core.vit import VisionTransformer
from dino_core.weights import save_backbone


def test_from_given_weights_student_and_teacher_begin_alike(tmp_path):
    """The weights are the seed's for neither of them, and the same for both."""
    given = VisionTransformer(TRAIN.vit, generator=torch.Generator().manual_seed(99))
    save_backbone(given, tmp_path / "given.safetensors")
    drawn = begin(setup(tmp_path), torch.device("cpu")).pair
    pair = begin(setup(tmp_path, weights=str(tmp_path / "given.safetensors")), "cpu").pair
    for network in (pair.student, pair.teacher):
        for name, tensor in given.state_dict().items():
            torch.testing.assert_close(network.backbone.state_dict()[name], tensor)
    student, teacher = pair.student.state_dict(), pair.teacher.state_dict()
    assert all(torch.equal(student[name], teacher[name]) for name in teacher)
    seeds = drawn.student.state_dict()
    heads = [name for name in student if not name.startswith("backbone.")]
    assert all(torch.equal(student[name], seeds[name]) for name in heads), "these are the seed's"


def rates(config):
    """Learning-rate factor of every parameter of a student, by its name."""
    student = differing_pair(config.train).student
    names = {id(p): name for name, p in student.named_parameters()}
    optimiser = run_optimiser(student, config)
    return {
        names[id(p)]: group["rule"].learning_rate
        for group in optimiser.param_groups
        for p in group["params"]
    }


def rule_of(name):
    part, _, own = name.partition(".")
    return parameter_rule(own, 2 if part == "backbone" else 0, TRAIN.optim).learning_rate


def test_everything_learns_at_its_own_rate():
    found = rates(RUN)
    assert found == {name: rule_of(name) for name in found}
    slow = rates(replace(RUN, backbone_rate=0.25))
    for name, rate in slow.items():
        assert rate == (0.25 if name.startswith("backbone.") else 1) * rule_of(name), name
    assert slow.keys() == found.keys()


def test_the_mask_token_of_a_frozen_backbone_has_a_rate_of_its_own():
    """Where it is all that learns of the embeddings."""
    found = rates(replace(RUN, trainable_blocks=1, mask_token_rate=5.0, backbone_rate=0.5))
    assert found.pop("backbone.mask_token") == 5
    body = {name: rate for name, rate in found.items() if name.startswith("backbone.")}
    assert {name.split(".")[1] for name in body} == {"blocks", "norm"}
    assert {name.split(".")[2] for name in body if "blocks" in name} == {"1"}
    assert set(body.values()) == {0.5 * rule_of("backbone.blocks.1.x"), 0.5}
    assert rates(replace(RUN, trainable_blocks=0))["backbone.mask_token"] == rule_of(
        "backbone.mask_token"
    )


@pytest.mark.parametrize(
    ("blocks", "warmup", "moving"),
    [
        (None, 0.0, {0: "all", 9: "all"}),
        (None, 0.3, {0: "mask", 2: "mask", 3: "all", 9: "all"}),
        (1, 0.3, {0: "mask", 2: "mask", 3: "last"}),
        (1, 0.0, {0: "last"}),
        (0, 0.0, {0: "mask", 9: "mask"}),
        (2, 0.5, {4: "mask", 5: "both"}),
    ],
)
def test_which_parameters_move_at_a_step(blocks, warmup, moving):
    config = replace(longer(10), trainable_blocks=blocks, head_warmup=warmup)
    student = differing_pair(config.train).student
    every = {name for name, _ in student.named_parameters()}
    heads = {name for name in every if not name.startswith("backbone.")}
    starts = {
        "all": ("backbone.",),
        "mask": ("backbone.mask_token",),
        "last": ("backbone.mask_token", "backbone.norm", "backbone.blocks.1."),
        "both": ("backbone.mask_token", "backbone.norm", "backbone.blocks."),
    }
    for step, which in moving.items():
        set_trainable(student, config, step)
        found = {name for name, p in student.named_parameters() if p.requires_grad}
        assert found == heads | {n for n in every if n.startswith(starts[which])}, step


def moved(config):
    """A pair, an optimiser with a memory, and centres, all of them unlike the first ones."""
    pair = differing_pair(config.train)
    optimiser = run_optimiser(pair.student, config)
    for parameter in pair.student.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    centers = Centers(torch.arange(12.0), torch.arange(10.0) + 0.5)
    return Progress(pair, optimiser, centers, step=3)


def test_a_checkpoint_is_all_that_the_next_step_needs(tmp_path):
    run, progress = RunFolder(tmp_path / "run"), moved(RUN)
    save(run, progress, RUN, World(rank=1))
    assert not run.checkpoints.exists(), "the first process writes"
    save(run, progress, RUN, World())
    found, complaints = newest_checkpoint(run.checkpoints)
    assert complaints == []
    assert found.facts == {"step": 3, "preset": "own", "steps": 8}
    assert found.model["dino_loss.center"].shape == (1, 12)
    assert found.model["ibot_patch_loss.center"].shape == (1, 1, 10)
    assert {name.split(".")[0] for name in found.model} == {
        "student", "teacher", "dino_loss", "ibot_patch_loss",
    }  # fmt: skip
    fresh = begin(setup(tmp_path), torch.device("cpu"))
    restore(fresh, found)
    assert fresh.step == 3
    assert fresh.centers.dino.equal(progress.centers.dino)
    assert fresh.centers.ibot.equal(progress.centers.ibot)
    for name, tensor in progress.pair.state_dict().items():
        assert tensor.equal(fresh.pair.state_dict()[name]), name
    one, other = (
        checkpoints.optimiser_tensors(at.optimiser, at.pair.student) for at in (progress, fresh)
    )
    assert one.keys() == other.keys()
    assert all(tensor.equal(other[name]) for name, tensor in one.items())


def test_milestones_stay_and_of_the_others_the_newest_two(tmp_path):
    """And of a run that is to be mended, the newest good one with all that is needed to go on."""
    for keep_good, to_resume in ((False, [5, 6]), (True, [2, 5, 6])):
        run, config = RunFolder(tmp_path / str(keep_good)), replace(RUN, keep_good=keep_good)
        run.path.mkdir()
        progress = moved(config)
        for step in range(1, 7):
            progress.step = step
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(
                    "dino_core.step.diagnosis.has_collapsed",
                    lambda lines: bool(lines) and lines[-1]["step"] > 2,
                )
                run.add_metrics({"step": step})
                save(run, progress, config, World())
        assert steps_in(run.checkpoints, to_resume=True) == to_resume
        assert steps_in(run.checkpoints) == sorted({4, *to_resume})


def test_good_steps_come_newest_first(tmp_path, monkeypatch):
    run = RunFolder(tmp_path)
    for step in (0, 2, 4, 6):
        kept = Checkpoint(step, {"a": torch.ones(1)}, {"b": torch.ones(1)}, {})
        checkpoints.save_checkpoint(run.checkpoints, kept, keep=lambda s: True, whole=0)
    lines, seen = [{"step": step} for step in range(1, 7)], []

    def has_collapsed(some):
        seen.append([line["step"] for line in some])
        return len(some) == 4

    monkeypatch.setattr("dino_core.step.diagnosis.has_collapsed", has_collapsed)
    assert list(good_steps(run, lines)) == [6, 0]
    assert seen == [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4], []]


def test_a_pair_of_a_run_is_that_of_its_newest_checkpoint(tmp_path):
    run, chosen = RunFolder(tmp_path / "run"), setup(tmp_path, model="preview_vits14")
    run.create(as_config(replace(chosen, model=None), Pictures(tmp_path, ()), World()))
    with pytest.raises(ValueError, match="has no checkpoint yet"):
        open_pair(run.path)
    progress = moved(RUN)
    save(run, progress, RUN, World())
    pair, config, name = open_pair(run.path)
    assert (config, name) == (TRAIN, "own")
    for key, tensor in progress.pair.state_dict().items():
        assert tensor.equal(pair.state_dict()[key]), key
