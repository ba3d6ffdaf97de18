"""The checks of check.py as tests, one for each model, loss, schedule, run and target.

check.py is made to be run by hand against any implementation, and prints what fails. Here each of
its checks sees a folder with one case alone, so that the case that fails is named.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from golden import check
from golden.adapter import Adapter

GOLDEN = Path(__file__).parent


def stored(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


class Named(check.Report):
    """Keeps the names of the comparisons that fail."""

    def __init__(self) -> None:
        super().__init__()
        self.failed: list[str] = []

    def close(self, what: str, *rest: Any) -> None:
        self._count(super().close, what, *rest)

    def true(self, what: str, *rest: Any) -> None:
        self._count(super().true, what, *rest)

    def _count(self, compare: Any, what: str, *rest: Any) -> None:
        before = self.bad
        compare(what, *rest)
        if self.bad > before:
            self.failed.append(what)

    def expect(self, at_least: int) -> None:
        """Nothing failed, nothing was left out, and there was something to compare."""
        assert (self.failed, self.skip) == ([], [])
        assert self.ok >= at_least


def one_case(tmp_path: Path, name: str, content: Any) -> str:
    """The stored numbers with another content in one of the JSON files."""
    for path in GOLDEN.iterdir():
        if path.suffix in (".safetensors", ".json"):
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / name).unlink()
    (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    return str(tmp_path)


# --- the backbone

VITS = stored("vit_meta.json")


class InFloat32(Adapter):
    """The same in single precision; its attention is left out, whose tolerance is for double."""

    def build_vit(self, constructor: dict, state_dict: dict) -> Any:
        return super().build_vit(constructor, state_dict).float()

    def forward_features(self, model: Any, image: Any, mask: Any = None) -> Any:
        return super().forward_features(model, image.float(), mask)

    def intermediate(self, model: Any, image: Any, n: Any, reshape: bool, norm: bool) -> Any:
        return super().intermediate(model, image.float(), n, reshape, norm)

    def attention(self, model: Any, image: Any) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("case", VITS)
def test_vit(case: str, tmp_path: Path) -> None:
    report = Named()
    root = one_case(tmp_path, "vit_meta.json", {case: VITS[case]})
    check.check_vit(Adapter(), root, report)
    report.expect(at_least=15)


@pytest.mark.parametrize("case", VITS)
def test_vit_in_float32(case: str, tmp_path: Path) -> None:
    report = Named()
    root = one_case(tmp_path, "vit_meta.json", {case: VITS[case]})
    check.check_vit(InFloat32(), root, report, rtol=0, atol=5e-5)
    assert report.failed == []
    assert all(skipped.startswith("attention") for skipped in report.skip)
    assert report.ok >= 10


# --- heads, targets, losses

PARTS = ("head", "dino_centering", "ibot_centering", "sinkhorn")
LOSSES = ("dino_loss", "ibot_loss_masked", "koleo")


@pytest.mark.parametrize("part", [*PARTS, *LOSSES])
def test_heads_targets_and_losses(part: str) -> None:
    class One(check.BaseAdapter):
        """Offers this part alone; the others count as left out."""

    setattr(One, part, getattr(Adapter, part))
    report = Named()
    check.check_losses(One(), str(GOLDEN), report)
    assert report.failed == []
    assert len(report.skip) == len(PARTS) + len(LOSSES) - 1
    assert report.ok >= 2


# --- schedules, training, masks

SCHEDULES = stored("schedules.json")
TRAIN = stored("train_meta.json")
MASKING = stored("masking_stats.json")


@pytest.mark.parametrize("tag", SCHEDULES)
def test_schedules(tag: str, tmp_path: Path) -> None:
    report = Named()
    root = one_case(tmp_path, "schedules.json", {tag: SCHEDULES[tag]})
    check.check_schedules(Adapter(), root, report)
    report.expect(at_least=5)


@pytest.mark.parametrize("tag", TRAIN["runs"])
def test_training(tag: str, tmp_path: Path) -> None:
    report = Named()
    run = {**TRAIN, "runs": {tag: TRAIN["runs"][tag]}}
    check.check_train(Adapter(), one_case(tmp_path, "train_meta.json", run), report)
    report.expect(at_least=50)


@pytest.mark.parametrize("target", MASKING["targets"], ids=lambda target: str(target["target"]))
def test_masking(target: dict, tmp_path: Path) -> None:
    report = Named()
    root = one_case(tmp_path, "masking_stats.json", {**MASKING, "targets": [target]})
    check.check_masking(Adapter(), root, report)
    report.expect(at_least=3)


def test_the_one_that_fails_is_named(tmp_path: Path) -> None:
    broken = json.loads(json.dumps(SCHEDULES["short_warmup"]))
    broken["wd"][3] *= 1.001
    report = Named()
    root = one_case(tmp_path, "schedules.json", {"short_warmup": broken})
    check.check_schedules(Adapter(), root, report)
    assert report.failed == ["schedule short_warmup wd"]
