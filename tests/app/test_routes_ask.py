"""Every route asks the library for just what its request says: each word at its own place, whose
picture, run or gallery it is, and how long the answer may be kept. The library and the server's
services only repeat here what they were asked; golden/routes.txt holds what that is.

    METHOD ADDRESS            BODY        what is sent
        STATUS CACHE          the headers of the answer
        QUESTION              what was asked, as the answer repeats it; then whatever else was
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient

from app.routes import (
    checkpoints,
    dependencies,
    exports,
    galleries,
    gallery_views,
    predicting,
    reopening,
    responses,
    runs,
    tray,
    whatif,
)
from app.routes import features as feature_routes
from app.routes.all_routes import add_routes
from app.state.pictures import Entry
from app.visitors import owner_of

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "routes.txt"
LIBRARY = (
    *("attention", "comparison", "crops", "depth", "features", "files", "finetuning", "gallery"),
    *("gallery_parts", "gallery_probes", "gallery_similarity", "losses", "masks", "matching"),
    *("pairs", "predicting", "prints", "probes", "step", "strip", "tokens", "tray", "training"),
    *("update", "welcome", "whatif", "whatif_nearest", "whatif_pictures"),
)
PLAIN = ("theme_of", "parse_tray", "reference_count")  # what is no question


class Asked(str):
    """A question, as it was put; whatever is done with its answer is said as well."""

    _every: list[str] = []  # noqa: RUF012  of the request that is being answered

    def __getattribute__(self, name: str) -> Any:
        own = name[0] == "_" or name == "encode"  # as a response is
        return super().__getattribute__(name) if own else Asked(f"{self}.{name}")

    def __call__(self, *words: Any, **named: Any) -> "Asked":
        said = [shown(word) for word in words]
        said += [f"{key}={shown(word)}" for key, word in named.items()]
        asked = Asked(f"{self}({', '.join(said)})")
        Asked._every.append(asked)
        return asked

    def __getitem__(self, key: Any) -> "Asked":
        return Asked(f"{self}[{key!r}]")

    def __repr__(self) -> str:
        return str(self)


def shown(word: Any) -> str:
    if callable(word) and not isinstance(word, Asked):
        return "..."
    return word.as_posix() if isinstance(word, Path) else repr(word)


@dataclass
class Scene:
    patch_size: int = 16


@dataclass(repr=False)
class Picture:
    """A picture that somebody has open, of which only the name counts."""

    name: str
    scene: Scene = field(default_factory=Scene)

    def __post_init__(self) -> None:
        self.seen, self.source = Asked(f"{self.name}.seen"), Asked(f"{self.name}.source")
        self.fitted = SimpleNamespace(picture=Asked(f"{self.name}.fitted"))

    def __repr__(self) -> str:
        return self.name


class Opened(Entry):
    def __repr__(self) -> str:
        return repr(self.picture)


def entry(name: str, sample: str = "") -> Entry:
    picture: Any = Picture(name)
    return Opened("ada", picture, "m", 56, sample, file="m.pth", said={"heads": "6"})


PICTURES = {"one": entry("one"), "two": entry("two"), "cat": entry("cat", "cat.jpg")}


class Services(SimpleNamespace):
    """Those of a server, which repeat what they are asked."""

    def __getattr__(self, name: str) -> Asked:
        return Asked(name)

    def look(self, *what: Any, **how: Any) -> Any:
        made = entry(Asked("look")(*what, **how))
        made.comparison = how["comparison"]
        return made


def services() -> Any:
    effects = Asked("changed.effects")
    return Services(
        pictures=SimpleNamespace(
            get=lambda secret, key: PICTURES.get(key) if secret == "ada" else None,
            previous=Asked("pictures.previous"),
            add=lambda entry: f"key of {entry!r}",
            put_back=Asked("pictures.put_back"),
        ),
        models=SimpleNamespace(
            default="tiny",
            device="cuda",
            available=lambda owner: [("A model", Asked("available")(owner))],
            backbone=Asked("models.backbone"),
            inspect=Asked("models.inspect"),
            title_of=Asked("models.title_of"),
            file_in_python=Asked("models.file_in_python"),
            said_in_python=lambda *what: {"heads": "6"},
            checkpoint=Asked("models.checkpoint"),
            exclusive=lambda work, **named: Asked("exclusive")(work(), **named),
        ),
        changed=SimpleNamespace(
            effects=lambda *what, **how: (effects(*what, **how), Asked("changes")),
            is_seen_by=lambda entry, folder: True,
        ),
    )


def taking(name: str) -> Any:
    return lambda *what, **how: {"is": Asked(name)(*what, **how)}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        for module in LIBRARY:
            one = import_module(f"dino_core.scenes.{module}")
            for name, call in [*vars(one).items()]:
                if inspect.isfunction(call) and name[0] != "_" and name not in PLAIN:
                    patch.setattr(one, name, Asked(name))
        packing = import_module("dino_core.scenes.packing")
        patch.setattr(packing, "packed", lambda scene, form: (f"{scene!r} as {form}", "text/plain"))
        patch.setattr(packing, "jpeg", lambda *what, **how: Asked("jpeg")(*what, **how).encode())
        patch.setattr(packing, "plain", lambda scene: {"plain": scene})
        patch.setattr(packing, "chart_values", Asked("chart_values"))
        picture = import_module("dino_core.scenes.picture")
        patch.setattr(picture, "read_picture", Asked("read_picture"))
        patch.setattr(responses, "json", SimpleNamespace(dumps=repr))
        for module in (gallery_views, runs, exports):
            patch.setattr(
                module, "FileResponse", lambda path, **how: Response(f"file {path!r} {how}")
            )
        for module in (feature_routes, reopening, tray):
            patch.setattr(module, "read_sample", Asked("read_sample"))
        patch.setattr(feature_routes, "facts_of", lambda key, entry: {"key": key})
        patch.setattr(reopening, "view_of", lambda *what: {"view": Asked("view_of")(*what)})
        patch.setattr(galleries, "chosen_again", Asked("chosen_again"))
        for name in ("take_answer", "take_milestone"):
            patch.setattr(checkpoints, name, taking(name))
        patch.setattr(
            import_module("dino_core.scenes.training"),
            "curve_charts",
            lambda *what: (Asked("curve_charts")(*what), 7),
        )
        app = FastAPI()
        add_routes(app, services())
        app.dependency_overrides |= {
            dependencies.visitor_secret: lambda: "ada",
            dependencies.visitor: lambda: "OWNER",
            dependencies.known_visitor: lambda: "OWNER",
            dependencies.address: lambda: "ADDRESS",
            dependencies.find_run: lambda name: Path("runs", name),
            runs.are_pictures_shown: lambda: True,
            galleries.find_gallery: lambda name: Path("galleries", name),
            whatif.references_of: lambda reference="samples": Asked(f"references {reference}"),
        }
        patch.setattr(predicting, "find_run", lambda name, services: Path("runs", name))
        for module in (gallery_views, whatif):
            patch.setattr(module, "find_gallery", lambda name, *who: Path("galleries", name))
        yield TestClient(app)


def answered(client: TestClient, request: str) -> str:
    """STATUS CACHE, and what was asked."""
    method, address, *body = request.split(" ", 2)
    Asked._every.clear()
    answer = client.request(method, address, content="".join(body))
    kept = answer.headers.get("cache-control", "-")
    disposition = answer.headers.get("content-disposition", "")
    besides = [asked for asked in Asked._every if asked not in answer.text]
    lines = [f"{answer.status_code} {kept}", disposition, answer.text, *dict.fromkeys(besides)]
    return "\n".join(filter(None, lines)).replace(owner_of("ada"), "OWNER")


def entries() -> dict[str, str]:
    """What is sent -> what comes back."""
    found: dict[str, str] = {}
    for block in GOLDEN.read_text(encoding="utf-8").strip().split("\n\n"):
        request, *lines = block.split("\n    ")
        found[request] = "\n".join(lines)
    return found


@pytest.mark.parametrize("request_", entries() if GOLDEN.exists() else [])
def test_a_route_asks_for_what_its_request_says(client: TestClient, request_: str) -> None:
    assert answered(client, request_) == entries()[request_]
