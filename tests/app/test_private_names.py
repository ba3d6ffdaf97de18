"""What a visitor calls classes is that visitor's: others see numbers."""

import json
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.routes.all_routes import add_routes
from app.routes.runs import without_class_names
from app.services import build_services
from app.visitors import COOKIE, owner_of

REPORT = {
    "accuracy": 0.5,
    "classes": [{"name": "smith", "recall": 1.0}, {"name": "jones", "recall": 0.0}],
    "confusion": [[1, 0], [1, 0]],
    "mistakes": [
        {
            "file": "jones/1.png",
            "true": "jones",
            "predicted": "smith",
            "probabilities": {"smith": 0.9, "jones": 0.1},
        }
    ],
    "imbalance": {"counts": {"smith": 1, "jones": 1}, "words": "jones has no picture."},
}


def test_names_become_numbers_everywhere() -> None:
    public = without_class_names(REPORT)
    assert "smith" not in json.dumps(public)
    assert "jones" not in json.dumps(public)
    assert [one["name"] for one in public["classes"]] == ["class 0", "class 1"]
    assert public["mistakes"][0]["probabilities"] == {"class 0": 0.9, "class 1": 0.1}
    assert (public["accuracy"], public["confusion"]) == (0.5, [[1, 0], [1, 0]])
    assert REPORT["classes"][0]["name"] == "smith", "the owner's report stays as it is"  # type: ignore[index]


def test_others_see_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIDE_DINOV2_RUNS", str(tmp_path / "runs"))
    services, app = build_services("preview_vits14", None, "cpu"), FastAPI()
    add_routes(app, services)
    folder = tmp_path / "runs" / "tuned"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"format": 1, "kind": "fine-tuning"}))
    (folder / "report.json").write_text(json.dumps(REPORT))
    job = {"name": "tuned", "owner": owner_of("one"), "title": "", "kind": "fine-tuning"}
    job |= {"steps": 1, "data": "/somewhere/a.zip", "data_name": "a.zip", "asked": 1.0}
    services.runs.jobs.mkdir(parents=True)
    (services.runs.jobs / "tuned.json").write_text(json.dumps(job | {"waiting": False}))

    def visitor(secret: str) -> TestClient:
        return TestClient(app, cookies={COOKIE: services.visitors.cookie_of(secret)})

    assert visitor("one").get("/runs/tuned/report").json()["classes"][0]["name"] == "smith"
    other = visitor("two").get("/runs/tuned/report")
    assert other.status_code == 200
    assert "smith" not in other.text
    chart = visitor("one").get("/runs/tuned/confusion").json()["confusion"]
    assert chart["layout"]["xaxis"]["ticktext"] == ["smith", "jones"]
    other = visitor("two").get("/runs/tuned/confusion")
    assert other.json()["confusion"]["layout"]["xaxis"]["ticktext"] == ["class 0", "class 1"]
    assert "smith" not in other.text
