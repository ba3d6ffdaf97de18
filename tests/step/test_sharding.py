"""step/sharding.py: a model in shards makes the run, and the files, of a whole one."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from forked import together
from safetensors import safe_open
from safetensors.torch import load_file
from tiny_runs import (
    RUN,
    TRAIN,
    coloured,
    compare,
    even,
    files,
    longer,
    noise_folder,
    run_there,
    setup,
    step_lines,
)

from dino_core.runs import pretraining
from dino_core.runs.checkpoints import optimiser_file
from dino_core.runs.folder import read_metrics, read_state, request_action
from dino_core.runs.presets import with_batch
from dino_core.runs.pretraining import train

FOUR = longer(4)


@pytest.fixture
def data(tmp_path):
    return noise_folder(tmp_path / "pictures")


def tried_run(folder, chosen, options, rank, world, port):
    """A run that is stopped after `options["stop"]` steps, goes on with `options["changes"]`, or
    has a broken number in the process `options["poisoned"]`, and notes what it held at the end.

    Changes the module: for a process of its own.
    """
    told, made = pretraining.end_of_step, pretraining.to_batch
    torch.set_num_threads(1)
    if world > 1:
        os.environ.update(RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1")
        os.environ["MASTER_PORT"] = str(port)

    def end_of_step(run, control, progress, *rest):
        if rank == 0 and progress.step == options.get("stop"):
            request_action(folder, "stop")
        note(Path(f"{folder}-{rank}.json"), progress)
        return told(run, control, progress, *rest)

    def to_batch(raw, device):
        batch = made(raw, device)
        if rank == options.get("poisoned"):
            batch.local_crops[0] = float("nan")
        return batch

    pretraining.end_of_step, pretraining.to_batch = end_of_step, to_batch
    try:
        train(folder, chosen, resume=chosen is None, changes=options.get("changes"))
    except FloatingPointError as error:
        Path(f"{folder}-{rank}.txt").write_text(str(error))


def note(path, progress):
    """Numbers held by this process, and by all together."""
    memory = [
        value
        for state in progress.optimiser.state.values()
        for kind, value in state.items()
        if kind != "step"
    ]
    held = {
        "student": list(progress.pair.student.parameters()),
        "teacher": list(progress.pair.teacher.parameters()),
        "gradients": [p.grad for p in progress.pair.student.parameters() if p.grad is not None],
        "memory": memory,
    }
    sizes = {
        name: [sum(own_shard(t).numel() for t in some), sum(t.numel() for t in some)]
        for name, some in held.items()
    }
    path.write_text(json.dumps(sizes))


def own_shard(tensor):
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def quiet(centering):
    """Of which one process and two make the same: no KoLeo, no drop path, even masks."""
    loss = replace(TRAIN.loss, centering=centering, koleo_weight=0.0)
    return replace(even(loss), milestones=1)


@pytest.mark.slow
@pytest.mark.parametrize("centering", ["centering", "sinkhorn_knopp"])
def test_shards_in_two_processes_make_the_run_of_a_whole_model_in_one(tmp_path, data, centering):
    labelled = files(tmp_path / "labelled", coloured(4))
    looked_at = {"probes": (str(data / "00.png"),), "knn": str(labelled)}
    chosen = setup(data, quiet(centering), **looked_at)
    one, two = tmp_path / "one", tmp_path / "two"
    train(one, chosen)
    together(tried_run, str(two), replace(chosen, shard=True), {})
    compare(one, two)
    assert json.loads((two / "config.json").read_text())["setup"]["shard"]

    for rank in (0, 1):  # of each kind about half
        held = json.loads(Path(f"{two}-{rank}.json").read_text())
        assert held.keys() == {"student", "teacher", "gradients", "memory"}
        for mine, of_all in held.values():
            assert 0.45 < mine / of_all < 0.55
    assert_same_files(one, two)

    scores = [[line["knn"] for line in read_metrics(run) if "knn" in line] for run in (one, two)]
    assert len(scores[0]) == len(scores[1]) == 2
    assert scores[0][0] == scores[1][0]  # the start, bit for bit the same
    for name in ("step-00000000.npz", "step-00000005.npz"):
        with np.load(one / "probes" / name) as a, np.load(two / "probes" / name) as b:
            np.testing.assert_allclose(a["attention"], b["attention"], atol=1e-5)


def assert_same_files(one, two):
    """The same names, and in every checkpoint the same tensors and facts under the same names."""
    names = sorted(str(path.relative_to(one)) for path in one.rglob("*"))
    assert names == sorted(str(path.relative_to(two)) for path in two.rglob("*"))
    stored = [name for name in names if name.endswith(".safetensors")]
    assert len(stored) == 3  # backbone, model and optimiser
    for name in stored:
        contents = []
        for folder in (one, two):
            with safe_open(folder / name, "pt") as file:
                tensors = [(key, file.get_tensor(key)) for key in sorted(file.keys())]
                facts = {key: text for key, text in file.metadata().items() if key != "digest"}
                contents.append(([(key, t.dtype, t.shape) for key, t in tensors], facts))
        assert contents[0] == contents[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    [
        # Drop path leaves blocks by another door than `forward`; one head for all that is asked.
        with_batch(replace(FOUR, train=replace(FOUR.train, ibot_head=None)), 8, accumulate=2),
        # What moves changes on the way: first the heads, then the last block with them.
        replace(FOUR, trainable_blocks=1, head_warmup=0.5, backbone_rate=0.5),
    ],
)
def test_two_processes_with_shards_or_with_whole_models_make_the_same(tmp_path, data, config):
    """With drop path, KoLeo and uneven masks, which make two processes differ from one."""
    chosen = setup(data, replace(config, checkpoint_every=4, milestones=1))
    whole, shards = tmp_path / "whole", tmp_path / "shards"
    together(run_there, str(whole), chosen)
    together(tried_run, str(shards), replace(chosen, shard=True), {})
    compare(whole, shards, 4)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["shards", "whole"])
def test_a_run_goes_on_with_other_processes_than_it_began_with(tmp_path, data, first):
    chosen = setup(data, quiet("centering"))
    one, run = tmp_path / "one", tmp_path / "run"
    train(one, chosen)
    stop = {"stop": 3}
    if first == "shards":
        together(tried_run, str(run), replace(chosen, shard=True), stop)
        assert (read_state(run).state, read_state(run).step) == ("stopped", 3)
        with pytest.raises(ValueError, match="--no-shard"):
            train(run, resume=True)
        assert train(run, resume=True, changes={"shard": False}) == "finished"
    else:
        together(tried_run, str(run), chosen, stop, world=1)
        assert (read_state(run).state, read_state(run).step) == ("stopped", 3)
        together(tried_run, str(run), None, {"changes": {"shard": True}})
    assert read_state(run).state == "finished"
    compare(one, run)
    memory, other = (load_file(optimiser_file(r / "checkpoints", 5)) for r in (one, run))
    assert memory.keys() == other.keys()
    for name, tensor in memory.items():
        torch.testing.assert_close(other[name], tensor, rtol=0, atol=1e-5, msg=name)


@pytest.mark.slow
def test_a_number_broken_in_one_process_stops_all_and_names_the_term(tmp_path, data):
    run = tmp_path / "run"
    chosen = setup(data, RUN, shard=True)
    together(tried_run, str(run), chosen, {"poisoned": 1})
    assert read_state(run).state == "failed"
    assert "a gradient is not" in Path(f"{run}-0.txt").read_text()
    assert "Not finite: the DINO" in Path(f"{run}-1.txt").read_text()


def test_shards_of_a_single_process_are_refused(tmp_path, data):
    with pytest.raises(ValueError, match="only this one: start them by torchrun"):
        train(tmp_path / "run", setup(data, shard=True))
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_gradients_of_matrices_in_bfloat16_are_not_lost(tmp_path, data):
    """Autocast keeps a copy of a matrix for both forward passes; its gradient comes after both."""
    config = longer(2, milestones=1)
    chosen = setup(data, replace(config, train=replace(config.train, bfloat16=True)))
    for name in ("whole", "shards"):
        together(run_there, str(tmp_path / name), replace(chosen, shard=name == "shards"))
    for line, second in zip(
        *map(step_lines, (tmp_path / "whole", tmp_path / "shards")), strict=True
    ):
        assert second["gradient_norms"] == pytest.approx(line["gradient_norms"], rel=1e-3)
