"""What several processes of a run make together: as one with all of it, or as the paper's code."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_runs import TRAIN, noise_folder
from torch import Tensor, nn
from two_threads import together

from dino_core.datasets import find_pictures
from dino_core.schedules import values_at
from dino_core.step.distributed import World
from dino_core.step.forward import Centers
from dino_core.step.loader import BatchMaker, generator_for, to_batch
from dino_core.step.metrics import TeacherStatistics, measure
from dino_core.student_teacher import StudentTeacher
from dino_core.targets import sinkhorn_knopp, update_center
from dino_core.update import average_gradients


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("cut", [6, 2, 0])
def test_targets_are_balanced_over_all_rows(cut: int) -> None:
    """Also where one has few of them, or none."""
    scores = noise(12, 5)
    whole = sinkhorn_knopp(scores, 0.1)
    parts = together(
        lambda group, rows: sinkhorn_knopp(rows, 0.1, group=group), [[scores[:cut]], [scores[cut:]]]
    )
    torch.testing.assert_close(torch.cat(parts), whole)
    assert not torch.allclose(sinkhorn_knopp(scores[cut:], 0.1), parts[1]) or cut == 0


def test_a_centre_follows_the_mean_of_the_means() -> None:
    scores, center = noise(12, 5), noise(5, seed=1)

    def moved(group: object, rows: Tensor) -> Tensor:
        return update_center(center, rows, 0.75, group)  # type: ignore[arg-type]

    few = together(moved, [[scores[:2]], [scores[2:]]])
    mean = (scores[:2].mean(0) + scores[2:].mean(0)) / 2
    none = together(moved, [[scores[:0]], [scores]])
    votes = (center + scores.mean(0)) / 2  # one for the centre as it is
    for found, wanted in ((few, mean), (none, votes)):
        for one in found:
            torch.testing.assert_close(one, 0.75 * center + 0.25 * wanted)


def test_gradients_are_averaged_whoever_used_a_parameter() -> None:
    networks = [nn.ModuleList([nn.Linear(2, 1), nn.Linear(2, 1)]) for _ in range(2)]
    for network in networks:
        network[1].bias.requires_grad_(False)
    networks[0][0].weight.grad = torch.tensor([[2.0, 4.0]])
    networks[1][0].weight.grad = torch.tensor([[4.0, 0.0]])
    networks[0][1].weight.grad = torch.tensor([[1.0, 1.0]])  # the other has none
    together(lambda group, one: average_gradients(one, group), [[one] for one in networks])
    for network in networks:
        assert network[0].weight.grad.tolist() == [[3, 2]]
        assert network[1].weight.grad.tolist() == [[0.5, 0.5]]
        assert network[0].bias.grad.tolist() == [0]
        assert network[1].bias.grad is None
    alone = nn.Linear(2, 1)
    average_gradients(alone, None)
    assert alone.weight.grad is None


def test_what_processes_tell_each_other() -> None:
    def told(group: object, rank: int) -> tuple[object, ...]:
        world = World(rank, 3, group=group)  # type: ignore[arg-type]
        return (
            world.first,
            world.agree(5 + rank),
            world.share({"rank": rank}),
            world.collect(10 * rank),
            world.mean({"a": float(rank), "b": 2.0 * rank}),
            world.mean({}),
        )

    found = together(told, [[0], [1], [2]])
    mean = {"a": 1.0, "b": 2.0}
    assert found[0] == (True, 5, {"rank": 0}, [0, 10, 20], mean, {})
    assert found[1] == found[2] == (False, 5, {"rank": 0}, None, mean, {})
    alone = World()
    assert (alone.agree(3), alone.share(4), alone.collect(5)) == (3, 4, [5])
    assert alone.mean({"a": 2.0}) == {"a": 2.0}


@pytest.mark.parametrize("centering", ["centering", "sinkhorn_knopp"])
def test_what_is_measured_is_of_all_pictures(tmp_path: Path, centering: str) -> None:
    """But for rank and cosine, which are of each process's own."""
    loss = replace(TRAIN.loss, centering=centering)  # type: ignore[arg-type]
    config = replace(TRAIN, loss=loss)
    pictures = find_pictures(noise_folder(tmp_path))
    pair = StudentTeacher(config, generator=generator_for(0, "weights", 0)).eval()
    centers, values = Centers.zeros(config), values_at(0, config.schedule)

    def measured(group: object, rank: int, world: int) -> TeacherStatistics:
        batch = to_batch(BatchMaker(pictures, config, 0, rank, world).make(0))
        return measure(pair, batch, values, config, centers, group)  # type: ignore[arg-type]

    whole = measured(None, 0, 1)
    for part in together(measured, [[0, 2], [1, 2]]):
        for name in ("entropy", "marginal", "commonest"):
            assert getattr(part, name) == pytest.approx(getattr(whole, name), rel=1e-4), name
        assert (part.pictures, part.rank_limit) == (3, 2)
    assert (whole.pictures, whole.rank_limit) == (6, 5)
