"""What the page's own tests take for the server's answers has the form of those of today."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from recorded_server import PICTURES, recorded_page

ANSWERS = Path(__file__).resolve().parents[2] / "static" / "js" / "test" / "answers"
THERE = (*(f"view/{key}/" for key, *_ in PICTURES), "galleries/")
EACH = 4  # scenes of a screen that are asked for again


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with recorded_page(tmp_path_factory.mktemp("recorded")) as client:
        yield client


def asked() -> list[Any]:
    """Addresses and the scenes that were answered, of different kinds first."""
    chosen = []
    for file in sorted(ANSWERS.glob("*.json")):
        kinds: dict[str, Any] = {}
        for key, answer in json.loads(file.read_text("utf-8")).items():
            method, address, *_ = key.split(" ")
            theirs = address.startswith(THERE) and "run=" not in address  # nobody has started any
            if method == "GET" and "scene" in answer and theirs:
                kinds.setdefault(address.split("?")[0], (address, answer["scene"]))
        chosen += [pytest.param(*one, id=one[0][:80]) for one in [*kinds.values()][:EACH]]
    return chosen


def form(value: Any) -> Any:
    """What stays the same when numbers and words are others: names, kinds, how deep lists are."""
    if isinstance(value, dict):
        return {name: form(one) for name, one in value.items()}
    if isinstance(value, list):
        return [form(value[0])] if value else []
    return "number" if isinstance(value, int | float) else type(value).__name__


@pytest.mark.parametrize(("address", "scene"), asked())
def test_a_recorded_scene_has_the_form_of_today_s(
    page: TestClient, address: str, scene: dict[str, Any]
) -> None:
    response = page.get(f"/{address}")
    assert response.status_code == 200, response.text
    length = int.from_bytes(response.content[:8], "little")
    header = json.loads(response.content[8 : 8 + length])
    facts = json.loads(header.pop("__metadata__")["facts"])
    assert {name: (one["dtype"], len(one["shape"])) for name, one in header.items()} == {
        name: (one["dtype"], len(one["shape"])) for name, one in scene["arrays"].items()
    }
    assert form(facts) == form(scene["facts"])
