"""Models for other libraries, made by the command and offered by the page once they are proven."""

import os
import threading
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tiny_models import tiny_vit

from app.jobs.exports import GONE, KEPT, ROOM, WAITING, Export, Exports, pack
from app.routes.all_routes import add_routes
from app.services import build_services
from app.visitors import COOKIE, owner_of
from dino_core.weights import load_backbone, save_backbone

PROVEN = "224 x 224 px: equal to 1.0e-07 of the largest number"
NOTE = "timm interpolates positions in its own way."


class Command:
    """Stands for the process: says and writes what it is told to, and has ended at once."""

    def __init__(self, *lines: str, writes: bool = True) -> None:
        self.lines, self.writes = lines, writes
        self.asked: list[str] = []
        self.may_go = threading.Event()
        self.may_go.set()

    def __call__(self, arguments: list[str], log: Path) -> int:
        assert self.may_go.wait(20)
        self.asked = arguments
        output = Path(arguments[-1])
        log.write_text("\n".join([*self.lines, f"{arguments[3]} -> {output}"]))
        if self.writes and output.suffix:
            output.write_bytes(b"weights")
        elif self.writes:
            output.mkdir()
            (output / "config.json").write_text("{}")
        return os.getpid()  # whose command does not name the export: it has ended


class Server:
    def __init__(self) -> None:
        self.app = FastAPI()
        self.services = build_services("preview_vits14", None, "cpu")
        add_routes(self.app, self.services)

    def use(self, command: Command) -> Command:
        exports: Exports = self.services.exports
        exports._start = command
        return command

    def visitor(self, secret: str) -> TestClient:
        cookie = self.services.visitors.cookie_of(secret)
        return TestClient(self.app, cookies={COOKIE: cookie})


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("INSIDE_DINOV2_RUNS", str(tmp_path / "runs"))
    return Server()


@pytest.fixture
def own(server: Server, tmp_path: Path) -> str:
    """A checkpoint of ada's."""
    path = save_backbone(tiny_vit(), tmp_path / "my own.safetensors")
    sent = server.visitor("ada").post(f"/checkpoints?name={path.name}", content=path.read_bytes())
    return str(sent.json()["name"])


def ended(client: TestClient, card: Any, seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while card["state"] in ("waiting", "running") and time.monotonic() < end:
        time.sleep(0.05)
        card = client.get(f"/exports/{card['token']}").json()
    return card


def test_what_is_proven_is_offered_to_who_asked(server: Server, own: str) -> None:
    command = server.use(Command("Writing for timm.", PROVEN, NOTE))
    ada, bob = server.visitor("ada"), server.visitor("bob")
    card = ended(ada, ada.post(f"/exports?model={own}&to=timm").json())
    assert (card["state"], card["file"], card["bytes"]) == ("finished", "my-own-timm.pth", 7)
    assert card["words"] == [PROVEN, NOTE]
    assert 0 <= card["seconds"] < 600, "since it was asked for"
    assert command.asked[:1] + command.asked[2:5] == ["export", "--to", "timm", "--output"]
    assert Path(command.asked[1]).name == "my own.safetensors"
    file = ada.get(f"/exports/{card['token']}/file")
    assert file.content == b"weights"
    assert 'filename="my-own-timm.pth"' in file.headers["content-disposition"]
    for address in (f"/exports/{card['token']}", f"/exports/{card['token']}/file"):
        refused = bob.get(address)
        assert (refused.status_code, refused.text) == (404, GONE)
    assert bob.post(f"/exports?model={own}&to=timm").status_code == 422, "nobody else's model"


def test_a_folder_comes_as_a_zip(server: Server) -> None:
    server.use(Command(PROVEN))
    ada = server.visitor("ada")
    card = ended(ada, ada.post("/exports?model=preview_vits14&to=transformers").json())
    assert card["file"] == "preview_vits14-transformers.zip"
    with zipfile.ZipFile(BytesIO(ada.get(f"/exports/{card['token']}/file").content)) as archive:
        assert archive.namelist() == ["preview_vits14-transformers/config.json"]


def test_what_is_not_proven_is_not_offered(server: Server) -> None:
    words = "An export to timm is checked by timm, which is not installed here."
    server.use(Command("Writing for timm.", writes=False))
    server.services.exports._start = lambda arguments, log: (log.write_text(words), os.getpid())[1]
    ada = server.visitor("ada")
    card = ended(ada, ada.post("/exports?model=preview_vits14&to=timm").json())
    assert (card["state"], card["words"], card["file"]) == ("failed", [words], "")
    assert ada.get(f"/exports/{card['token']}/file").status_code == 404


def test_one_at_a_time_and_one_of_each_visitor(server: Server) -> None:
    command = server.use(Command(PROVEN))
    command.may_go.clear()
    ada, bob = server.visitor("ada"), server.visitor("bob")
    first = ada.post("/exports?model=preview_vits14&to=official").json()
    again = ada.post("/exports?model=preview_vits14&to=official")
    assert again.status_code == 422
    assert "still being made" in again.text
    second = bob.post("/exports?model=preview_vits14&to=official").json()
    assert second["state"] == "waiting"
    assert "first" in second["words"][0]
    command.may_go.set()
    assert ended(ada, first)["state"] == ended(bob, second)["state"] == "finished"


def test_what_is_old_is_thrown_away(server: Server) -> None:
    server.use(Command(PROVEN))
    ada = server.visitor("ada")
    card = ended(ada, ada.post("/exports?model=preview_vits14&to=official").json())
    exports = server.services.exports
    (path,) = [path for path in exports.folder.glob("*/*") if path.is_dir()]
    os.utime(path, (1, time.time() - KEPT - 1))
    exports._sweep()
    assert path.exists(), "it is still known"
    Server().services.exports._sweep()  # a server that was started anew
    assert not path.exists()
    gone = Server().visitor("ada").get(f"/exports/{card['token']}")
    assert (gone.status_code, gone.text) == (404, GONE)


def test_nonsense_is_refused(server: Server) -> None:
    ada = server.visitor("ada")
    assert ada.post("/exports?model=preview_vits14&to=tensorflow").status_code == 422
    assert ada.post("/exports?model=other&to=timm").text == (
        "Choose a model that is on this machine."
    )
    assert TestClient(server.app).post("/exports?model=x&to=timm").status_code == 403


@pytest.mark.slow
def test_the_command_itself_writes_a_file_that_opens(
    server: Server, own: str, tmp_path: Path
) -> None:
    ada = server.visitor("ada")
    card = ended(ada, ada.post(f"/exports?model={own}&to=official").json())
    assert card["state"] == "finished", card
    assert len(card["words"]) == 2
    (tmp_path / "back.pth").write_bytes(ada.get(f"/exports/{card['token']}/file").content)
    again = load_backbone(weights=tmp_path / "back.pth", heads=3).vit
    assert torch.equal(again.cls_token, tiny_vit().cls_token)


def test_a_zip_is_there_once_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my-transformers"
    folder.mkdir()
    (folder / "config.json").write_text("{}")

    def full(*_: object) -> None:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "write", full)
        with pytest.raises(OSError, match="no space"):
            pack(folder)
    assert not (tmp_path / "my-transformers.zip").exists()
    pack(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["my-transformers.zip"]


def test_so_many_exports_wait_and_no_more(server: Server) -> None:
    exports: Exports = server.services.exports
    others = [Export(f"{i}", f"visitor {i}", "timm", (), Path("x")) for i in range(WAITING)]
    exports._all = {one.token: one for one in others}
    refused = server.visitor("ada").post("/exports?model=preview_vits14&to=timm")
    assert (refused.status_code, "Too many exports wait" in refused.text) == (422, True)


def test_an_export_asks_for_room_first(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def full(_: Path, more: int) -> None:
        asked.append(more)
        raise ValueError("There is no room.")

    monkeypatch.setattr("app.jobs.exports.need_room", full)
    refused = server.visitor("ada").post("/exports?model=preview_vits14&to=timm")
    assert (refused.status_code, refused.text) == (422, "There is no room.")
    weights = server.services.models.weights_of("preview_vits14")
    assert weights is not None
    assert asked == [ROOM * weights.stat().st_size]


def test_an_export_that_takes_too_long_is_stopped(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[int] = []
    monkeypatch.setattr("app.jobs.exports.LONGEST", 0.0)
    monkeypatch.setattr("app.jobs.exports.is_running", lambda pid, token: not stopped)
    monkeypatch.setattr("app.jobs.exports.stop_process", lambda pid, token: stopped.append(pid))
    server.use(Command("Writing for timm.", writes=False))
    ada = server.visitor("ada")
    card = ended(ada, ada.post("/exports?model=preview_vits14&to=timm").json(), 10)
    assert (card["state"], len(stopped)) == ("failed", 1)


def test_at_the_end_of_the_server_nothing_goes_on(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is being made is stopped, and what waits does not begin."""
    stopped: list[str] = []
    begun = threading.Event()
    monkeypatch.setattr("app.jobs.exports.is_running", lambda *_: begun.set() or not stopped)
    monkeypatch.setattr("app.jobs.exports.stop_process", lambda _, token: stopped.append(token))
    command = server.use(Command("Writing.", writes=False))
    exports = server.services.exports
    first = exports.add("ada", "preview_vits14", "timm")
    assert begun.wait(20)
    second = exports.add("bob", "preview_vits14", "official")
    asked = command.asked
    exports.end()
    with exports._turn:
        pass
    assert stopped == [first["token"]]
    assert command.asked == asked, "the second was never started"
    assert exports.card("bob", second["token"])["state"] == "waiting"


def test_what_has_ended_is_known_for_an_hour(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports, now = server.services.exports, 10_000.0
    monkeypatch.setattr("app.jobs.exports.time.time", lambda: now)
    states = ("waiting", "running", "finished", "failed")
    exports._all = {
        state: Export(state, "ada", "timm", (), Path("x"), state, asked=now) for state in states
    }
    now += KEPT
    exports._sweep()
    assert set(exports._all) == set(states)
    now += 1
    exports._sweep()
    assert set(exports._all) == {"waiting", "running"}, "these have not ended"


def test_halves_of_a_server_before_are_thrown_away(server: Server) -> None:
    folder = server.services.exports.folder / "owner"
    (folder / "old").mkdir(parents=True)
    for name in ("old", "old.txt", "new.txt"):
        path = folder / name
        path.mkdir(exist_ok=True) if name == "old" else path.write_text("said")
        age = KEPT + 1 if name.startswith("old") else KEPT - 60
        os.utime(path, (1, time.time() - age))
    server.services.exports._sweep()
    assert [path.name for path in folder.iterdir()] == ["new.txt"]


@pytest.mark.parametrize(
    ("state", "refused"),
    [("waiting", True), ("running", True), ("finished", False), ("failed", False)],
)
def test_a_visitor_has_one_export_going(server: Server, state: Any, refused: bool) -> None:
    server.use(Command(PROVEN))
    exports, ada = server.services.exports, server.visitor("ada")
    exports._all = {"x": Export("x", owner_of("ada"), "timm", (), Path("x"), state)}
    answer = ada.post("/exports?model=preview_vits14&to=timm")
    assert (answer.status_code == 422) == refused
    if not refused:
        ended(ada, answer.json())
