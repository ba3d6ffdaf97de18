"""Charts by routes: those of the library, as JSON; and Plotly itself, never from elsewhere."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alike import assert_same
from fastapi import FastAPI
from fastapi.testclient import TestClient
from plotly.offline import get_plotlyjs

from app.routes.all_routes import add_routes
from app.services import build_services
from dino_core.figures.theme import PALETTES

LINE = {
    "step": 1,
    "loss": 3.0,
    "logged": {"dino_local_crops_loss": 2.5, "ibot_loss": 2.0},
    "uniform": {"dino_local_crops_loss": 2.6, "ibot_loss": 2.4},
}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("INSIDE_DINOV2_RUNS", str(tmp_path / "runs"))
    app = FastAPI()
    add_routes(app, build_services("preview_vits14", None, "cpu"))
    with TestClient(app) as client:
        yield client


def make_run(folder: Path, kind: str, lines: list[dict[str, Any]]) -> None:
    from dino_core.runs.folder import FORMAT

    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"format": FORMAT, "kind": kind}))
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "metrics.jsonl").write_text(text)


def test_curves_of_a_run_and_how_they_go_on(client: TestClient, tmp_path: Path) -> None:
    make_run(tmp_path / "runs" / "first", "pretraining", [LINE, LINE | {"step": 2, "loss": 2.5}])
    answer = client.get("/runs/first/charts").json()
    assert answer["step"] == 2
    loss = answer["charts"]["loss"]["data"][0]
    assert (loss["x"], loss["y"]) == ([1, 2], [3.0, 2.5])
    assert loss["meta"] == {"field": "loss", "scale": 1.0}
    assert answer["charts"]["ibot_loss"]["data"][1]["y"] == [2.4, 2.4], "uniform output"
    assert answer["charts"]["knn"]["data"][0]["x"] == [], "there from the start, empty"


def test_a_run_that_has_written_nothing(client: TestClient, tmp_path: Path) -> None:
    make_run(tmp_path / "runs" / "new", "fine-tuning", [])
    answer = client.get("/runs/new/charts?form=chart-dark").json()
    assert (list(answer["charts"]), answer["step"]) == (["loss", "accuracy"], -1)
    colour = answer["charts"]["loss"]["data"][0]["line"]["color"]
    assert colour == PALETTES["dark"].accent


def test_confusions_come_with_the_report(client: TestClient, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "tuned"
    make_run(folder, "fine-tuning", [])
    early = client.get("/runs/tuned/confusion")
    assert (early.status_code, early.text) == (
        422,
        "The test comes at the end of the fine-tuning.",
    )
    report = {
        "classes": [{"name": "cat"}, {"name": "dog"}],
        "confusion": [[3, 1], [0, 2]],
        "mistakes": [],
    }
    (folder / "report.json").write_text(json.dumps(report))
    chart = client.get("/runs/tuned/confusion").json()["confusion"]
    assert chart["data"][0]["text"] == [[3, 1], [0, 2]]


def test_what_layers_read_off_the_pictures_of_a_run(client: TestClient, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "tuned"
    make_run(folder, "fine-tuning", [])
    early = client.get("/runs/tuned/layers?form=chart")
    assert (early.status_code, early.text) == (422, "The layers of this run have not been judged.")
    shares = [[[0.25, 0.5]] * 3, [[0.75, 1.0]] * 3]
    values = {"accuracy": shares, "low": shares, "high": shares, "chance": 0.5}
    (folder / "layers.json").write_text(json.dumps(values | {"pictures": 4, "words": "Judged."}))
    charts = client.get("/runs/tuned/layers?form=chart").json()
    assert charts["knn"]["data"][0]["y"] == [25, 75]
    assert charts["logistic"]["data"][0]["y"] == [50, 100]


def test_runs_that_are_not_there_and_forms_that_are_none(client: TestClient) -> None:
    assert client.get("/runs/nothing/charts").status_code == 404
    assert client.get("/runs/nothing/confusion").status_code == 404
    assert client.get("/schedules/tiny?form=picture").status_code == 422


def test_a_scene_with_charts_has_them_under_another_form(client: TestClient) -> None:
    answer = client.get("/schedules/tiny?steps=50&form=chart")
    assert answer.headers["content-type"] == "application/json"
    charts = answer.json()
    assert list(charts)[:2] == ["learning_rate", "last_layer_learning_rate"]
    assert charts["momentum"]["data"][0]["x"][-1] == 49
    assert charts["momentum"]["layout"]["shapes"][0]["name"] == "cursor"


def test_plotly_is_the_installed_file(client: TestClient) -> None:
    answer = client.get("/inside/vendor/plotly.min.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert_same(answer.text, get_plotlyjs())
    for refused in ("identity", "gzip;q=0, br"):
        plain = client.get("/inside/vendor/plotly.min.js", headers={"Accept-Encoding": refused})
        assert "content-encoding" not in plain.headers, refused
        assert_same(plain.text, answer.text)
    sent = int(answer.headers["content-length"])
    assert sent < len(gzip.compress(get_plotlyjs().encode(), 1)), "compressed with care"


def test_a_browser_that_has_plotly_is_not_sent_it_again(client: TestClient) -> None:
    first = client.get("/inside/vendor/plotly.min.js")
    assert "no-cache" in first.headers["cache-control"], "the next one may come with an update"
    known = {"If-None-Match": first.headers["etag"]}
    again = client.get("/inside/vendor/plotly.min.js", headers=known)
    assert (again.status_code, again.content) == (304, b"")
