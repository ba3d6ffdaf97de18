"""Every named endpoint asks the library for just what a program says, each word at its own place,
and answers with the arrays that it promises. The library only repeats here what it is asked;
golden/programs.txt holds what that is, with nothing said and with everything said."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from asked import Asked, let_repeat, read_golden

from app.page import calls, file_endpoints
from app.page.api import Endpoints, PictureEndpoints
from app.page.file_endpoints import FileEndpoints
from app.page.model_endpoints import ModelEndpoints
from app.visitors import owner_of

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "programs.txt"
KINDS = (Endpoints, PictureEndpoints, ModelEndpoints, FileEndpoints)
LIBRARY = (
    *("attention", "crops", "depth", "features", "files", "for_programs", "losses", "masks"),
    *("matching", "similarity", "step", "tokens", "videos", "whatif"),
)
PICTURES = ({"sample": "cat.jpg"}, {"path": "own.png"})
# What has no default, and what not every value will do for.
SAID: dict[str, Any] = {
    "edits": ["head:1.1=zero"],
    "models": ["m", "n"],
    "layers": [3, 4],
    "pictures": [*PICTURES],
    "files": [*PICTURES],
    "other": PICTURES[1],
    "mask": PICTURES[1],
    "patches": [[1, 2], [3, 4]],
    "columns": ["norms"],
    "second": ["n"],
    "size": 98,
}


def calls_of() -> dict[str, Any]:
    """The endpoints by name."""
    return {
        name: getattr(kind(services()), name)
        for kind in KINDS
        for name, call in vars(kind).items()
        if inspect.isfunction(call) and name[0] != "_"
    }


class Services(SimpleNamespace):
    def __getattr__(self, name: str) -> Asked:
        return Asked(name)


def services() -> Any:
    effects = Asked("changed.effects")
    return Services(
        visitors=SimpleNamespace(secret=lambda cookies: "ada"),
        models=SimpleNamespace(
            default="tiny",
            inspect=Asked("inspect"),
            backbone=lambda name, owner: Backbone(name, owner),
            exclusive=lambda work, **how: Asked("exclusive")(work(), **how),
        ),
        changed=SimpleNamespace(effects=lambda *w, **how: (effects(*w, **how), Asked("changes"))),
    )


class Backbone:
    """A model of which its name and owner count."""

    def __init__(self, name: str, owner: str) -> None:
        self.name = Asked(f"{name} of {owner}")
        config = SimpleNamespace(patch_size=14)
        self.vit, self.info = Vit(self.name, config), SimpleNamespace(title=f"title of {self.name}")


class Vit:
    def __init__(self, name: str, config: Any) -> None:
        self.name, self.config = name, config

    def __repr__(self) -> str:
        return f"vit {self.name}"


def looking(name: str) -> Any:
    """Looks at what it is given to look at as well: each row of a tray, each model of a grid."""

    def values(count: Any, look: Any, *words: Any, **named: Any) -> dict[str, Any]:
        seen = [look(row) for row in range(count)] if isinstance(count, int) else look
        return {"is": Asked(name)(count, seen, *words, **named)}

    return values


@pytest.fixture(scope="module")
def endpoints() -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        let_repeat(patch, LIBRARY)
        values = import_module("dino_core.scenes.for_programs")
        for name in ("grid_values", "tray_values"):
            patch.setattr(values, name, looking(name))
        packing = import_module("dino_core.scenes.packing")
        patch.setattr(
            packing, "plain", lambda scene, arrays=(): {"is": scene, "arrays": " ".join(arrays)}
        )
        for name in ("read_sample", "sample_file"):
            patch.setattr(calls, name, Asked(name))
        patch.setattr(calls, "read_upload", lambda _, *what: Asked("read_upload")(*what))
        patch.setattr(file_endpoints, "check_side", Asked("check_side"))
        patch.setattr(file_endpoints, "check_patches", Asked("check_patches"))
        patch.setattr(file_endpoints, "GivingUp", lambda is_gone: Asked("giving up"))
        yield calls_of()


def changed(name: str, value: Any, place: int) -> Any:
    """Another value than that which is meant where nothing is said."""
    if name == "second" and place == 3:  # of two models; of a tray several may be named
        return "n"
    if name in SAID:
        return SAID[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return 20 + place
    return 0.5 + place / 100 if isinstance(value, float) else f"{name}-{place}"


def answered(endpoint: Any, everything: bool) -> str:
    said: dict[str, Any] = {"request": SimpleNamespace(cookies={})}
    parts = list(inspect.signature(endpoint).parameters.values())
    for place, part in enumerate(parts):
        if part.name == "picture":
            said["picture"] = PICTURES[0]
        elif part.name != "request" and (everything or part.default is part.empty):
            number = 20 + place if part.annotation in (int, "int") else part.default
            said[part.name] = changed(part.name, number, place)
    Asked._every.clear()
    answer = endpoint(**said)
    values = answer.items() if isinstance(answer, dict) else [("is", answer)]
    text = "\n".join(f"{key}: {value}" for key, value in values if value != "")
    besides = [asked for asked in dict.fromkeys(Asked._every) if asked not in text]
    return "\n".join([text, *besides]).replace(owner_of("ada"), "OWNER")


ENTRIES = read_golden(GOLDEN)


@pytest.mark.parametrize("asked", ENTRIES)
def test_an_endpoint_asks_for_what_a_program_says(endpoints: dict[str, Any], asked: str) -> None:
    name, _, how = asked.partition(" ")
    assert answered(endpoints[name], how == "everything") == ENTRIES[asked]


def test_every_endpoint_is_asked(endpoints: dict[str, Any]) -> None:
    assert {asked.partition(" ")[0] for asked in ENTRIES} == set(endpoints)


def test_what_is_wrong_is_said_as_text(endpoints: dict[str, Any]) -> None:
    request = SimpleNamespace(cookies={})
    with pytest.raises(gr.Error, match="1 to 12 pictures, not 13"):
        endpoints["tray"]([PICTURES[0]] * 13, request)
    with pytest.raises(gr.Error, match="1 to 12 models, not 13"):
        endpoints["tray"]([PICTURES[0]], request, second=["m"] * 12)
