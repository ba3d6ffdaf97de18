"""targets.py against the official losses' teacher side, alone and with two processes."""

import json
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from forked import together
from safetensors.torch import load_file, save_file

from dino_core.targets import center_and_sharpen, sinkhorn_knopp, update_center

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def stored():
    return load_file(GOLDEN / "heads_losses.safetensors")


@pytest.fixture(scope="module")
def temperatures():
    meta = json.loads((GOLDEN / "heads_losses_meta.json").read_text())
    return {"dino": meta["dino_temps"], "ibot": meta["ibot_temps"]}


def scores_of(n, K, seed=0, scale=1.0):
    return scale * torch.randn(n, K, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("kind", ["dino", "ibot"])
def test_centring_follows_the_official_sequence(stored, temperatures, kind):
    center = torch.zeros(stored[f"{kind}/0/teacher_output"].shape[-1], dtype=torch.float64)
    for t, temperature in enumerate(temperatures[kind]):
        scores = stored[f"{kind}/{t}/teacher_output"].double().flatten(0, -2)
        targets = center_and_sharpen(scores, center, temperature)
        expected = stored[f"{kind}/{t}/softmax"].flatten(0, -2)
        torch.testing.assert_close(targets, expected, rtol=1e-8, atol=1e-10)
        torch.testing.assert_close(center, stored[f"{kind}/{t}/center_used"].flatten())
        center = update_center(center, scores)
    torch.testing.assert_close(center, stored[f"{kind}/center_final"].flatten(), rtol=1e-10, atol=0)


def test_center_of_patches_in_several_rows_is_their_common_mean(stored):
    scores = stored["ibot/batched/teacher_output"].double().flatten(0, 1)
    center = update_center(torch.zeros(scores.shape[-1], dtype=torch.float64), scores)
    torch.testing.assert_close(center, stored["ibot/batched/center"].flatten())


def test_a_batch_without_patches_leaves_the_center_alone():
    center = torch.rand(5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(update_center(center, torch.zeros(0, 5)), center)
    assert sinkhorn_knopp(torch.zeros(0, 5), 0.05).shape == (0, 5)


@pytest.mark.parametrize("kind", ["dino", "ibot"])
def test_sinkhorn_is_the_official_one(stored, temperatures, kind):
    for t, temperature in enumerate(temperatures[kind]):
        scores = stored[f"{kind}/{t}/teacher_output"].flatten(0, -2)
        targets = sinkhorn_knopp(scores, temperature)
        torch.testing.assert_close(
            targets, stored[f"{kind}/{t}/sinkhorn_f32"], rtol=1e-4, atol=1e-7
        )
    once = sinkhorn_knopp(stored["dino/0/teacher_output"], temperatures["dino"][0], iterations=1)
    torch.testing.assert_close(once, stored["dino/0/sinkhorn_iter1_f32"], rtol=1e-4, atol=1e-7)


def test_sinkhorn_equals_the_loop_of_its_docstring():
    scores, temperature, n, K = scores_of(6, 9), 0.3, 6, 9
    Q = (scores / temperature).exp()
    for _ in range(3):
        for k in range(K):
            Q[:, k] /= K * Q[:, k].sum()
        for i in range(n):
            Q[i] /= n * Q[i].sum()
    targets = sinkhorn_knopp(scores, temperature)
    torch.testing.assert_close(targets.double(), n * Q, rtol=1e-5, atol=1e-7)


def test_sinkhorn_uses_all_prototypes_equally_often():
    targets = sinkhorn_knopp(scores_of(12, 8), 0.5, iterations=50)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(12))
    torch.testing.assert_close(targets.sum(dim=0), torch.full((8,), 12 / 8))


def test_sinkhorn_survives_scores_whose_exponential_does_not():
    scores = scores_of(6, 9, scale=3)  # 9 / 0.04 = 225, and exp(89) is the end of float32
    targets = sinkhorn_knopp(scores, 0.04)
    assert torch.isfinite(targets).all()
    log_q = scores / 0.04
    for _ in range(3):
        log_q = log_q - log_q.logsumexp(0)
        log_q = log_q - log_q.logsumexp(1, keepdim=True)
    torch.testing.assert_close(targets.double(), log_q.exp(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("below", [5.0, 40.0])
def test_sinkhorn_survives_a_token_far_below_all_others(below):
    """Each of its exponentials is 0 in float32: 0 / 0 spoilt the targets of the whole batch."""
    scores, temperature = scores_of(6, 9, scale=0.3), 0.04
    scores[3] -= below
    assert not ((scores - scores.amax(0)) / temperature).float().exp()[3].any()
    targets = sinkhorn_knopp(scores, temperature)
    log_q = scores / temperature
    for _ in range(3):
        log_q = log_q - log_q.logsumexp(0)
        log_q = log_q - log_q.logsumexp(1, keepdim=True)
    torch.testing.assert_close(targets.double(), log_q.exp(), rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(6))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_center_of_rows_in_half_precision_is_their_mean_in_float32(dtype):
    """Half-way between two neighbours of 1, where half precision has nothing; 70 000 rows of it."""
    scores = torch.ones(70_000, 3, dtype=dtype)
    scores[::2] += torch.finfo(dtype).eps
    center = update_center(torch.zeros(3), scores, momentum=0.0)
    assert center.dtype == torch.float32
    expected = torch.full((3,), 1 + torch.finfo(dtype).eps / 2)
    torch.testing.assert_close(center, expected, rtol=1e-6, atol=0)


def test_half_precision_scores_give_float32_targets():
    scores = scores_of(4, 6).bfloat16()
    for targets in (
        center_and_sharpen(scores, torch.zeros(6), 0.05),
        sinkhorn_knopp(scores, 0.05),
    ):
        assert targets.dtype == torch.float32
        torch.testing.assert_close(targets.sum(dim=1), torch.ones(4))


def one_of_two(folder, rank, world, port):
    """A process of the test below: its rows in, its targets and centres out."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world
    )
    scores = load_file(GOLDEN / "two_rank.safetensors")["teacher_output"]
    group, zero = dist.group.WORLD, torch.zeros(scores.shape[1])
    dino = scores[8 * rank : 8 * rank + 8]
    ibot = scores[:5] if rank == 0 else scores[5:]
    out = {
        "dino_sinkhorn": sinkhorn_knopp(dino, 0.05, group=group),
        "dino_center": update_center(zero, dino, group=group),
        "ibot_sinkhorn": sinkhorn_knopp(ibot, 0.05, group=group),
        "ibot_center": update_center(zero, ibot, group=group),
        # All rows with one process, none with the other.
        "lone_sinkhorn": sinkhorn_knopp(scores if rank else scores[:0], 0.05, group=group),
    }
    save_file(out, f"{folder}/rank{rank}.safetensors")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_share_centres_and_prototypes_as_the_official_code(tmp_path):
    together(one_of_two, str(tmp_path))
    expected = load_file(GOLDEN / "two_rank.safetensors")
    of_all = sinkhorn_knopp(expected["teacher_output"], 0.05)
    for rank in (0, 1):
        got = load_file(tmp_path / f"rank{rank}.safetensors")
        for kind in ("dino", "ibot"):
            torch.testing.assert_close(
                got[f"{kind}_sinkhorn"],
                expected[f"rank{rank}/{kind}_sinkhorn"],
                rtol=1e-4,
                atol=1e-7,
            )
            torch.testing.assert_close(
                got[f"{kind}_center"],
                expected[f"rank{rank}/{kind}_center"].flatten(),
                rtol=1e-5,
                atol=1e-7,
            )
        lone = of_all if rank else of_all[:0]
        torch.testing.assert_close(got["lone_sinkhorn"], lone, rtol=1e-4, atol=1e-7)
