"""Every route asks the library for just what its request says: each word at its own place, whose
picture, run or gallery it is, and how long the answer may be kept. The library and the server's
services only repeat here what they were asked; golden/routes.txt holds what that is.

    METHOD ADDRESS            BODY        what is sent
        STATUS CACHE          the headers of the answer
        QUESTION              what was asked, as the answer repeats it; then whatever else was
"""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asked import Asked, let_repeat, read_golden
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
from app.state.whatif import References
from app.visitors import owner_of

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "routes.txt"
LIBRARY = (
    *("attention", "comparison", "crops", "depth", "features", "files", "finetuning", "gallery"),
    *("gallery_parts", "gallery_probes", "gallery_similarity", "losses", "masks", "matching"),
    *("pairs", "predicting", "prints", "probes", "step", "strip", "tokens", "tray", "training"),
    *("update", "welcome", "whatif", "whatif_nearest", "whatif_pictures"),
)
PLAIN = ("theme_of", "parse_tray", "reference_count")  # what is no question


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


class Part(SimpleNamespace):
    """One of them, of which other things than questions are known as well."""

    def __repr__(self) -> str:
        return f"the {self.called}"


def services() -> Any:
    effects = Asked("changed.effects")
    return Services(
        pictures=Part(
            called="pictures",
            get=lambda secret, key: PICTURES.get(key) if secret == "ada" else None,
            previous=Asked("pictures.previous"),
            add=lambda entry: f"key of {entry!r}",
            put_back=Asked("pictures.put_back"),
        ),
        trays=Part(
            called="trays",
            find=Asked("trays.find"),
            add=Asked("trays.add"),
            seen=lambda what, look: Asked("trays.seen")(what, look()),
        ),
        models=Part(
            called="models",
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
        changed=Part(
            called="changed",
            effects=lambda *what, **how: (effects(*what, **how), Asked("changes")),
            is_seen_by=lambda entry, folder: True,
        ),
    )


def looking(name: str) -> Any:
    """Looks at every row of a tray, each in all of its models."""
    return lambda count, look, *what: Asked(name)([look(row) for row in range(count)], *what)


def taking(name: str) -> Any:
    return lambda *what, **how: {"is": Asked(name)(*what, **how)}


def counted(most: int, address: str) -> Any:
    Asked("counted")(most, address)
    return nullcontext()


def taking_in(name: str) -> Any:
    async def take(*what: Any, **how: Any) -> Any:
        return {"is": Asked(name)(*what, **how)}

    return take


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        let_repeat(patch, LIBRARY, PLAIN)
        let_repeat(patch, ["runs_together"], ["told_apart", "choices"])
        together = import_module("dino_core.scenes.runs_together")
        patch.setattr(together, "told_apart", dict)
        patch.setattr(together, "choices", lambda runs: [["loss", "Loss"], ["x", "X"]])
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
        for module in (reopening, tray):
            patch.setattr(
                module,
                "open_from_gallery",
                lambda _, *what: (Asked("open_from_gallery")(*what), "folder/a.png"),
            )
        scenes = import_module("dino_core.scenes.tray")
        for name in ("tray_scene", "print_tray"):
            patch.setattr(scenes, name, looking(name))
        patch.setattr(feature_routes, "facts_of", lambda key, entry: {"key": key})
        patch.setattr(reopening, "view_of", lambda *what: {"view": Asked("view_of")(*what)})
        patch.setattr(galleries, "chosen_again", Asked("chosen_again"))
        for name in ("take_answer", "take_milestone"):
            patch.setattr(checkpoints, name, taking(name))
        patch.setattr(checkpoints, "take_upload", taking_in("take_upload"))
        for name in ("place_for", "receive", "job_for"):
            patch.setattr(galleries, name, Asked(name))
        patch.setattr(galleries, "ON_THEIR_WAY", SimpleNamespace(counted=counted))
        patch.setattr(runs, "job_for", lambda *w: (Asked("job_for")(*w), Asked("run_request")))
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
            whatif.references_of: lambda reference="samples": References(reference),
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


ENTRIES = read_golden(GOLDEN)


@pytest.mark.parametrize("request_", ENTRIES)
def test_a_route_asks_for_what_its_request_says(client: TestClient, request_: str) -> None:
    assert answered(client, request_) == ENTRIES[request_]


def test_a_zip_that_is_refused_is_let_go(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ValueError("There is no room.")

    monkeypatch.setattr(galleries, "place_for", refuse)
    said = answered(client, "POST /galleries bytes").split("\n")
    assert said[:2] == ["422 -", "There is no room."]
    assert said[-1] == "galleries.zip_of(galleries.new_name()).unlink(missing_ok=True)"
