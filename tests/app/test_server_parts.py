"""server.py and services.py: which part is told of which other, and in what order a request meets
what surrounds it. Nothing is served."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from fastapi import FastAPI

from app import server as module
from app import services as building
from app.first_visit import stored
from app.middleware.protection import Access
from app.page.screens import SCREENS
from app.page.theme import css
from app.services import Services, build_services, open_first_picture
from app.state.script_version import page_scripts
from app.state.whatif import SAMPLE_REFERENCES, References
from app.visitors import COOKIE, owner_of
from dino_core.scenes.gallery import Options
from dino_core.scenes.models import colour_maps


class Noted(list[Any]):
    """Calls in the order in which they were made."""

    def call(self, name: str, answer: Any = None) -> Any:
        def noting(*words: Any, **named: Any) -> Any:
            self.append((name, *words, named) if named else (name, *words))
            return answer

        return noting


# --- the server


def test_a_request_meets_what_surrounds_it_in_this_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one added is the first to see it: who may ask is settled before anything else is."""
    noted = Noted()
    services: Any = SimpleNamespace(
        first_visit=SimpleNamespace(view={"key": "first"}),
        identity=SimpleNamespace(now=lambda: {"server": "x"}),
        visitors="visitors",
        uploads="uploads",
    )
    monkeypatch.setattr(module, "head", noted.call("head", "the head"))
    monkeypatch.setattr(module, "stage", lambda: "the stage")
    server: Any = SimpleNamespace(
        add_middleware=lambda kind, *words, **named: noted.append((kind.__name__, *words, named))
    )
    access = Access("0.0.0.0")
    module.add_middleware(server, services, access, "hash", prefix="/inside", mcp=True)
    first = services.first_visit
    assert noted == [
        ("head", colour_maps(), SCREENS, {"key": "first"}, "hash", {"identity": {"server": "x"}}),
        ("FirstDocument", page_scripts(), "the head", "the stage", {}),
        ("VisitorCookie", "visitors", "/inside/", {}),
        ("StoredResponses", first, {}),
        ("GradioLoader", {}),
        ("CompressPage", {}),
        ("StaticCache", page_scripts(), {}),
        ("GradioGate", "visitors", "uploads", {"mcp": True}),
        ("Protection", access, {}),
        ("Prefix", "/inside", {}),
    ]
    noted.clear()
    services.first_visit = None
    module.add_middleware(server, services, access, "hash")
    assert noted[0][3] is None
    assert noted[1:4] == [
        ("FirstDocument", page_scripts(), "the head", "", {}),
        ("VisitorCookie", "visitors", "/", {}),
        ("StoredResponses", None, {}),
    ]
    assert noted[7] == ("GradioGate", "visitors", "uploads", {"mcp": False})


def test_the_page_lies_behind_the_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = Noted()
    monkeypatch.setattr(gr, "mount_gradio_app", noted.call("mount"))
    monkeypatch.setattr(module, "theme", lambda: "the theme")
    monkeypatch.setattr(module, "hide_endpoints", noted.call("hide endpoints"))
    page: Any = SimpleNamespace(has_launched=False, _queue=SimpleNamespace())
    module.mount("server", page, "0.0.0.0", 8000, prefix="/inside", mcp=True)  # type: ignore[arg-type]
    told = {
        "path": "/",
        "root_path": "/inside",
        "server_name": "0.0.0.0",
        "server_port": 8000,
        "footer_links": [],
        "run_history": False,
        "show_error": False,
        "max_file_size": "25mb",
        "ssr_mode": False,
        "enable_monitoring": False,
        "mcp_server": True,
        "theme": "the theme",
        "css": css(),
    }
    assert noted == [("mount", "server", page, told), ("hide endpoints", page)]
    assert page.has_launched, "or Gradio would open any file that a request names"
    assert (page._queue.sleep_when_free, page._queue.progress_update_sleep_when_free) == (0.02, 0.1)
    noted.clear()
    module.mount("server", page, "127.0.0.1", 7860)  # type: ignore[arg-type]
    assert noted[0][3]["root_path"] is None
    assert noted[0][3]["mcp_server"] is False


def test_what_goes_on_behind_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = Noted()
    services: Any = SimpleNamespace(
        models=SimpleNamespace(preload=noted.call("preload"), device="cuda"),
        pictures=SimpleNamespace(get=lambda *key: ("opened", *key)),
        runs=SimpleNamespace(begin=noted.call("runs")),
        galleries=SimpleNamespace(begin=noted.call("galleries")),
    )

    class Thread:
        def __init__(self, **named: Any) -> None:
            noted.append(("thread", named))

        def start(self) -> None:
            noted.append(("started",))

    monkeypatch.setattr(module.threading, "Thread", Thread)
    stop = module.start(services)
    assert not stop.is_set()
    thread = {"target": module.tidy, "args": (services, stop), "name": "tidy", "daemon": True}
    assert noted[:2] == [("thread", thread), ("started",)]
    assert [name for name, *_ in noted[2:]] == ["preload", "runs", "galleries"]
    assert noted[2][1]() == ("opened", "", "first"), "the picture that greets everybody"
    assert noted[4][1]() == Options("preview_vits14", None, 224, device="cuda")


def test_a_server_is_built_of_all_that_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = Noted()
    page = SimpleNamespace(theme_hash="hash")
    monkeypatch.setattr(module, "build_services", noted.call("services", "the services"))
    monkeypatch.setattr(module, "add_routes", noted.call("routes"))
    monkeypatch.setattr(module, "build_app", noted.call("page", page))
    monkeypatch.setattr(module, "mount", noted.call("mount"))
    monkeypatch.setattr(module, "add_middleware", noted.call("around"))
    stop = threading.Event()
    monkeypatch.setattr(module, "start", noted.call("start", stop))
    monkeypatch.setattr(module, "end", lambda services: noted.append(("end", stop.is_set())))
    access, weights, shown = Access("0.0.0.0"), Path("a.pth"), [Path("one")]
    server = module.build_server(
        *("dinov2_vits14", weights, "cuda"),
        port=8000,
        access=access,
        allow_downloads=True,
        root_path="/inside/",
        galleries=shown,
        mcp=True,
    )
    told = {"allow_downloads": True, "galleries": shown}
    around = {"prefix": "/inside", "mcp": True}
    assert noted == [
        ("services", "dinov2_vits14", weights, "cuda", told),
        ("routes", server, "the services"),
        ("page", "the services"),
        ("mount", server, page, "0.0.0.0", 8000, around),
        ("around", server, "the services", access, "hash", around),
    ]
    assert isinstance(server, FastAPI)
    assert (server.docs_url, server.redoc_url, server.openapi_url) == (None, None, None)
    noted.clear()

    async def live() -> None:
        async with server.router.lifespan_context(server):
            noted.append(("lives", stop.is_set()))

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, live()).result()
    assert noted == [("start", "the services"), ("lives", False), ("end", True)]
    noted.clear()
    module.build_server()
    assert noted[0] == ("services", None, None, "cpu", {"allow_downloads": True, "galleries": ()})
    assert noted[3][3:] == ("127.0.0.1", 7860, {"prefix": "", "mcp": False})


# --- its services


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    for name in ("RUNS", "GALLERIES", "HOME"):
        monkeypatch.setenv(f"INSIDE_DINOV2_{name}", str(tmp_path / name.lower()))
    return build_services("preview_vits14", None, "cpu", allow_downloads=False)


def test_each_part_knows_those_that_it_needs(services: Services, tmp_path: Path) -> None:
    models = services.models
    assert (models.default, models.device, models.allow_downloads) == (
        "preview_vits14",
        "cpu",
        False,
    )
    assert build_services("preview_vits14", None, "cuda").models.allow_downloads
    assert models.checkpoints is services.checkpoints
    for part in (
        *(services.pairs, services.changed, services.screenings, services.steps),
        *(services.classifiers, services.exports, services.identity),
    ):
        assert part._models is models
    assert services.screenings._changed is services.changed
    assert services.pairs._find_run == services.runs.find
    page = tmp_path / "runs" / ".page"
    assert services.runs.folder == tmp_path / "runs"
    assert services.galleries.folder == tmp_path / "galleries"
    assert services.checkpoints.folder == page / "checkpoints"
    assert services.exports.folder == page / "exports"
    key = (page / "cookie.key").read_bytes()
    assert len(key) == 32
    again = build_services("preview_vits14", None, "cpu")
    cookie = services.visitors.new_cookie()
    assert again.visitors.secret({COOKIE: cookie}) != "", "a cookie outlives the server"
    assert again.identity.server != services.identity.server


def test_what_was_worked_out_is_of_the_model_that_the_page_begins_with(
    services: Services, tmp_path: Path
) -> None:
    assert services.first_visit is not None
    assert services.identity._stored == services.first_visit.tag
    (tmp_path / "mine.pth").write_bytes(b"x")
    other = build_services(None, tmp_path / "mine.pth", "cpu")
    assert (other.first_visit, other.identity._stored) == (None, "")
    assert (other.models.default, other.models.weights) == ("mine", tmp_path / "mine.pth")


def test_folders_that_a_server_was_started_with_are_everybody_s(
    monkeypatch: pytest.MonkeyPatch, services: Services
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(
        building, "Galleries", lambda folder, *, shown: given.append((folder, shown))
    )
    build_services("preview_vits14", None, "cpu", galleries=[Path("one")])
    build_services("preview_vits14", None, "cpu")
    assert given == [(services.galleries.folder, [Path("one")]), (services.galleries.folder, ())]


class Asked:
    """Models that tell what they were asked, and answer with words."""

    default = "tiny"

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def inspect(self, *what: Any, **who: Any) -> str:
        self.asked.append((*what, who))
        return "the picture"

    def title_of(self, name: str, owner: str) -> str:
        return f"title of {name} for {owner}"

    def file_in_python(self, name: str, owner: str) -> str:
        return f"file of {name} for {owner}"

    def said_in_python(self, name: str, owner: str) -> dict[str, str]:
        return {"heads": f"of {name} for {owner}"}

    def classifier_words(self, name: str, owner: str = "") -> str:
        return f"words of {name} for {owner}"


def test_a_look_is_its_visitor_s_with_all_that_is_said_of_the_model(
    services: Services,
) -> None:
    asked, owner = Asked(), owner_of("ada")
    own: Any = SimpleNamespace(models=asked)
    is_gone = lambda: False  # noqa: E731
    entry = Services.look(
        own, "the source", "ada", "m", 98, is_gone=is_gone, sample="cat.jpg", comparison=True
    )  # type: ignore[arg-type]
    assert asked.asked == [("the source", "m", 98, {"owner": owner, "is_gone": is_gone})]
    assert (entry.owner, entry.picture, entry.model, entry.size) == ("ada", "the picture", "m", 98)
    assert (entry.title, entry.file) == (f"title of m for {owner}", f"file of m for {owner}")
    assert entry.said == {"heads": f"of m for {owner}"}
    assert entry.classifier == f"words of m for {owner}"
    assert (entry.sample, entry.comparison, entry.origin) == ("cat.jpg", True, "")


def test_the_picture_that_greets_is_nobody_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "read_sample", lambda name: f"decoded {name}")
    asked = Asked()
    entry = open_first_picture(asked)  # type: ignore[arg-type]
    assert asked.asked == [("decoded cat.jpg", "tiny", 224, {})]
    assert (entry.owner, entry.model, entry.size, entry.sample) == ("", "tiny", 224, "cat.jpg")
    assert (entry.classifier, entry.title) == ("words of tiny for ", "")
    assert (stored.KEY, stored.SAMPLE) == ("first", "cat.jpg")


def test_it_is_opened_when_somebody_needs_it(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(building, "open_first_picture", lambda models: opened.append(models) or "e")
    assert opened == []
    assert services.pictures.get("anybody", "first") == "e"
    assert services.pictures.get("", "first") == "e"
    assert opened == [services.models]


def test_values_are_taken_from_the_samples_or_a_gallery_of_ones_own(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert services.references("samples", "ada") is SAMPLE_REFERENCES
    with pytest.raises(ValueError, match="no such gallery"):
        services.references("other", "ada")
    monkeypatch.setattr(services.galleries, "find", lambda name, owner: Path(owner) / name)
    assert services.references("mine", "ada") == References("mine", Path("ada/mine"))
