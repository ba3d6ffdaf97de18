"""The benchmarks run and report; no test looks at how long anything takes."""

import copy
import json
import re
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import psutil
import pytest
import torch
from tiny_models import TINY, tiny_vit

from benchmarks import growth, timing, training
from benchmarks.__main__ import main
from benchmarks.results import Result, Skipped
from benchmarks.timing import Race, Round
from benchmarks.unedited import without_edits
from dino_core.vit import Edit, VisionTransformer


@pytest.mark.slow
def test_a_quick_benchmark_prints_a_ratio(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    assert main(["pca", "--quick", "--json", str(tmp_path / "out.json")]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"2738 x 384 to 3 +\d+\.\d+ of scikit-learn +at most 0\.9", printed)
    report = json.loads((tmp_path / "out.json").read_text())
    (result,) = report["results"]
    assert result["benchmark"] == "pca"
    assert result["value"] > 0
    assert report["machine"]["matmul_ms"] > 0


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["speed"])
    assert "no benchmark 'speed': choose from forward" in capsys.readouterr().err


def test_ratios_are_taken_within_quiet_rounds() -> None:
    """A slow minute hits both, a disturbed round counts for nobody."""
    ours_and_peer = [(1.0, 2.0, 0.0), (10.0, 20.0, 0.1), (3.0, 6.0, 0.2), (9.0, 1.0, 0.9)]
    rounds = [Round({"ours": a, "peer": b}, others) for a, b, others in ours_and_peer]
    race = Race((*rounds, Round({"ours": 9.0, "peer": 1.0}, 0.8)))
    assert race.ratio("ours", "peer") == 0.5
    assert race.seconds("ours") == 3.0
    assert race.others == 0.1


def test_rounds_on_a_slow_processor_do_not_count() -> None:
    quick = [Round({"ours": 1.0, "peer": 2.0}, 0.0, yardstick=0.001) for _ in range(3)]
    slow = [Round({"ours": 5.0, "peer": 5.0}, 0.0, yardstick=0.002) for _ in range(3)]
    race = Race((*slow, *quick))
    assert race.seconds("ours") == 1.0
    assert race.ratio("ours", "peer") == 0.5
    assert race.at_full_speed == quick
    assert race.best_seconds("peer") == 2.0


def test_contestants_take_turns_and_start_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "SHORTEST_TURN", 0)
    calls: list[str] = []
    race = timing.race({name: lambda name=name: calls.append(name) for name in "abc"}, seconds=0)
    assert len(race.rounds) == timing.FEWEST_ROUNDS
    assert "".join(calls[-18:]) == "abcbcacab" * 2
    assert all(one.seconds.keys() == {"a", "b", "c"} for one in race.rounds)


def test_a_bar_is_met_or_missed() -> None:
    assert Result("speed", 1.0, "of theirs", at_most=1.0).met
    assert "MISSED" in str(Result("speed", 1.1, "of theirs", at_most=1.0))
    assert "MISSED" in str(Result("rate", 34_000, "a second", at_least=35_500))
    assert str(Result("rate", 34_000, "a second")).split() == ["rate", "34", "000", "a", "second"]


def test_without_lightly_train_the_rest_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Result("waiting", 0.0, "of a step")
    monkeypatch.setattr(training, "waiting", lambda steps: waiting)
    monkeypatch.setattr(training, "find_spec", lambda name: None)
    results = training.run(quick=True)
    assert next(results) is waiting
    with pytest.raises(Skipped, match=r"pip install lightly-train==0\.18\.0"):
        next(results)


def test_growth_is_a_slope_between_the_last_two_sizes() -> None:
    sizes = (10, 1000, 10_000)
    assert growth.exponent(sizes, [7.0, 2.0, 20.0]) == pytest.approx(1)
    assert growth.exponent(sizes, [7.0, 2.0, 200.0]) == pytest.approx(2)
    assert growth.n_log_n((10_000, 100_000)) == pytest.approx(1 + np.log10(5 / 4))


def test_a_peak_is_what_was_held() -> None:
    seen = threading.Event()

    class Holding:
        """A process that holds 100 bytes, then 900, and 300 in the end."""

        held = iter([100, 900])

        def memory_info(self) -> SimpleNamespace:
            held = next(self.held, 300)
            if held == 300:
                seen.set()
            return SimpleNamespace(rss=held)

    with growth.peak_memory(cast(psutil.Process, Holding())) as peak:
        assert seen.wait(60)
    assert peak.held == 800


@pytest.mark.parametrize("training", [False, True])
def test_the_model_without_places_for_edits_is_the_same_model(training: bool) -> None:
    vit = tiny_vit(replace(TINY, drop_path=0.3)).train(training)
    plain = without_edits(copy.deepcopy(vit))
    images = torch.randn(4, 3, 28, 42, generator=torch.Generator().manual_seed(0))
    masks = torch.arange(24).reshape(4, 6) % 3 == 0

    def answer(model: VisionTransformer) -> torch.Tensor:
        return model(images, masks, generator=torch.Generator().manual_seed(1)).normed

    assert torch.equal(answer(plain), answer(vit))
    ours, theirs = (
        torch.autograd.grad(answer(model).square().sum(), model.cls_token)[0]
        for model in (vit, plain)
    )
    assert torch.equal(ours, theirs)
    with pytest.raises(ValueError, match="blocks 0 to 1"):
        vit.eval()(images, edits=[Edit("mlp", 0.0, block=7)])
    plain.eval()(images, edits=[Edit("mlp", 0.0, block=7)])  # nobody looks at them
