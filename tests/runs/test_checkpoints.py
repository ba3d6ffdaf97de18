"""runs/checkpoints.py: whole or not there; damage is found."""

import os

import pytest
import torch
from tiny_models import pictures, tiny_vit

from dino_core.runs import checkpoints
from dino_core.runs.checkpoints import (
    Checkpoint,
    load_checkpoint,
    load_optimiser,
    model_file,
    newest_checkpoint,
    optimiser_file,
    optimiser_tensors,
    remove_after,
    save_checkpoint,
    steps_in,
)


def checkpoint(step):
    return Checkpoint(
        step,
        {"a": torch.full((50, 3), float(step)), "b": torch.tensor(step).bfloat16()},
        {"exp_avg/a": torch.arange(6.0) + step, "step/a": torch.tensor(float(step))},
        {"words": "ä"},
    )


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_what_was_written_is_read(tmp_path):
    save_checkpoint(tmp_path, checkpoint(7))
    found = load_checkpoint(tmp_path, 7)
    assert same(found.model, checkpoint(7).model)
    assert found.model["b"].dtype == torch.bfloat16
    assert same(found.optimiser, checkpoint(7).optimiser)
    assert found.facts == {"step": 7, "words": "ä"}


def test_the_newest_two_and_the_milestones_stay(tmp_path):
    for step in range(1, 10):
        save_checkpoint(tmp_path, checkpoint(step), keep=lambda s: s % 3 == 0)
    assert steps_in(tmp_path) == [3, 6, 8, 9]
    assert steps_in(tmp_path, to_resume=True) == [8, 9]


def damage_middle(path):
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("which", [model_file, optimiser_file])
@pytest.mark.parametrize(
    "damage",
    [
        damage_middle,
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, 0),
        lambda path: path.write_bytes(b"\0" * 500),
    ],
)
def test_a_damaged_one_is_passed_over_and_said(tmp_path, which, damage):
    for step in (1, 2):
        save_checkpoint(tmp_path, checkpoint(step))
    damage(which(tmp_path, 2))
    found, complaints = newest_checkpoint(tmp_path)
    assert found is not None
    assert found.step == 1
    assert len(complaints) == 1
    assert which(tmp_path, 2).name in complaints[0]


def test_files_of_different_steps_do_not_make_a_checkpoint(tmp_path):
    for step in (1, 2):
        save_checkpoint(tmp_path, checkpoint(step))
    optimiser_file(tmp_path, 1).replace(optimiser_file(tmp_path, 2))
    with pytest.raises(ValueError, match="another step"):
        load_checkpoint(tmp_path, 2)


def test_half_written_files_and_later_ones_go(tmp_path):
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, checkpoint(step), keep=lambda s: True)
    partial = tmp_path / "step-00000004.safetensors.abcd.part"
    partial.write_bytes(b"half")
    remove_after(tmp_path, 2)
    assert steps_in(tmp_path) == [1, 2]
    assert not partial.exists()


def test_an_optimiser_goes_on_where_it_was():
    models = [tiny_vit() for _ in range(2)]
    optimisers = [torch.optim.AdamW(m.parameters(), lr=1e-2, weight_decay=0.1) for m in models]

    def step(i):
        optimisers[i].zero_grad()
        models[i](pictures()).cls.square().sum().backward()
        optimisers[i].step()

    step(0)
    stored = optimiser_tensors(optimisers[0], models[0])
    assert "exp_avg_sq/blocks.1.attn.qkv.weight" in stored
    models[1].load_state_dict(models[0].state_dict())
    load_optimiser(optimisers[1], models[1], stored)
    step(0)
    step(1)
    assert same(models[0].state_dict(), models[1].state_dict())
    with pytest.raises(ValueError, match="does not fit"):
        load_optimiser(optimisers[1], models[1], {"exp_avg/nothing": torch.ones(1)})


def test_the_model_is_written_last(tmp_path, monkeypatch):
    """With it a checkpoint exists: were it first, a full disk would leave one to nobody's use."""
    save_checkpoint(tmp_path, checkpoint(1))
    written = []
    save = checkpoints.save_file

    def full(tensors, path, facts):
        written.append(path)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        save(tensors, path, facts)

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(OSError):
        save_checkpoint(tmp_path, checkpoint(2))
    assert steps_in(tmp_path) == steps_in(tmp_path, to_resume=True) == [1]
    assert newest_checkpoint(tmp_path)[0].step == 1


def test_memory_of_another_shape_does_not_fit():
    model = tiny_vit()
    optimiser = torch.optim.AdamW(model.parameters())
    name, parameter = next(iter(model.named_parameters()))
    for kind in ("exp_avg", "exp_avg_sq"):
        with pytest.raises(ValueError, match=f"{kind}/{name}, which does not fit"):
            load_optimiser(optimiser, model, {f"{kind}/{name}": torch.ones(*parameter.shape, 2)})
    load_optimiser(optimiser, model, {f"step/{name}": torch.tensor(3.0)})


def test_a_fingerprint_is_of_names_shapes_types_and_bytes():
    zeros = torch.zeros(2, 3)
    others = [
        {"b": zeros},
        {"a": zeros.T},
        {"a": zeros.int()},
        {"a": zeros - torch.eye(2, 3)},
        {"a": zeros, "b": zeros},
    ]
    known = checkpoints.digest({"a": zeros})
    assert known == checkpoints.digest({"a": zeros.clone()})
    assert known not in [checkpoints.digest(one) for one in others]


def test_a_digest_is_of_names_shapes_and_types_too():
    plain = torch.zeros(2, 3)
    others = [plain.view(3, 2), torch.zeros(2, 3, dtype=torch.int32), plain + 1]
    digests = {checkpoints.digest({"a": one}) for one in (plain, *others)}
    assert len(digests | {checkpoints.digest({"b": plain})}) == 5
    assert checkpoints.digest({"a": plain, "b": plain}) == checkpoints.digest(
        {"b": plain, "a": plain}
    )


def test_a_full_disk_keeps_its_number(tmp_path):
    error = checkpoints.as_os_error(
        Exception("Error while serializing: I/O error: File too large (os error 27)"), tmp_path
    )
    assert isinstance(error, OSError)
    assert (error.errno, error.strerror, error.filename) == (27, "File too large", str(tmp_path))
    other = RuntimeError("something else")
    assert checkpoints.as_os_error(other, tmp_path) is other


@pytest.mark.parametrize("fused", [True, False])
def test_steps_are_counted_where_adamw_looks_for_them(fused: bool) -> None:
    """On a GPU the fused one wants them there; a tensor without memory stands for one on it."""
    model = torch.nn.Linear(2, 1, bias=False, device="meta")
    optimiser = torch.optim.AdamW(model.parameters())
    optimiser.param_groups[0]["fused"] = fused
    kept = {"step/weight": torch.tensor(3.0), "exp_avg/weight": torch.ones(1, 2)}
    load_optimiser(optimiser, model, kept)
    state = optimiser.state[model.weight]
    assert state["step"].device.type == ("meta" if fused else "cpu")
    assert state["exp_avg"].device.type == "meta"
