"""distillation/features.py: the run against a plain loop, and over any number of interruptions."""

import json
import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from forked import Fork, together
from tiny_distillations import FOLLOW, RUN, distil_there, maker, setup
from tiny_models import tiny_vit
from tiny_runs import coloured, files, final, losses, step_lines

from dino_core.datasets import find_pictures
from dino_core.distillation import features
from dino_core.distillation.answers import Answers
from dino_core.distillation.run import check_same_teacher, distil
from dino_core.distillation.setup import teacher_name
from dino_core.distillation.student import Follower, Usual, agreement, flipped_answers
from dino_core.distillation.views import as_floats, normalised, student_images
from dino_core.evaluation.piece_knn import piece_knn
from dino_core.figures.shares import shares_over_run
from dino_core.runs.checkpoints import model_file, steps_in
from dino_core.runs.folder import RunFolder, read_metrics, read_state, request_action
from dino_core.schedules import values_at
from dino_core.step.distributed import World
from dino_core.step.loader import generator_for
from dino_core.weights import load_backbone


def assert_same_weights(one, other):
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_a_run_leaves_everything_behind(tmp_path, data, teacher):
    run = tmp_path / "run"
    chosen = setup(data, teacher, probes=(str(data / "00.png"),))
    assert distil(run, chosen) == "finished"
    state = read_state(run)
    assert (state.kind, state.state, state.step, state.alive) == (
        "distillation", "finished", 6, False,
    )  # fmt: skip
    assert "agrees with the teacher's" in state.words
    assert [step for step, _ in losses(run)] == [1, 2, 3, 4, 5, 6]
    assert steps_in(run / "checkpoints") == [3, 4, 6]
    assert sorted(path.stem for path in (run / "probes").iterdir()) == [
        "step-00000000", "step-00000003", "step-00000006", "teacher",
    ]  # fmt: skip
    # all 40 crops were asked about at the first look
    assert sum(line["asked"] for line in step_lines(run)) == 0
    pieces = {line["step"]: line["piece_knn"] for line in read_metrics(run) if "loss" not in line}
    assert list(pieces) == [0, 3, 6]
    vit, wise = load_backbone(weights=run / "backbone.safetensors").vit, tiny_vit()
    assert pieces[6]["cls"] == piece_knn(vit, find_pictures(data), 16).shares["cls"]
    assert {one["teacher"] for one in pieces.values()} == {
        piece_knn(wise, find_pictures(data), 42).shares["cls"]
    }, "as it sees whole pictures"
    for path in (run / "backbone.safetensors", model_file(run / "checkpoints", 6)):
        vit = load_backbone(weights=path).vit
        assert vit.config == RUN.train.vit
        for name, tensor in vit.state_dict().items():
            assert torch.equal(tensor, final(run, 6)[f"student.backbone.{name}"]), name


def test_the_run_is_a_plain_loop(tmp_path, data, teacher):
    """Everything that is asked, wanted and updated, written out without cache or loader."""
    distil(tmp_path / "run", setup(data, teacher))
    wise, made = tiny_vit(), maker(data)
    student = Follower(RUN.train.vit, 48, generator_for(0, "weights", 0))
    decay, plain = [], []
    for name, parameter in student.named_parameters():
        free = name.endswith("bias") or "norm" in name or "gamma" in name
        (plain if free else decay).append(parameter)
    optimiser = torch.optim.AdamW([{"params": decay}, {"params": plain}], fused=False)

    @torch.no_grad()
    def answers_for(views):
        rows = []
        for view in views:
            pixels = made.pixels(view, 42, upright=True)[None]
            out = wise(normalised(as_floats(pixels, "cpu")))
            maps = out.patches.transpose(1, 2).unflatten(2, (3, 3))
            grid = torch.nn.functional.adaptive_avg_pool2d(maps, (4, 4)).flatten(2)
            rows.append(torch.cat([out.cls[:, None], grid.transpose(1, 2)], 1).half().float())
        return torch.cat(rows)

    usual = Usual.of(answers_for([made.view_at(place, {}) for place in range(40)]))
    for step, loss in losses(tmp_path / "run"):
        raw = made.make(step - 1)
        answers = flipped_answers(
            answers_for(raw.views), torch.tensor([view.flipped for view in raw.views]), (4, 4)
        )
        found = agreement(student(student_images(raw)), usual.standardised(answers), 1.0)
        assert found.loss.item() == pytest.approx(loss, abs=2e-3), step
        optimiser.zero_grad()
        found.loss.backward()
        for part in student.parts.values():
            torch.nn.utils.clip_grad_norm_(part.parameters(), 3.0)
        values = values_at(step - 1, RUN.train.schedule)
        for group, rate in zip(optimiser.param_groups, (1, 0), strict=True):
            group["lr"], group["weight_decay"] = values.learning_rate, rate * values.weight_decay
        optimiser.step()


def test_a_student_learns_what_the_teacher_says(tmp_path, teacher):
    """Of three colours of noise, in few steps: more agreement, and its classes told apart."""
    data = files(tmp_path / "colours", coloured(8, "train/") | coloured(4, "test/"))
    schedule = replace(RUN.train.schedule, epochs=60, batch_size=12)
    config = replace(
        RUN,
        train=replace(RUN.train, schedule=schedule),
        follow=replace(FOLLOW, answers=24),
        checkpoint_every=60,
        milestones=1,
    )
    distil(tmp_path / "run", setup(data, teacher, config, knn=str(data), knn_per_class=(8, 4)))
    lines = [line for line in read_metrics(tmp_path / "run") if "agreement" in line]
    assert lines[-1]["agreement"]["cls"] > lines[0]["agreement"]["cls"] + 0.4
    assert sum(line["asked"] for line in lines) == 0
    knn = [line["knn"]["cls"] for line in read_metrics(tmp_path / "run") if "knn" in line]
    assert len(knn) == 2
    assert knn[-1] > 90


def test_stopped_and_resumed_is_the_same_bit_for_bit(tmp_path, data, teacher, monkeypatch):
    distil(tmp_path / "whole", setup(data, teacher))
    broken, told = tmp_path / "broken", features.end_of_step

    def stop_at_five(run, control, progress, *rest):
        if progress.step == 5:
            request_action(broken, "stop")
        return told(run, control, progress, *rest)

    monkeypatch.setattr(features, "end_of_step", stop_at_five)
    assert distil(broken, setup(data, teacher)) == "stopped"
    monkeypatch.undo()
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "home"))
    assert distil(broken, resume=True) == "finished"
    assert_same_weights(final(broken, 6), final(tmp_path / "whole", 6))
    assert losses(broken) == losses(tmp_path / "whole")


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed_is_the_same_bit_for_bit(
    tmp_path, data, teacher, monkeypatch
):
    """Without a first look at everything: the teacher is asked while the student learns."""
    schedule = replace(RUN.train.schedule, epochs=30)
    follow = replace(FOLLOW, first_look=6)
    config = replace(RUN, train=replace(RUN.train, schedule=schedule), follow=follow)
    distil(tmp_path / "whole", setup(data, teacher, config))
    run = tmp_path / "killed"
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "another-home"))
    chosen: object = setup(data, teacher, config)
    for deadline in (3, 8, 15):
        child = Fork(distil_there, str(run), chosen).process
        while len(read_metrics(run)) < deadline and child.is_alive():
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        chosen = None if (run / "config.json").exists() else chosen
    assert distil(run, resume=True) == "finished"
    assert_same_weights(final(run, 30), final(tmp_path / "whole", 30))


@pytest.mark.slow
def test_two_processes_make_the_run_of_one(tmp_path, data, teacher):
    distil(tmp_path / "one", setup(data, teacher))
    together(distil_there, str(tmp_path / "two"), setup(data, teacher))
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert [step for step, _ in one] == [step for step, _ in two]
    np.testing.assert_allclose([x for _, x in two], [x for _, x in one], atol=1e-4)


def test_a_loss_that_is_not_finite_stops_with_the_weights_as_they_were(
    tmp_path, data, teacher, monkeypatch
):
    make = features.student_images

    def poisoned(raw, device):
        images = make(raw, device)
        images[0, 0, 0, 0] = float("nan")
        return images

    monkeypatch.setattr(features, "student_images", poisoned)
    with pytest.raises(FloatingPointError, match="Not finite: the loss"):
        distil(tmp_path / "run", setup(data, teacher))
    assert read_state(tmp_path / "run").state == "failed"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"teacher": "dinov3_vit7b"}, "no model called 'dinov3_vit7b'"),
        ({"teacher": "{data}/00.png"}, "is no checkpoint"),
        ({"data": "{data}/nothing"}, "nothing"),
        ({"probes": ("{data}/no.png",)}, "no.png"),
        ({"knn": "{data}"}, "has no labels"),
        ({"run": replace(RUN, train=replace(RUN.train, crops=replace(RUN.train.crops,
          global_size=18)))}, "no multiple of the patch size 4"),
    ],
)  # fmt: skip
def test_a_mistake_leaves_no_folder_behind(tmp_path, data, teacher, change, words):
    def filled(value):
        if isinstance(value, tuple):
            return tuple(map(filled, value))
        return value.format(data=data) if isinstance(value, str) else value

    chosen = replace(setup(data, teacher), **{k: filled(v) for k, v in change.items()})
    with pytest.raises(ValueError, match=words):
        distil(tmp_path / "run", chosen)
    assert not (tmp_path / "run").exists()


def test_whose_the_gradients_are_is_looked_at_and_changes_nothing(tmp_path, data, teacher):
    for name, every in (("plain", 0), ("watched", 3)):
        distil(tmp_path / name, setup(data, teacher, gradient_shares=every))
    assert_same_weights(final(tmp_path / "plain", 6), final(tmp_path / "watched", 6))
    looked = [line for line in read_metrics(tmp_path / "watched") if "gradient_shares" in line]
    assert [line["step"] for line in looked] == [1, 3, 6]
    shares = looked[-1]["gradient_shares"]
    assert list(shares) == ["cls", "patches"]
    for layer in ("patch embedding", "block 0", "block 1"):
        assert shares["cls"][layer] != 0 != shares["patches"][layer]
        assert shares["cls"][layer] + shares["patches"][layer] == pytest.approx(1)
    assert (shares["cls"]["map of the class token"], shares["cls"]["map of patches"]) == (1, 0)
    assert list(shares_over_run(looked)) == ["shares_cls", "shares_patches"]
    assert not any("gradient_shares" in line for line in read_metrics(tmp_path / "plain"))


def test_config_says_all_that_was_asked(tmp_path, data, teacher):
    (data / "notes.txt").write_text("no picture")
    distil(tmp_path / "run", setup(data, teacher))
    stored = json.loads((tmp_path / "run/config.json").read_text())
    assert stored["kind"] == "distillation"
    assert stored["setup"]["teacher"] == str(teacher)
    assert stored["setup"]["run"]["follow"]["answers"] == 40
    assert "1 file was left out (notes.txt)" in (tmp_path / "run/log.txt").read_text()


def test_a_teacher_is_found_from_wherever_the_run_goes_on(tmp_path, teacher, monkeypatch):
    monkeypatch.chdir(teacher.parent)
    monkeypatch.setenv("HOME", str(teacher.parent))
    for asked in (teacher.name, f"~/{teacher.name}", str(teacher)):
        assert teacher_name(asked) == str(teacher)
    assert teacher_name("preview_vits14") == "preview_vits14"


def test_a_run_from_before_teachers_were_noted_goes_on(tmp_path, data, teacher):
    run = RunFolder(tmp_path / "run")
    run.create({"kind": "distillation"})
    check_same_teacher(run, setup(data, teacher), "a digest")
    other = RunFolder(tmp_path / "other")
    other.create({"teacher_digest": "another"})
    with pytest.raises(ValueError, match="not the one that the run began with"):
        check_same_teacher(other, setup(data, teacher), "a digest")


def test_what_is_not_finite_leaves_the_weights_as_they_were(data, teacher):
    made, chosen = maker(data), setup(data, teacher)
    progress = features.begin(chosen, 48, torch.device("cpu"))
    progress.usual = Usual(torch.full((2, 48), torch.nan), torch.ones(2, 48))
    before = {n: t.clone() for n, t in progress.student.state_dict().items()}
    wise = load_backbone(weights=teacher)
    with (
        Answers(wise, 42, (4, 4)) as answers,
        pytest.raises(FloatingPointError, match="The weights are left as they were"),
    ):
        features.one_step(progress, made.make(0), RUN, answers, made, World())
    assert_same_weights(progress.student.state_dict(), before)
    assert not progress.optimiser.state


def first_step(data, teacher, half=False):
    """The line of the first step, and the student after it; it was looked at before."""
    train = replace(RUN.train, bfloat16=half)
    config = replace(RUN, train=train)
    made, chosen = maker(data, config), setup(data, teacher, config)
    progress = features.begin(chosen, 48, torch.device("cpu"))
    progress.student.eval()  # as a milestone leaves it
    with Answers(load_backbone(weights=teacher), 42, (4, 4)) as answers:
        progress.usual = features.first_look(made, answers, World())
        line = features.one_step(progress, made.make(0), config, answers, made, World())
    return line, progress.student


def test_a_step_trains_also_after_a_milestone_and_in_half_precision(data, teacher):
    whole, student = first_step(data, teacher)
    assert student.training, "paths are dropped where there are any"
    half, _ = first_step(data, teacher, half=True)
    assert half["loss"] != whole["loss"]
    assert half["loss"] == pytest.approx(whole["loss"], abs=0.05)


def test_what_was_asked_is_counted(data, teacher):
    """Of 12 crops that the first look did not ask about all but one are new."""
    config = replace(RUN, follow=replace(FOLLOW, first_look=1))
    made, chosen = maker(data, config), setup(data, teacher, config)
    progress = features.begin(chosen, 48, torch.device("cpu"))
    with Answers(load_backbone(weights=teacher), 42, (4, 4)) as answers:
        progress.usual = features.first_look(made, answers, World())
        raw = made.make(0)
        line = features.one_step(progress, raw, config, answers, made, World())
    new = {view.key for view in raw.views} - {made.view_at(0, {}).key}
    assert line["asked"] == len(new) > 0


def test_a_first_look_goes_no_further_than_the_crops_there_are(data, teacher):
    config = replace(RUN, follow=replace(FOLLOW, answers=10, first_look=10**6))
    made, places = maker(data, config), []
    look = made.view_at
    made.view_at = lambda place, broken: places.append(place) or look(place, broken)
    with Answers(load_backbone(weights=teacher), 42, (4, 4)) as answers:
        features.first_look(made, answers, World())
    assert places == list(range(10))
