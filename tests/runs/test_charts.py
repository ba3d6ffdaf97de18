"""runs/charts.py: the charts of a run's folder, of each kind its own."""

import json
from pathlib import Path

import pytest

from dino_core.runs.charts import all_charts, confusion_charts, curve_charts
from dino_core.runs.folder import RunFolder


def made(folder: Path, kind: str, **setup: object) -> RunFolder:
    run = RunFolder(folder)
    run.create({"kind": kind, "setup": {"run": setup}})
    return run


def test_each_kind_of_run_has_its_curves(tmp_path: Path) -> None:
    run = made(tmp_path / "a", "distillation", follow={"answers": 9})
    run.add_metrics({"step": 4, "loss": 1.0, "agreement": {"cls": 0.5, "patches": 0.25}})
    charts, step = curve_charts(run.path)
    assert step == 4
    assert list(charts["agreement"].data[0].y) == [0.5]
    for kind, name in (("fine-tuning", "accuracy"), ("pretraining", "entropy")):
        charts, step = curve_charts(made(tmp_path / kind, kind, follow=None).path)
        assert name in charts
        assert step == -1
    by_heads, _ = curve_charts(made(tmp_path / "b", "distillation", follow=None).path)
    assert "entropy" in by_heads, "by heads it is a training"


def test_what_the_test_confused_is_among_all_charts(tmp_path: Path) -> None:
    run = made(tmp_path / "a", "fine-tuning")
    assert "confusion" not in all_charts(run.path)
    with pytest.raises(ValueError, match="at the end of the fine-tuning"):
        confusion_charts(run.path)
    report = {"classes": [{"name": "cat"}, {"name": "dog"}], "confusion": [[3, 1], [0, 2]]}
    (run.path / "report.json").write_text(json.dumps(report))
    assert list(all_charts(run.path)["confusion"].data[0].x) == ["cat", "dog"]
    plain = confusion_charts(run.path, named=False)["confusion"]
    assert list(plain.data[0].x) == ["class 0", "class 1"]
    (run.path / "report.json").write_text("{}")
    with pytest.raises(ValueError, match="is damaged"):
        confusion_charts(run.path)
