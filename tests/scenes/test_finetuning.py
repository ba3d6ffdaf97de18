"""Beside a fine-tuning's verdict stand its weights, what is known of them, and their best layer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_runs import files, picture

from dino_core.runs.folder import FORMAT
from dino_core.scenes.finetuning import layer_probe, mistake_picture, report_of


def folder_with(tmp_path: Path, config: dict[str, Any]) -> Path:
    (tmp_path / "report.json").write_text(json.dumps({"mistakes": []}))
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_weights_and_what_is_known_of_them_stand_beside_the_verdict(tmp_path: Path) -> None:
    config = {"weights": "Preview", "weights_standing": "other", "weights_notes": ["Retrained."]}
    folder = folder_with(tmp_path, config)
    own = report_of(folder, with_files=True)
    assert own["weights"] == "Preview. Not the official weights. Retrained"
    watched = report_of(folder, with_files=False)  # a note may name a folder of this machine
    assert watched["weights"] == "Preview. Not the official weights"


def test_names_of_files_are_for_whom_they_belong_to(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {})
    report = {
        "mistakes": [{"file": "mine/1.png", "true": "a"}],
        "skipped": [{"file": "mine/2.png", "why": "broken"}],
    }
    (folder / "report.json").write_text(json.dumps(report))
    own, watched = (report_of(folder, with_files=one) for one in (True, False))
    assert own["mistakes"] == [{"file": "mine/1.png", "true": "a", "number": 0}]
    assert own["skipped"] == report["skipped"]
    assert watched["mistakes"] == [{"true": "a", "number": 0}]
    assert "mine" not in json.dumps(watched)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, ""),
        ({"weights": "Preview"}, "Preview"),  # of a run from before it was noted
        (
            {"weights": "P (not the official weights)", "weights_standing": "other"},
            "P (not the official weights)",
        ),  # said once
        ({"weights": "Preview", "weights_standing": [], "weights_notes": 3}, "Preview"),
    ],
)
def test_what_was_not_noted_is_left_out(tmp_path: Path, config: dict[str, Any], words: str) -> None:
    assert report_of(folder_with(tmp_path, config), with_files=True)["weights"] == words


# --- the layers


def judged(layers: int) -> dict[str, Any]:
    """layers.json of a run whose layer i is right in i + 1 of 2 * layers pictures."""
    accuracy = [[[(i + 1) / (2 * layers)] * 2] * 3 for i in range(layers)]
    facts = {"chance": 0.25, "pictures": 2 * layers, "words": "Judged."}
    return {"accuracy": accuracy, "low": accuracy, "high": accuracy, **facts}


def test_what_was_judged_is_a_probe_with_charts(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {})
    assert report_of(folder, with_files=False)["layers"] is False
    with pytest.raises(ValueError, match="not been judged"):
        layer_probe(folder)
    (folder / "layers.json").write_text(json.dumps(judged(4)))
    assert report_of(folder, with_files=False)["layers"] is True
    scene = layer_probe(folder)
    assert scene.accuracy.shape == (4, 3, 2)
    assert scene.accuracy.dtype == np.float32
    assert (scene.complete, scene.pictures, scene.chance) == (True, 8, 0.25)
    chart = scene.charts("light")["logistic"]
    assert list(chart.data[0].y) == [12.5, 25, 37.5, 50]


@pytest.mark.parametrize(
    "damage",
    [
        {"accuracy": None},
        {"accuracy": []},
        {"accuracy": "many"},
        {"low": [[[0.5] * 2] * 3] * 3},
        {"accuracy": [[[0.5] * 2] * 2] * 4},
        {"high": [[[0.5], [0.5, 0.5], [0.5]]] * 4},
        {"chance": {}},
        {"pictures": "x"},
    ],
)
def test_damaged_notes_of_layers_are_a_sentence(tmp_path: Path, damage: dict[str, Any]) -> None:
    folder = folder_with(tmp_path, {})
    (folder / "layers.json").write_text(json.dumps(judged(4) | damage))
    with pytest.raises(ValueError, match="damaged"):
        layer_probe(folder)


def test_a_mistake_is_found_where_a_folder_was_asked_for(tmp_path: Path) -> None:
    data = files(tmp_path / "data", {"masks/1.png": picture(1), "cat/2.png": picture(2)})
    run = tmp_path / "run"
    run.mkdir()
    setup = {"data": str(data), "include": ["masks"], "exclude": [], "stretch": False}
    config = {"format": FORMAT, "kind": "fine-tuning", "setup": setup}
    folder = folder_with(run, config)
    mistakes = {"mistakes": [{"file": "masks/1.png"}]}
    (folder / "report.json").write_text(json.dumps(mistakes))
    assert mistake_picture(folder, 0)[:2] == b"\xff\xd8"
    (folder / "config.json").write_text(json.dumps(config | {"setup": setup | {"include": []}}))
    with pytest.raises(ValueError, match="no longer there"):
        mistake_picture(folder, 0)
