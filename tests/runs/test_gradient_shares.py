"""Whose the gradients of a run are: measured on the way, and the run is the same for it."""

import pytest
import torch
from tiny_runs import TRAIN, differing_pair, final, losses, noise_folder, setup

from dino_core.figures.shares import COLUMNS, shares_over_run
from dino_core.runs.charts import all_charts
from dino_core.runs.folder import read_metrics
from dino_core.runs.pretraining import train
from dino_core.runs.setup import check_processes
from dino_core.slow_motion.gradients import gradient_shares
from dino_core.step.distributed import World


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same run with and without a look at its gradients."""
    root = tmp_path_factory.mktemp("runs")
    data = noise_folder(root / "pictures")
    for name, every in (("plain", 0), ("watched", 3)):
        train(root / name, setup(data, gradient_shares=every))
    return root


def test_a_run_that_is_looked_at_is_the_same_bit_for_bit(runs):
    one, other = final(runs / "plain"), final(runs / "watched")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert losses(runs / "plain") == losses(runs / "watched")


def test_shares_are_noted_after_the_first_step_and_every_so_many(runs):
    assert not any("gradient_shares" in line for line in read_metrics(runs / "plain"))
    looked = [line for line in read_metrics(runs / "watched") if "gradient_shares" in line]
    assert [line["step"] for line in looked] == [1, 3, 6]
    for line in looked:
        shares = line["gradient_shares"]
        assert set(shares) == {"dino_global", "dino_local", "koleo", "ibot"}
        assert next(iter(shares["ibot"])) == "patch embedding"
        for layer in shares["ibot"]:
            of_layer = [shares[term][layer] for term in shares]
            if of_layer[0] is None:  # the prototypes stand still at first
                assert of_layer == [None] * 4
            else:
                assert sum(of_layer) == pytest.approx(1)
        assert shares["ibot"]["iBOT head"] == 1
        assert shares["ibot"]["DINO head"] == shares["koleo"]["DINO head"] == 0


def test_shares_are_those_of_a_backward_pass_for_each_loss():
    """With .grad of one loss after the other; a block that does not learn has none."""
    pair = differing_pair(TRAIN)
    pair.student.backbone.blocks[0].requires_grad_(False)
    network = pair.student
    weights = {"one": 1.0, "two": 3.0, "nothing": 0.0}

    def terms():
        out = network.backbone(torch.linspace(-1, 1, 3 * 256).view(1, 3, 16, 16))
        values = {"one": out.cls.square().sum(), "two": out.patches.pow(3).sum()}
        values["nothing"] = torch.zeros(())
        return {name: weights[name] * value for name, value in values.items()}

    def block_gradients(loss):
        network.zero_grad()
        loss.backward()
        return torch.cat([p.grad.flatten() for p in network.backbone.blocks[1].parameters()])

    found = gradient_shares(network, terms())
    assert list(found) == ["one", "two"], "what has no gradient is left out"
    assert found["one"]["block 0"] is found["one"]["DINO head"] is None
    own = {name: block_gradients(terms()[name]).double() for name in found}
    whole = sum(own.values())
    for name, gradient in own.items():
        assert found[name]["block 1"] == pytest.approx(float(gradient @ whole / (whole @ whole)))


def test_charts_have_a_row_for_each_layer_and_a_column_for_each_look(runs):
    charts = shares_over_run(read_metrics(runs / "watched"))
    assert list(charts) == [f"shares_{t}" for t in ("dino_global", "dino_local", "koleo", "ibot")]
    looked = [line for line in read_metrics(runs / "watched") if "gradient_shares" in line]
    cells = charts["shares_ibot"].data[0]
    assert list(cells.x) == [1, 3, 6]
    for layer, row in zip(cells.y, cells.z, strict=True):
        for line, value in zip(looked, row, strict=True):
            share = line["gradient_shares"]["ibot"][layer]
            assert value == (None if share is None else pytest.approx(100 * share, rel=1e-4))
    assert set(charts) < set(all_charts(runs / "watched"))
    assert not any(name.startswith("shares") for name in all_charts(runs / "plain"))

    many = [
        {"step": i, "gradient_shares": {"ibot": {"block 0": i}}} for i in range(2 * COLUMNS + 1)
    ]
    steps = list(shares_over_run(many)["shares_ibot"].data[0].x)
    assert len(steps) <= COLUMNS
    assert steps[-1] == 2 * COLUMNS, "the newest one counts"
    assert shares_over_run([{"step": 1, "gradient_shares": 7}, {"step": 2}]) == {}


def test_shares_are_refused_where_no_process_has_whole_gradients(tmp_path):
    with pytest.raises(ValueError, match="--gradient-shares wants whole gradients"):
        check_processes(setup(tmp_path, shard=True, gradient_shares=1), World())
    with pytest.raises(ValueError, match="there is only this one: start them by torchrun"):
        train(tmp_path / "run", setup(tmp_path, shard=True, gradient_shares=0))
    assert not (tmp_path / "run").exists(), "before anything is written"
