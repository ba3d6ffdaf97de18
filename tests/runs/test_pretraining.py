"""runs/pretraining.py: runs that were stopped, killed or damaged end as if they had not been."""

import json
import os
import random
import signal
import time
from dataclasses import replace

import pytest
import torch
from forked import Fork, together
from sharded import picture_table, tarred
from tiny_runs import (
    RUN,
    TRAIN,
    compare,
    even,
    files,
    final,
    limited_run,
    longer,
    losses,
    noise_folder,
    picture,
    run_there,
    setup,
    step_lines,
)

from dino_core.datasets import places
from dino_core.runs import pretraining
from dino_core.runs.checkpoints import model_file, steps_in
from dino_core.runs.exit_codes import DISK_FULL
from dino_core.runs.folder import read_metrics, read_state, request_action
from dino_core.runs.pretraining import train
from dino_core.weights import load_backbone


@pytest.fixture
def data(tmp_path):
    return noise_folder(tmp_path / "pictures")


def assert_same_weights(a, b):
    assert a.keys() == b.keys()
    different = [name for name in a if not torch.equal(a[name], b[name])]
    assert not different


def test_a_run_leaves_everything_behind(tmp_path, data):
    run = tmp_path / "run"
    probe = tmp_path / "pictures" / "00.png"
    assert train(run, setup(data, probes=(str(probe),))) == "finished"
    state = read_state(run)
    assert (state.state, state.step, state.steps, state.alive) == ("finished", 8, 8, False)
    assert [step for step, _ in losses(run)] == list(range(1, 9))
    assert steps_in(run / "checkpoints") == [4, 6, 8]
    assert sorted(path.name for path in (run / "probes").iterdir()) == [
        "step-00000000.npz",
        "step-00000004.npz",
        "step-00000008.npz",
    ]
    line = step_lines(run)[-1]
    for name in ("relative", "gradient_norms", "pictures_per_second", "data_wait", "seconds_left"):
        assert name in line
    assert line["measured"]["effective_rank_limit"] == 5
    assert 0 < line["measured"]["teacher_entropy"]["dino"] <= 1


def test_what_came_out_is_a_backbone_like_any_other(tmp_path, data):
    run = tmp_path / "run"
    train(run, setup(data))
    stored = final(run)
    for path in (run / "backbone.safetensors", model_file(run / "checkpoints", 8)):
        vit = load_backbone(weights=path).vit
        assert vit.config == replace(TRAIN.vit)
        for name, tensor in vit.state_dict().items():
            assert torch.equal(tensor, stored[f"teacher.backbone.{name}"]), name


@pytest.mark.slow
def test_the_seed_decides(tmp_path, data):
    weights = []
    for i, seed in enumerate((1, 1, 2)):
        train(tmp_path / str(i), setup(data, replace(RUN, seed=seed)))
        weights.append(final(tmp_path / str(i)))
    assert_same_weights(weights[0], weights[1])
    name = "student.backbone.blocks.0.mlp.fc1.weight"
    assert not torch.equal(weights[0][name], weights[2][name])


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": replace(TRAIN.loss, centering="centering")},
        {"bfloat16": True},
        {"ibot_head": None},
    ],
)
@pytest.mark.slow
def test_stopped_and_resumed_is_the_same_bit_for_bit(tmp_path, data, changes, monkeypatch):
    config = replace(RUN, train=replace(TRAIN, **changes))
    train(tmp_path / "whole", setup(data, config))

    broken = tmp_path / "broken"
    told = pretraining.end_of_step

    def stop_at_five(run, control, progress, *rest):
        if progress.step == 5:
            request_action(broken, "stop")
        return told(run, control, progress, *rest)

    monkeypatch.setattr(pretraining, "end_of_step", stop_at_five)
    assert train(broken, setup(data, config)) == "stopped"
    assert (read_state(broken).state, read_state(broken).step) == ("stopped", 5)
    monkeypatch.undo()
    assert train(broken, resume=True) == "finished"
    assert_same_weights(final(broken), final(tmp_path / "whole"))
    assert losses(broken) == losses(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["shards", "table"])
def test_resumed_on_shards_is_the_same_bit_for_bit(tmp_path, monkeypatch, kind):
    """In the middle of a pass, with a buffer that holds a part of the set."""
    monkeypatch.setattr(places, "SHUFFLED", 3)
    monkeypatch.setattr(places, "ROWS_SHUFFLED", 3)
    pictures = [picture(i) for i in range(11)]
    source = picture_table(tmp_path / "t.parquet", pictures)
    if kind == "shards":
        source = tmp_path / "s-{0..2}.tar"
        for shard in range(3):
            few = {f"{i}.png": pictures[i] for i in range(shard, 11, 3)}
            tarred(tmp_path / f"s-{shard}.tar", few)
    train(tmp_path / "whole", setup(source))
    broken = tmp_path / "broken"
    told = pretraining.end_of_step

    def stop_at_five(run, control, progress, *rest):
        if progress.step == 5:
            request_action(broken, "stop")
        return told(run, control, progress, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(pretraining, "end_of_step", stop_at_five)
        assert train(broken, setup(source)) == "stopped"
    assert train(broken, resume=True) == "finished"
    assert_same_weights(final(broken), final(tmp_path / "whole"))
    assert losses(broken) == losses(tmp_path / "whole")


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed_is_the_same_bit_for_bit(tmp_path, data):
    config = longer(30, checkpoint_every=1)
    train(tmp_path / "whole", setup(data, config))
    broken = tmp_path / "broken"
    chance = random.Random(5)
    partial_seen = kills = 0
    for attempt in range(30):
        chosen = setup(data, config) if not (broken / "config.json").exists() else None
        process = Fork(run_there, str(broken), chosen).process
        # Every other time in the middle of writing a checkpoint, else anywhere.
        wanted = 1 if attempt % 2 else chance.randrange(2, 8)
        done = len(read_metrics(broken))
        while process.is_alive() and len(read_metrics(broken)) < done + wanted:
            time.sleep(0.002)
        while attempt % 2 and process.is_alive():
            if list((broken / "checkpoints").glob("*.part")):
                partial_seen += 1
                break
        if kills >= 6:
            process.join()
        kills += process.is_alive()
        process.kill()
        process.join()
        if broken.joinpath("state.json").exists() and read_state(broken).state == "finished":
            break
        assert read_state(broken).state in ("stopped", "starting")
    assert kills >= 3
    assert partial_seen
    assert read_state(broken).state == "finished"
    assert_same_weights(final(broken, 30), final(tmp_path / "whole", 30))
    assert losses(broken) == losses(tmp_path / "whole")
    assert not list((broken / "checkpoints").glob("*.part"))


def test_a_damaged_newest_checkpoint_costs_its_steps_and_nothing_else(tmp_path, data, capsys):
    run = tmp_path / "run"
    train(run, setup(data))
    whole = final(run)
    path = model_file(run / "checkpoints", 8)
    path.write_bytes(path.read_bytes()[:-100])
    assert train(run, resume=True) == "finished"
    assert "Going on from the checkpoint before it, of step 6" in capsys.readouterr().err
    assert_same_weights(final(run), whole)
    assert [step for step, _ in losses(run)] == list(range(1, 9))


def test_without_any_whole_checkpoint_it_does_not_start_over_in_silence(tmp_path, data):
    run = tmp_path / "run"
    train(run, setup(data))
    for path in (run / "checkpoints").glob("*.optimiser.safetensors"):
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="No checkpoint"):
        train(run, resume=True)
    assert read_state(run).state == "failed"


@pytest.mark.slow
def test_pause_resume_and_stop_from_outside(tmp_path, data):
    run = tmp_path / "run"
    process = Fork(run_there, str(run), setup(data, longer(100000))).process

    def until(*states):
        for _ in range(2000):
            if (run / "state.json").exists() and read_state(run).state in states:
                return read_state(run)
            time.sleep(0.01)
        raise AssertionError(read_state(run))

    try:
        assert until("running").alive
        for _ in range(2):  # asking twice is asking once
            request_action(run, "pause")
        step = until("paused").step
        assert steps_in(run / "checkpoints", to_resume=True)[-1] == step
        time.sleep(0.3)
        assert read_state(run).step == step
        with pytest.raises(ValueError, match="Another process"):
            train(run, resume=True)
        request_action(run, "resume")
        while until("running").step == step:
            time.sleep(0.01)
        request_action(run, "stop")
        stopped = until("stopped")
        process.join(20)
        assert process.exitcode == 0
        assert steps_in(run / "checkpoints", to_resume=True)[-1] == stopped.step
    finally:
        process.kill()
        process.join()
    assert read_state(run).can_resume


@pytest.mark.slow
def test_a_polite_kill_stops_with_a_checkpoint(tmp_path, data):
    run = tmp_path / "run"
    process = Fork(run_there, str(run), setup(data, longer(100000))).process
    while len(read_metrics(run)) < 3 and process.is_alive():
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGTERM)
    process.join(20)
    state = read_state(run)
    assert (process.exitcode, state.state) == (0, "stopped")
    assert steps_in(run / "checkpoints", to_resume=True)[-1] == state.step


@pytest.mark.slow
def test_a_full_disk_is_said_and_older_checkpoints_stay(tmp_path, data):
    """No file may grow past 40 KB: a checkpoint has more."""
    run = tmp_path / "run"
    process = Fork(limited_run, str(run), setup(data), 40_000).process
    process.join(60)
    assert process.exitcode == DISK_FULL
    state = read_state(run)
    assert state.state == "failed"
    assert "disk is full" in state.words
    assert not list((run / "checkpoints").iterdir())
    assert train(run, resume=True) == "finished"  # there is room again


def test_a_loss_that_is_not_finite_stops_and_names_the_term(tmp_path, data, monkeypatch):
    run = tmp_path / "run"
    make = pretraining.to_batch
    count = iter(range(100))

    def poisoned(raw, device):
        batch = make(raw, device)
        if next(count) == 4:
            batch.local_crops[0] = float("nan")
        return batch

    monkeypatch.setattr(pretraining, "to_batch", poisoned)
    with pytest.raises(FloatingPointError, match="Not finite: the DINO term"):
        train(run, setup(data))
    state = read_state(run)
    assert state.state == "failed"
    assert "DINO term" in state.words
    assert "checkpoint is of step 4" in state.words
    assert all(tensor.isfinite().all() for tensor in final(run, 4).values())


def test_broken_pictures_are_skipped_and_named(tmp_path):
    contents = {f"{i}.png": picture(i) for i in range(5)} | {"3.png": b"junk"}
    run = tmp_path / "run"
    train(run, setup(files(tmp_path / "pictures", contents)))
    log = (run / "log.txt").read_text()
    assert log.count("Skipped 3.png") == 1


def test_a_folder_in_use_and_pictures_that_changed_are_refused(tmp_path, data):
    run = tmp_path / "run"
    train(run, setup(data))
    with pytest.raises(ValueError, match="--resume"):
        train(run, setup(data))
    with pytest.raises(ValueError, match="not empty"):
        train(data, setup(data))
    (data / "00.png").unlink()
    with pytest.raises(ValueError, match="10 then, 9 now"):
        train(run, resume=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": "nowhere"}, "There is no"),
        ({"run": replace(RUN, needs_weights=True)}, "--weights"),
        ({"probes": ("no.png",)}, "no.png"),
        ({"knn": "nowhere"}, "There is no"),
        ({"device": "cuda"}, "cannot be used"),
        ({"device": "gpu9"}, "'gpu9' cannot be used on this machine: choose cpu"),
    ],
)
def test_a_mistake_leaves_no_folder_behind(tmp_path, data, change, words):
    if change.get("device") and torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(ValueError, match=words):
        train(tmp_path / "run", replace(setup(data), **change))
    assert not (tmp_path / "run").exists()


def test_frozen_blocks_stay_and_the_others_wait_for_the_heads(tmp_path, data):
    """Half of the steps move heads and mask token alone, then the last block joins."""
    config = replace(
        RUN, trainable_blocks=1, head_warmup=0.5, backbone_rate=0.5, checkpoint_every=4
    )
    train(tmp_path / "run", setup(data, config))
    start = pretraining.begin(setup(data, config), torch.device("cpu")).pair.student.state_dict()

    def moved(step):
        state = final(tmp_path / "run", step)
        return {n for n, t in start.items() if not torch.equal(state[f"student.{n}"], t)}

    body = {n for n in moved(4) if n.startswith("backbone")}
    assert body == {"backbone.mask_token"}
    assert any(n.startswith("dino_head") for n in moved(4))
    body = {n.split(".")[1] + n.split(".")[2] for n in moved(8) if n.startswith("backbone.b")}
    assert body == {"blocks1"}
    assert "backbone.norm.weight" in moved(8)
    assert "backbone.pos_embed" not in moved(8)


def test_parts_of_a_batch_give_the_step_of_several_processes(tmp_path, data):
    """Centring, no KoLeo, equally many masked patches: the step does not depend on the parts."""
    config = even(replace(TRAIN.loss, centering="centering", koleo_weight=0.0))
    for parts in (1, 3):
        chosen = replace(config, accumulate=parts)
        train(tmp_path / str(parts), setup(data, chosen))
    compare(tmp_path / "1", tmp_path / "3")


@pytest.mark.slow
@pytest.mark.parametrize("centering", ["centering", "sinkhorn_knopp"])
def test_two_processes_make_the_run_of_one_with_the_whole_batch(tmp_path, data, centering):
    config = even(replace(TRAIN.loss, centering=centering, koleo_weight=0.0))
    train(tmp_path / "one", setup(data, config))
    together(run_there, str(tmp_path / "two"), setup(data, config))
    compare(tmp_path / "one", tmp_path / "two")


def run_with_a_late_look(folder, chosen, rank, world, port):
    """The second process looks at the folder, if it does, when the first has begun the run."""
    if rank:
        from dino_core.runs.folder import RunFolder

        check_new = RunFolder.check_new

        def late(run):
            while not run.config_file.exists():
                time.sleep(0.01)
            check_new(run)

        RunFolder.check_new = late
    run_there(folder, chosen, rank, world, port)


@pytest.mark.slow
def test_a_process_that_comes_late_finds_no_other_run_in_its_own(tmp_path, data):
    together(run_with_a_late_look, str(tmp_path / "run"), setup(data))
    assert read_state(tmp_path / "run").state == "finished"


def test_config_says_all_that_was_asked(tmp_path, data):
    run = tmp_path / "run"
    train(run, setup(data))
    config = json.loads((run / "config.json").read_text())
    assert config["kind"] == "pretraining"
    assert config["pictures"]["count"] == 10
    from dino_core.runs.folder import RunFolder
    from dino_core.runs.setup import stored_setup

    assert stored_setup(RunFolder(run)) == setup(data, heads="new")  # settled when the run began
