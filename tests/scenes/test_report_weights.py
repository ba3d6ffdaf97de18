"""The report of a fine-tuning says which weights its verdict is about."""

import json
from pathlib import Path
from typing import Any

import pytest

from dino_core.scenes.training import report_of


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
