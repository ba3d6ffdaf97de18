"""runs/experiments.py: switches that change numbers of the configuration, and nothing else."""

from dataclasses import asdict, replace

import pytest
import torch
from tiny_runs import TRAIN, losses, noise_folder, setup, step_lines

from dino_core.datasets import find_pictures
from dino_core.masks import sample_masks
from dino_core.runs.experiments import EXCLUSIVE, EXPERIMENTS, titles_of, with_experiments
from dino_core.runs.presets import TINY
from dino_core.runs.pretraining import train
from dino_core.runs.request import RunRequest, config_of
from dino_core.runs.setup import Setup
from dino_core.schedules import values_at
from dino_core.step.forward import Centers, make_targets, teacher_outputs
from dino_core.step.loader import BatchMaker, generator_for, to_batch
from dino_core.step.train_step import train_step
from dino_core.student_teacher import StudentTeacher
from dino_core.update import build_optimiser

# What each switch changes in the preset tiny, and nothing else: the field, then its value.
CHANGES = {
    "no-centring": {"loss.centering": "centering", "loss.center_momentum": 1.0},
    "no-sharpening": {
        "schedule.start_teacher_temperature": 0.1,
        "schedule.teacher_temperature": 0.1,
    },
    "teacher-is-student": {"schedule.momentum": 0.0, "schedule.end_momentum": 0.0},
    "teacher-frozen": {"schedule.momentum": 1.0, "schedule.end_momentum": 1.0},
    "no-koleo": {"loss.koleo_weight": 0.0},
    "no-local-crops": {"crops.local_count": 0},
    "no-masking": {"masks.hide": False},
    "random-masking": {"masks.shape": "scattered"},
    "small-batch": {"schedule.batch_size": 8},
    "rate-x10": {"schedule.base_learning_rate": pytest.approx(4e-2)},
}


def flat(values, before=""):
    found = {}
    for name, value in values.items():
        nested = isinstance(value, dict)
        found |= flat(value, f"{before}{name}.") if nested else {before + name: value}
    return found


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_switch_changes_its_numbers_and_nothing_else(name):
    before, after = flat(asdict(TINY)), flat(asdict(with_experiments(TINY, [name])))
    different = {key: after[key] for key in after if after[key] != before[key]}
    # With checkpoints close enough to each other that a collapse can be mended.
    assert (different.pop("keep_good"), different.pop("checkpoint_every")) == (True, 20)
    assert different == {f"train.{key}": value for key, value in CHANGES[name].items()}


def test_switches_add_up_and_are_turned_once():
    request = RunRequest(
        "pretraining", data="samples", batch=40, experiment=("small-batch", "no-koleo")
    )
    config = config_of(request)
    assert (config.batch_size, config.train.loss.koleo_weight) == (5, 0.0)
    # What is written into the folder is settled, and is set up again when a run is repeated.
    assert config_of(request.settled().settled()) == config
    assert Setup.of(request).run == config


def test_what_cannot_be_switched_is_said():
    for pair in EXCLUSIVE:
        with pytest.raises(ValueError, match=f"{pair[0]} and {pair[1]} exclude each other"):
            with_experiments(TINY, pair)
    with pytest.raises(ValueError, match=r"no experiment 'no-loss'\. There are no-centring"):
        with_experiments(TINY, ["no-loss"])
    assert titles_of(["no-koleo", "rate-x10"]) == "no KoLeo, rate x 10"
    assert titles_of(["gone"]) == "gone", "of a run from another version"


def test_a_small_batch_has_two_pictures_at_least() -> None:
    """KoLeo compares two."""
    request = RunRequest("pretraining", data="samples", batch=9, experiment=("small-batch",))
    assert config_of(request).batch_size == 2


def test_checkpoints_that_were_closer_stay_so() -> None:
    assert with_experiments(replace(TINY, checkpoint_every=5), ["no-koleo"]).checkpoint_every == 5


# --- what the changed numbers do in a step


def after_steps(tmp_path, name, steps=2):
    """The pair and the results of a few steps under a switch."""
    config = with_experiments(replace(setup(tmp_path).run, train=TRAIN), [name]).train
    maker = BatchMaker(find_pictures(noise_folder(tmp_path)), config, 0)
    pair = StudentTeacher(config, generator=generator_for(0, "weights", 0))
    optimiser = build_optimiser(pair.student.parts, config.optim)
    centers, results = Centers.zeros(config), []
    for step in range(steps):
        values, batch = values_at(step, config.schedule), to_batch(maker.make(step))
        generator = generator_for(0, "drop path", step)
        result = train_step(pair, batch, optimiser, values, config, centers, generator=generator)
        centers = result.centers
        results.append(result)
    return pair, config, batch, centers, results


def test_without_centring_the_teacher_s_logits_are_its_targets(tmp_path):
    pair, config, batch, centers, _ = after_steps(tmp_path, "no-centring")
    assert centers.dino.tolist() == [0] * 12
    teacher = teacher_outputs(pair.teacher, batch, config)
    targets = make_targets(teacher, 0.05, config.loss, centers)
    torch.testing.assert_close(targets.cls, (teacher.logits / 0.05).softmax(-1))


def test_momentum_at_its_ends(tmp_path):
    pair, *_ = after_steps(tmp_path, "teacher-is-student")
    for mine, theirs in zip(pair.student.parameters(), pair.teacher.parameters(), strict=True):
        torch.testing.assert_close(theirs, mine, rtol=0, atol=0)
    pair, config, *_ = after_steps(tmp_path, "teacher-frozen")
    began = StudentTeacher(config, generator=generator_for(0, "weights", 0)).teacher.state_dict()
    for name, tensor in pair.teacher.state_dict().items():
        assert torch.equal(tensor, began[name]), name


def test_without_local_crops_two_pairs_are_left(tmp_path):
    *_, results = after_steps(tmp_path, "no-local-crops")
    assert results[0].dino_terms.shape == (2, 2, 6)
    terms = results[0].dino_terms
    assert results[0].terms["dino_local"] == 0.0
    both = (terms[0, 1].mean() + terms[1, 0].mean()) / 2  # G (G - 1) = 2 pairs
    assert results[0].terms["dino_global"] == pytest.approx(both.item(), rel=1e-5)


def test_masks_that_hide_nothing_and_masks_that_are_scattered(tmp_path):
    _, _, batch, _, results = after_steps(tmp_path, "no-masking")
    assert len(results[0].ibot_terms) == batch.masks.numel()  # every patch is compared
    config = with_experiments(TINY, ["random-masking"]).train.masks
    drawn = sample_masks(200, (8, 8), config, torch.Generator().manual_seed(0))
    blocks = sample_masks(200, (8, 8), TINY.train.masks, torch.Generator().manual_seed(0))
    targets = sorted(one.target for one in drawn.block_masks)
    assert targets == sorted(one.target for one in blocks.block_masks)  # as many, and exactly:
    assert [int(row.sum()) for row in drawn.masks] == [one.target for one in drawn.block_masks]
    # Of a hidden patch's neighbour to the right: hidden too in blocks, left to chance if scattered.
    together = [
        (masks[:, :, :-1] & masks[:, :, 1:]).sum() / masks[:, :, :-1].sum()
        for masks in (drawn.masks.view(-1, 8, 8), blocks.masks.view(-1, 8, 8))
    ]
    share = drawn.masks.sum(1).double().square().sum() / drawn.masks.sum() / 64
    assert together[0] == pytest.approx(share.item(), abs=0.03)
    assert together[1] > together[0] + 0.2


def test_a_run_under_a_switch_is_a_run(tmp_path):
    data = noise_folder(tmp_path / "pictures")
    run = with_experiments(setup(data).run, ["no-local-crops", "no-masking"])
    assert train(tmp_path / "run", setup(data, run)) == "finished"
    assert len(losses(tmp_path / "run")) == 8
    assert step_lines(tmp_path / "run")[0]["uniform"]["dino_local_crops_loss"] == 0.0
