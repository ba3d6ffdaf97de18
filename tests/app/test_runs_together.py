"""Runs side by side, by the scene and by the route: what differs, and nothing that is private."""

import json
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tiny_runs import noted_run

from app.routes.all_routes import add_routes
from app.services import build_services
from dino_core.scenes.runs_together import differences, read_runs, told_apart


def test_what_differs_is_told_and_no_file(tmp_path: Path) -> None:
    folders = {
        "one": noted_run(tmp_path / "a", "tiny", 8),
        "two": noted_run(tmp_path / "b", "demo", 16, seed=3),
    }
    rows = {row["name"]: row["values"] for row in differences(folders)}
    assert rows == {
        "preset": ['"tiny"', '"demo"'],
        "train.schedule.batch_size": ["8", "16"],
        "seed": ["–", "3"],
    }
    assert "private" not in json.dumps(rows)
    one, two = read_runs(folders)
    assert (one.batch, two.batch, one.pictures, len(two.lines)) == (8, 16, 40, 3)


def test_what_cannot_be_compared_says_so(tmp_path: Path) -> None:
    tuned = noted_run(tmp_path / "t", "tiny", 8, "fine-tuning")
    with pytest.raises(ValueError, match="counts in steps"):
        read_runs({"t": tuned})
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "config.json").write_text('{"format": 1, "kind": "pretraining"}')
    with pytest.raises(ValueError, match="configuration of d is damaged"):
        read_runs({"d": tmp_path / "d"})


def test_titles_are_told_apart() -> None:
    titles = {"tiny-1-ab": "tiny, 20 steps", "tiny-2-cd": "tiny, 20 steps", "demo-3": "demo"}
    assert list(told_apart(titles).values()) == [
        "tiny, 20 steps (ab)",
        "tiny, 20 steps (cd)",
        "demo",
    ]


def test_the_route_answers_chart_choices_and_differences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIDE_DINOV2_RUNS", str(tmp_path))
    app, services = FastAPI(), build_services("preview_vits14", None, "cpu")
    add_routes(app, services)
    client = TestClient(app)
    for name, batch in (("one", 8), ("two", 16)):
        noted_run(tmp_path / name, "tiny", batch)
    answer = client.get("/together?run=one&run=two&axis=pictures&smoothing=0.5&quantity=knn")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["quantity"] == "loss", "what nobody measured is not shown empty"
    assert told["quantities"] == [["loss", "Total loss"]]
    traces = told["charts"]["together"]["data"]
    assert [trace["x"] for trace in traces[::2]] == [[0, 8, 16], [0, 16, 32]]
    assert [row["name"] for row in told["differences"]] == ["train.schedule.batch_size"]
    assert client.get("/together?run=none").status_code == 404
    assert client.get("/together?run=one&smoothing=1").status_code == 422
    assert client.get("/together").status_code == 422


def test_a_run_that_was_mended_differs_from_one_that_began_so(tmp_path: Path) -> None:
    folders = {name: noted_run(tmp_path / name, "tiny", 8) for name in ("a", "b")}
    assert differences(folders) == []
    config = json.loads((folders["b"] / "config.json").read_text())
    (folders["b"] / "config.json").write_text(json.dumps(config | {"history": [{"step": 4}]}))
    assert differences(folders) == [{"name": "mended", "values": ["–", "true"]}]
