"""Ways that are rarely gone: a link to what has gone, a run that is gone after it was steered, a
machine that does not tell its memory, a file that vanishes while it is looked at."""

import inspect
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from asked import Asked
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient

from app.first_visit.stored import FirstVisit
from app.gradio_import import import_gradio
from app.jobs import run_cards
from app.jobs.galleries import Galleries
from app.jobs.gallery_cards import GalleryJob
from app.page import handlers as handler_module
from app.page.handlers import NOT_HERE, Handlers
from app.page.updates import Session
from app.routes import dependencies, runs, tray
from app.routes.all_routes import add_routes
from app.state import checkpoints, pictures
from app.state.checkpoints import GONE
from app.visitors import owner_of
from dino_core.scenes.gallery import Options

OWN = "checkpoint-" + "0" * 24
NAMES = ("session", "picture", "status", "badge", "model", "size", "seed")


class Models:
    """Those of a page that load nothing."""

    default, weights = "tiny", None

    def checkpoint(self, owner: str, name: str) -> None:
        if owner != owner_of("ada"):
            raise ValueError(GONE)

    def describe(self, name: str, owner: str = "") -> list[str]:
        return [f"About {name}", "More"]

    def choices(self, owner: str) -> list[tuple[str, str]]:
        return [("A model", "tiny")]

    def file_in_python(self, name: str, owner: str) -> str:
        return "folder/mine.pth"


class Page:
    """Handlers whose pictures are opened in name only."""

    def __init__(self, secret: str, monkeypatch: pytest.MonkeyPatch, first: Any = None) -> None:
        services: Any = SimpleNamespace(
            models=Models(),
            first_visit=first,
            galleries="galleries",
            pictures=SimpleNamespace(newest=lambda secret: None, get=lambda secret, key: None),
            visitors=SimpleNamespace(secret=lambda cookies: secret),
            checkpoints=SimpleNamespace(everything=lambda owner: []),
        )
        rail: Any = SimpleNamespace(**{name: name for name in NAMES})
        views: Any = {"gallery": "", "tray": "", "strip": "strip"}
        self.handlers = Handlers(services, "session", rail, views)  # type: ignore[arg-type]
        self.opened: list[Any] = []
        self.told: list[str] = []
        self.request: Any = SimpleNamespace(cookies={})
        monkeypatch.setattr(gr, "Warning", self.told.append)
        monkeypatch.setattr(self.handlers, "_open_sample", self.open_sample)

    def open_sample(self, file: str, choice: Any, shown: str, request: Any) -> dict[str, Any]:
        self.opened.append((file, choice.model, choice.size, choice.seed, shown))
        return {"status": "opened", "session": "new"}


FIRST = FirstVisit(Path(), {"key": "first", "model": "tiny"}, "tag")


def test_a_link_to_a_model_that_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample that it names opens in the model with which the page begins, and why is said."""
    link = f"#model={OWN}&sample=coffee.jpg&size=448&seed=3"
    bob = Page("bob", monkeypatch)
    for update in (
        bob.handlers.arrive(link, "m", 224, 0, bob.request),
        bob.handlers.travel(Session("k"), "", link, "m", 224, 3, bob.request),
    ):
        assert update["session"] == "new"
        assert 'role="alert"' in update["status"]
        assert "somebody else&#x27;s" in update["status"]
    assert bob.opened == [("coffee.jpg", "tiny", 448, 3, "first")] * 2
    assert bob.told == [GONE, GONE]
    ada = Page("ada", monkeypatch)
    ada.handlers.arrive(link, "m", 224, 0, ada.request)
    ada.handlers.travel(Session("k"), "", link, "m", 224, 5, ada.request)
    assert ada.opened == [
        ("coffee.jpg", OWN, 448, 3, "first"),
        ("coffee.jpg", OWN, 448, 5, "k"),
    ]
    assert ada.told == []


@pytest.mark.parametrize(
    ("link", "stored"),
    [
        ("", True),
        ("#sample=cat.jpg&model=tiny&size=224&seed=7", True),
        ("#sample=coffee.jpg", False),
        ("#model=other", False),
        ("#size=448", False),
    ],
)
def test_what_was_worked_out_is_shown_for_what_it_is_of(
    monkeypatch: pytest.MonkeyPatch, link: str, stored: bool
) -> None:
    page = Page("ada", monkeypatch, FIRST)
    update = page.handlers.arrive(link, "tiny", 224, 2, page.request)
    assert (page.opened == []) == stored
    if not stored:
        return
    seed = 7 if "seed" in link else 2
    assert update["session"] == Session("first")
    assert (update["model"], update["size"], update["seed"]) == ("tiny", 224, seed)
    assert update["strip"]["view"] == {"key": "first", "model": "tiny", "seed": seed}
    assert "Chelsea the cat" in update["status"]
    assert "About tiny" in update["badge"]
    page.handlers.services.models.weights = Path("own.pth")  # type: ignore[assignment]
    assert page.handlers.arrive(link, "tiny", 224, 2, page.request)["badge"] == ""


@pytest.mark.parametrize("first", [None, FIRST])
def test_a_link_to_a_picture_that_has_gone(monkeypatch: pytest.MonkeyPatch, first: Any) -> None:
    page = Page("ada", monkeypatch, first)
    update = page.handlers.arrive("#picture=k&seed=4&model=m&size=448", "m", 224, 0, page.request)
    assert page.told == [NOT_HERE]
    assert "The picture of this link is not here" in update["status"]
    if first:
        assert update["strip"]["view"]["seed"] == 4
    else:
        assert page.opened == [("cat.jpg", "tiny", 224, 4, "first")]


def test_a_sample_of_the_samples_gallery_is_that_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    page, asked = Page("ada", monkeypatch), []

    def open_from(*what: Any) -> tuple[str, str]:
        asked.append(what)
        return "decoded", "coffee.jpg"

    monkeypatch.setattr(handler_module, "open_from_gallery", open_from)
    monkeypatch.setattr(
        page.handlers, "_open", lambda *w, **n: page.opened.append((w[0], w[2], n["origin"])) or {}
    )
    for name in ("samples", "mine"):
        chosen = {"gallery": name, "index": 5}
        page.handlers.open_gallery_picture(Session("k"), "", chosen, "m", 224, 3, page.request)
    assert page.opened == [
        ("coffee.jpg", "m", 224, 3, "k"),
        ("decoded", "coffee.jpg, from your pictures.", "gallery/mine/5"),
    ]
    assert asked == [("galleries", name, 5, owner_of("ada")) for name in ("samples", "mine")]


def test_a_download_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    page, told = Page("ada", monkeypatch), []
    monkeypatch.setattr(page.handlers, "_change", lambda *what: what)
    progress: Any = lambda *what, **how: told.append((*what, how))  # noqa: E731
    found: Any = page.handlers.change_model(Session("k"), "", "m", 448, 3, page.request, progress)
    assert found[0] == "k"
    assert (found[1].model, found[1].size, found[1].seed) == ("m", 448, 3)
    found[3](5, 10)
    assert told == [((5, 10), {"desc": "Downloading", "unit": "bytes"})]


# --- routes


@pytest.fixture
def client() -> Iterator[TestClient]:
    job = GalleryJob(
        *("mine", "OWNER", "pets.zip", "/z"),
        pictures=1,
        classes=0,
        label="m",
        options={},
        asked=1.0,
    )
    services: Any = SimpleNamespace(
        galleries=SimpleNamespace(
            zips=lambda owner: [replace(job, name="other", title="x"), job],
            zip_of=lambda name: Path(name),
        ),
        runs=SimpleNamespace(
            uploads=SimpleNamespace(take_from=Asked("take_from")),
            remove=lambda *_: None,
            steer=lambda *_: None,
            job=lambda name: None if name == "gone" else job,
            card=lambda name, owner: {"card": name},
        ),
    )
    app = FastAPI()
    add_routes(app, services)

    @app.get("/overflow")
    def overflow() -> None:
        raise OverflowError

    app.dependency_overrides |= {
        dependencies.known_visitor: lambda: "OWNER",
        dependencies.address: lambda: "ADDRESS",
        dependencies.find_run: lambda name: Path("/nothing", name),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs.PictureChoice, "of", Asked("choice"))
        patch.setattr(runs, "plain", lambda values: Response(repr(values)))
        yield TestClient(app)


def test_pictures_of_a_gallery_are_taken_by_its_name(client: TestClient) -> None:
    answer = client.post("/runs/pictures/gallery/mine")
    choice = "choice({'include': [], 'exclude': [], 'stretch': False})"
    assert answer.text == (
        f"take_from(mine, 'OWNER', 'pets.zip', choice={choice}, address='ADDRESS')"
    )
    refused = client.post("/runs/pictures/gallery/none")
    assert (refused.status_code, "no longer kept" in refused.text) == (422, True)


def test_a_run_that_has_gone_is_said_to_be_gone(client: TestClient) -> None:
    for action in ("delete", "stop"):
        gone = client.post(f"/runs/gone/steer?action={action}")
        assert gone.text == "{'name': 'gone', 'gone': True}"
        there = client.post(f"/runs/there/steer?action={action}")
        assert there.text == "{'card': 'there'}", "its job is there"


def test_a_number_that_is_too_large_is_said(client: TestClient) -> None:
    answer = client.get("/overflow")
    assert (answer.status_code, answer.text) == (422, "A number in this request is too large.")


def test_a_tray_asks_each_time_whose_a_checkpoint_is() -> None:
    asked: list[Any] = []
    seen = SimpleNamespace(seen=lambda what, look: what)
    models = SimpleNamespace(default="tiny", checkpoint=lambda *who: asked.append(who))
    services: Any = SimpleNamespace(models=models, trays=seen)
    row: Any = SimpleNamespace(what=("sample", "cat.jpg"))
    for model in (OWN, "tiny", ""):
        found: Any = tray.seen_by(services, "ada", row, model, size=98, is_gone=lambda: False)
        assert found == ("sample", "cat.jpg", model or "tiny", 98)
    assert asked == [(owner_of("ada"), OWN)]


@pytest.mark.parametrize(("said", "called"), [("mine-1", "mine"), ("vits14", "vits14")])
def test_a_checkpoint_is_called_as_its_visitor_has_it(said: str, called: str) -> None:
    models: Any = Models()
    models.checkpoint = lambda owner, name: (Path("kept/mine-1.pth"), {})
    models.backbone = lambda name, owner: SimpleNamespace(name=said)
    services: Any = SimpleNamespace(models=models)
    assert tray.said_name(services, OWN, "OWNER") == called
    assert tray.said_name(services, "tiny", "OWNER") == said


# --- files and memory


def test_what_vanishes_meanwhile_is_of_no_time(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    for modified in (checkpoints.modified, run_cards._moved):
        assert modified(tmp_path / "none") == 0.0
        assert modified(there) == there.stat().st_mtime
    galleries = Galleries(tmp_path)
    job: Any = SimpleNamespace(name="none")
    assert galleries._looked_at(job) == 0.0


def test_a_machine_that_does_not_tell_its_memory_has_a_gigabyte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "CGROUP_LIMIT", tmp_path / "none")
    for error in (OSError, ValueError, AttributeError):

        def refuse(_: str, error: type[Exception] = error) -> int:
            raise error

        monkeypatch.setattr(pictures, "os", SimpleNamespace(sysconf=refuse))
        assert pictures.memory_limit() == 2**30


def test_samples_that_are_the_stored_ones_stay(tmp_path: Path) -> None:
    stored = tmp_path / "stored"
    stored.mkdir()
    (stored / "config.json").write_text("{}")
    galleries = Galleries(tmp_path / "galleries")
    galleries.bring_samples(Options("m"), stored)
    there = galleries.folder / "samples"
    (there / "a map").touch()
    galleries.bring_samples(Options("m"), stored)
    assert (there / "a map").exists()
    (there / "config.json").write_text('{"another": 1}')
    galleries.bring_samples(Options("m"), stored)
    assert not (there / "a map").exists()


def test_gradio_is_imported_as_if_its_sources_were_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And everything else has its sources as always, then and afterwards."""
    found: list[Any] = []
    before = inspect.getfile

    def importing(name: str) -> None:
        found.append((name, inspect.getfile(Galleries)))
        with pytest.raises(OSError, match="hidden while Gradio is being imported"):
            inspect.getfile(gr.Image)
        raise KeyError

    monkeypatch.setattr("app.gradio_import.importlib.import_module", importing)
    with pytest.raises(KeyError):
        import_gradio()
    assert found == [("gradio", before(Galleries))]
    assert inspect.getfile is before
