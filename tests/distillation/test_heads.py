"""distillation/heads.py: the recipe of the released models against a plain loop, and its run."""

import copy
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from forked import together
from safetensors.torch import save_file
from tiny_distillations import distil_there, found, setup
from tiny_runs import TRAIN, differing_pair, files, final, longer, losses, picture

from dino_core.distillation.heads import begin, load_teacher, with_heads_of
from dino_core.distillation.run import distil
from dino_core.runs import pretraining
from dino_core.runs.folder import read_metrics, read_state, request_action
from dino_core.runs.pretrained_heads import OWN, save_heads
from dino_core.runs.students import by_heads
from dino_core.schedules import values_at
from dino_core.step.accumulation import step_in_parts
from dino_core.step.loader import BatchMaker, generator_for, to_batch
from dino_core.targets import sinkhorn_knopp
from dino_core.weights import load_backbone, save_backbone

WISE = replace(TRAIN, vit=replace(TRAIN.vit, dim=24, depth=3, drop_path=0.0))
RUN = by_heads(longer(5, measure_every=5, checkpoint_every=2))


@pytest.fixture
def teacher(tmp_path):
    """A wider and deeper pair than the student, in a file of its own."""
    pair = differing_pair(WISE)
    save_heads(pair, WISE, OWN, tmp_path / "wise.safetensors")
    return tmp_path / "wise.safetensors"


def loop_losses(student, teacher, batch, temperature):
    """The four terms of a step, written out: no mask, iBOT on every patch of both global crops."""
    B = batch.pictures
    views = [batch.global_crops[:B], batch.global_crops[B:]]
    with torch.no_grad():
        seen = [teacher.backbone(view) for view in views]
        wanted = sinkhorn_knopp(
            teacher.dino_head(torch.cat([one.cls for one in seen])), temperature, 3
        ).split(B)
        patches = torch.cat([one.patches for one in seen]).flatten(0, 1)
        wanted_patches = sinkhorn_knopp(teacher.ibot_head(patches), temperature, 3)
    whole = [student.backbone(view) for view in views]
    parts = [student.backbone(part) for part in batch.local_crops.split(B)]
    said = [F.log_softmax(student.dino_head(o.cls) / 0.1, -1) for o in (*whole, *parts)]
    pairs = 2 + 2 * len(parts)  # 2 between global crops
    dino = torch.zeros(())
    for i in range(len(said)):
        for v in range(2):
            if i != v:
                dino += -(wanted[v] * said[i]).sum(-1).mean() / pairs
    ibot, koleo = torch.zeros(()), torch.zeros(())
    words = F.log_softmax(student.ibot_head(torch.cat([o.patches for o in whole])) / 0.1, -1)
    terms = -(wanted_patches.view_as(words) * words).sum(-1)  # [2B, P]
    for crop in range(2 * B):
        ibot += terms[crop].mean() / (2 * B)
    for one in whole:
        cls = F.normalize(one.cls, dim=-1)
        for b in range(B):
            others = [c for c in range(B) if c != b]
            nearest = max(others, key=lambda c: float((cls[b] @ cls[c]).detach()))
            distance = (cls[b] - cls[nearest] + 1e-8).norm()
            koleo += -torch.log(distance + 1e-8) / B
    return dino + ibot + 0.1 * koleo


def test_a_step_is_that_of_a_plain_loop(tmp_path, data, teacher):
    """Losses of three steps, the student after them, and the average that is kept of it."""
    chosen = setup(data, teacher, RUN)
    config = RUN.train
    wise = differing_pair(WISE).teacher.half().float()  # as it is in the file
    progress = begin(chosen, wise, torch.device("cpu"))
    student = copy.deepcopy(progress.pair.student)
    average = copy.deepcopy(student)
    optimiser = pretraining_optimiser(student)
    maker = BatchMaker(found(data), config, RUN.seed)
    before = copy.deepcopy(wise.state_dict())
    for step in range(3):
        batch, values = to_batch(maker.make(step)), values_at(step, config.schedule)
        result = step_in_parts(
            progress.pair, [batch], progress.optimiser, values, config, progress.centers,
            generators=[None],
        )  # fmt: skip
        loss = loop_losses(student, wise, batch, values.teacher_temperature)
        assert result.loss == pytest.approx(loss.item(), abs=2e-4), step
        optimiser.zero_grad()
        loss.backward()
        follow_schedule(optimiser, student, values)
        with torch.no_grad():
            for kept, learnt in zip(average.parameters(), student.parameters(), strict=True):
                kept.mul_(values.momentum).add_(learnt, alpha=1 - values.momentum)
    assert all(torch.equal(before[name], value) for name, value in wise.state_dict().items())
    assert not progress.pair.teacher.training
    for name, value in progress.pair.follower.state_dict().items():
        if not name.endswith("qkv.bias"):  # a third of it has no gradient but rounding noise
            torch.testing.assert_close(
                value, average.state_dict()[name], atol=2e-4, rtol=0, msg=name
            )


def pretraining_optimiser(student):
    from dino_core.runs.progress import run_optimiser

    return run_optimiser(student, RUN)


def follow_schedule(optimiser, student, values):
    from dino_core.update import apply_schedule, clip_gradients

    clip_gradients(student.parts, RUN.train.optim.clip)
    apply_schedule(optimiser, values)
    optimiser.step()


def test_the_average_is_what_comes_out_and_the_teacher_is_in_no_checkpoint(tmp_path, data, teacher):
    run = tmp_path / "run"
    assert distil(run, setup(data, teacher, RUN)) == "finished"
    stored = final(run, 5)
    assert {name.split(".")[0] for name in stored} == {
        "student", "average", "dino_loss", "ibot_patch_loss",
    }  # fmt: skip
    vit = load_backbone(weights=run / "backbone.safetensors").vit
    assert vit.config.dim == TRAIN.vit.dim
    for name, tensor in vit.state_dict().items():
        assert torch.equal(tensor, stored[f"average.backbone.{name}"]), name
    newest = load_backbone(weights=run / "checkpoints" / "step-00000005.safetensors").vit
    assert torch.equal(newest.norm.weight, vit.norm.weight)
    assert not torch.equal(vit.cls_token, stored["student.backbone.cls_token"])


def test_whose_the_gradients_are_is_asked_of_the_student(tmp_path, data, teacher):
    """The teacher is frozen, and the average that is kept has no gradient: the run is the same."""
    for name, every in (("plain", 0), ("watched", 5)):
        distil(tmp_path / name, setup(data, teacher, RUN, gradient_shares=every))
    one, other = final(tmp_path / "plain", 5), final(tmp_path / "watched", 5)
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    looked = [line for line in read_metrics(tmp_path / "watched") if "gradient_shares" in line]
    assert [line["step"] for line in looked] == [1, 5]
    shares = looked[-1]["gradient_shares"]
    assert set(shares) == {"dino_global", "dino_local", "koleo", "ibot"}
    for layer in ("patch embedding", "block 1", "final norm"):
        assert sum(of_loss[layer] for of_loss in shares.values()) == pytest.approx(1)


def test_stopped_and_resumed_is_the_same_bit_for_bit(tmp_path, data, teacher, monkeypatch):
    distil(tmp_path / "whole", setup(data, teacher, RUN))
    broken, told = tmp_path / "broken", pretraining.end_of_step

    def stop_at_three(run, control, progress, *rest):
        if progress.step == 3:
            request_action(broken, "stop")
        return told(run, control, progress, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(pretraining, "end_of_step", stop_at_three)
        assert distil(broken, setup(data, teacher, RUN)) == "stopped"
    assert distil(broken, resume=True) == "finished"
    one, other = final(broken, 5), final(tmp_path / "whole", 5)
    assert [name for name in other if not torch.equal(one[name], other[name])] == []
    assert losses(broken) == losses(tmp_path / "whole")


def test_another_teacher_under_the_same_name_is_refused(tmp_path, data, teacher, monkeypatch):
    run, told = tmp_path / "run", pretraining.end_of_step

    def stop(run, control, progress, *rest):
        request_action(run.path, "stop")
        return told(run, control, progress, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(pretraining, "end_of_step", stop)
        distil(run, setup(data, teacher, RUN))
    pair = differing_pair(WISE)
    with torch.no_grad():
        pair.teacher.backbone.cls_token += 1
    save_heads(pair, WISE, OWN, teacher)
    with pytest.raises(ValueError, match="not the one that the run began with"):
        distil(run, resume=True)
    assert read_state(run).state == "stopped"


@pytest.mark.slow
def test_two_processes_make_the_run_of_one(tmp_path, data, teacher):
    """KoLeo sees the pictures of one process, as officially, and is left out here."""
    loss = replace(RUN.train.loss, koleo_weight=0.0)
    config = replace(RUN, train=replace(RUN.train, loss=loss))
    distil(tmp_path / "one", setup(data, teacher, config))
    together(distil_there, str(tmp_path / "two"), setup(data, teacher, config))
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    np.testing.assert_allclose([x for _, x in two], [x for _, x in one], atol=1e-5)
    for name, tensor in final(tmp_path / "one", 5).items():
        if name.endswith("qkv.bias"):
            continue
        torch.testing.assert_close(
            final(tmp_path / "two", 5)[name], tensor, atol=1e-5, rtol=0, msg=name
        )


def test_a_teacher_without_heads_or_with_other_patches_is_refused(tmp_path, data, teacher):
    bare = files(tmp_path / "some", {"0.png": picture(0)})
    with pytest.raises(ValueError, match="learns from the teacher's heads, and dinov2_vits14"):
        distil(tmp_path / "run", setup(bare, "dinov2_vits14", RUN))
    coarse = replace(RUN.train, vit=replace(RUN.train.vit, patch_size=8))
    with pytest.raises(ValueError, match="the student's have 8 px and the teacher's 4"):
        distil(tmp_path / "run", setup(bare, teacher, replace(RUN, train=coarse)))
    assert not (tmp_path / "run").exists()


def test_a_training_checkpoint_of_any_origin_is_a_teacher(tmp_path, data):
    """With student and teacher in it, and nothing said of how they were trained."""
    pair = differing_pair(WISE)
    tensors = {name: tensor.contiguous() for name, tensor in pair.state_dict().items()}
    path = tmp_path / "training.safetensors"
    save_file(tensors, path, {"config": json.dumps(asdict(WISE.vit))})
    network, config = load_teacher(setup(data, path, RUN))
    for name, tensor in pair.teacher.state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor), name
    assert config.dino_head.prototypes == WISE.dino_head.prototypes
    save_backbone(pair.teacher.backbone, tmp_path / "alone.safetensors")
    with pytest.raises(ValueError, match="no pair of student and teacher with their heads"):
        load_teacher(setup(data, tmp_path / "alone.safetensors", RUN))


def test_drawn_the_same_as_in_training(data, teacher):
    """The student of a seed is that of a run from scratch with the same heads."""
    from dino_core.student_teacher import StudentTeacher

    progress = begin(setup(data, teacher, RUN), differing_pair(WISE).teacher, torch.device("cpu"))
    plain = StudentTeacher(RUN.train, generator=generator_for(RUN.seed, "weights", 0))
    for name, tensor in plain.student.state_dict().items():
        assert torch.equal(progress.pair.student.state_dict()[name], tensor)
        assert torch.equal(progress.pair.follower.state_dict()[name], tensor)


def test_the_student_s_heads_are_of_the_teacher_s_sizes(data, teacher):
    dino, ibot = (replace(WISE.dino_head, prototypes=count) for count in (14, 15))
    chosen = with_heads_of(setup(data, teacher, RUN), replace(WISE, dino_head=dino, ibot_head=ibot))
    assert (chosen.run.train.dino_head, chosen.run.train.ibot_head) == (dino, ibot)
    assert chosen.run.train.vit == RUN.train.vit, "and all else is its own"
