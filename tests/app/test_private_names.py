"""What a visitor calls classes is that visitor's: others see numbers."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.routes.all_routes import add_routes
from app.services import build_services
from app.visitors import COOKIE, owner_of
from dino_core.scenes.finetuning import without_class_names

REPORT: dict[str, Any] = {
    "accuracy": 0.5,
    "part": "head",
    "counts": {"train": 1, "validation": 1, "test": 2},
    "classes": [{"name": "smith", "recall": 1.0}, {"name": "jones", "recall": 0.0}],
    "confusion": [[1, 0], [1, 0]],
    "mistakes": [
        {
            "number": 0,
            "file": "jones/1.png",
            "true": "jones",
            "predicted": "smith",
            "probabilities": {"smith": 0.9, "jones": 0.1},
        }
    ],
    "balance": {"counts": {"smith": 1, "jones": 0}, "words": "jones has no picture."},
}


def numbered(first: str, second: str) -> dict[str, Any]:
    """The same report of classes with other names."""
    text = json.dumps(REPORT).replace('"smith"', json.dumps(first))
    text = text.replace('"jones"', json.dumps(second)).replace("jones has", f"{second} has")
    found: dict[str, Any] = json.loads(text)
    return found


def test_names_become_numbers_everywhere() -> None:
    before = copy.deepcopy(REPORT)
    public = without_class_names(REPORT)
    assert "smith" not in json.dumps(public)
    assert "jones" not in json.dumps(public)
    assert [one["name"] for one in public["classes"]] == ["class 0", "class 1"]
    assert public["mistakes"][0]["probabilities"] == {"class 0": 0.9, "class 1": 0.1}
    assert "file" not in public["mistakes"][0]
    assert (public["accuracy"], public["confusion"]) == (0.5, [[1, 0], [1, 0]])
    assert public["balance"]["words"] == "class 1 has no picture to learn from."
    assert before == REPORT, "the owner's report stays as it is"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("the", "a"),
        ("picture", "no"),
        ("train", "test"),
        ("name", "accuracy"),
        ("class 1", "class 0"),
        ("head", "true"),
        ("", " "),
        ("0.5", "1"),
        ("\u00e9t\u00e9", "<b>bold</b>"),
    ],
)
def test_a_name_is_removed_where_it_is_one_and_nowhere_else(first: str, second: str) -> None:
    assert without_class_names(numbered(first, second)) == without_class_names(REPORT)


def test_what_nobody_knows_of_is_not_passed_on() -> None:
    public = without_class_names(REPORT | {"remark": "smith is a friend"})
    assert public == without_class_names(REPORT)


@pytest.mark.parametrize(
    "damage",
    [
        {"classes": None},
        {"classes": [{}]},
        {"mistakes": [{"true": "smith"}]},
        {"balance": {}},
        {"balance": {"counts": {"a stranger": 1}}},
        {"balance": {"counts": {}}},
    ],
)
def test_a_damaged_report_is_a_sentence_and_names_nobody(damage: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="damaged"):
        without_class_names(REPORT | damage)


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
