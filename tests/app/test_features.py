"""Another picture beside the first: who may open it, what is refused, what is kept."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from safetensors.numpy import load

from app.routes import features
from app.server import build_server
from app.state.pictures import PER_VISITOR, Entry, PictureStore
from app.state.umap_worker import QUEUE_CAPACITY, UmapWorker

HOME = "http://localhost"
SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"


@pytest.fixture(scope="module")
def server() -> Any:
    return build_server("preview_vits14")


@pytest.fixture
def visitor(server: Any) -> Iterator[TestClient]:
    client = TestClient(server, base_url=HOME)
    client.get("/")
    yield client
    client.close()


@pytest.mark.slow
def test_a_sample_and_a_file_stand_beside_the_first(visitor: TestClient) -> None:
    sample = visitor.post("/view/first/second?sample=rocket.jpg").json()
    file = visitor.post("/view/first/second", content=(SAMPLES / "rocket.jpg").read_bytes()).json()
    assert sample["grid"] == file["grid"] == [16, 24]
    assert (sample["sample"], file["sample"]) == ("rocket.jpg", "")
    answers = [
        load(visitor.get(f"/view/first/matches/10?second={one['key']}").content)
        for one in (sample, file)
    ]
    assert (answers[0]["forward"] == answers[1]["forward"]).all()
    assert answers[0]["forward"].shape == (16 * 24,)
    again = visitor.post(f"/view/first/second?source={file['key']}").json()
    assert again["grid"] == file["grid"]
    assert again["key"] != file["key"]


def test_a_second_key_is_its_owner_s(server: Any, visitor: TestClient) -> None:
    key = visitor.post("/view/first/second?sample=coffee.jpg").json()["key"]
    assert visitor.get(f"/view/{key}/patches/3").status_code == 200
    other = TestClient(server, base_url=HOME)
    other.get("/")
    for path in (f"{key}/patches/3", f"first/matches/3?second={key}", f"{key}/input.jpg"):
        assert other.get(f"/view/{path}").status_code == 404
    assert other.post(f"/view/first/second?source={key}").status_code == 404
    stranger = TestClient(server, base_url=HOME)  # has never opened the page
    refused = stranger.post("/view/first/second?sample=coffee.jpg")
    assert (refused.status_code, refused.text) == (404, "Open the page first.")


@pytest.mark.parametrize(
    ("query", "body", "status", "words"),
    [
        ("", b"", 422, "empty"),
        ("", b"no picture at all", 422, "a picture is wanted"),
        ("?sample=../../etc/passwd", b"", 422, "no such sample"),
        ("?source=nobody", b"", 404, "no longer kept"),
        ("?model=dinov2_vitg14", b"", 422, "not on this disk"),
        ("?model=nonsense", b"", 422, "nonsense"),
    ],
)
def test_refused_in_words(
    visitor: TestClient, query: str, body: bytes, status: int, words: str
) -> None:
    answer = visitor.post(f"/view/first/second{query}", content=body)
    assert answer.status_code == status
    assert words in answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Traceback" not in answer.text


def test_too_large_a_file_is_let_go_of(
    visitor: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "MAX_PICTURE", 1000)
    answer = visitor.post("/view/first/second", content=b"x" * 1001)
    assert (answer.status_code, "25 MB" in answer.text) == (413, True)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("matches/3", "second picture"),
        ("features/3?components=1,2", "components"),
        ("features/3?threshold=much", "threshold"),
        ("clusters/3?k=99", "2 to 12"),
        ("map/3?method=tsne", "method"),
        ("map/3?method=umap", "warming up"),
        ("features/3?components=1,2,3x", "components"),
        ("comparison/3?second_layer=12", "layer"),
    ],
)
def test_questions_that_make_no_sense(visitor: TestClient, path: str, words: str) -> None:
    answer = visitor.get(f"/view/first/{path}")
    assert answer.status_code == 422
    assert words in answer.text


def test_the_same_picture_in_the_same_model_is_alike(visitor: TestClient) -> None:
    twin = visitor.post("/view/first/second?model=preview_vits14").json()
    table = load(visitor.get(f"/view/first/likeness?second={twin['key']}").content)["cka"]
    assert table.diagonal() == pytest.approx(1, abs=1e-4)


def entry(owner: str, source: Any, comparison: bool = False) -> Any:
    picture = SimpleNamespace(source=source, seen=SimpleNamespace(nbytes=0))
    return Entry(owner, picture, "model", 224, comparison=comparison)


def photo() -> Any:
    return SimpleNamespace(size=(10, 10))


def test_what_stands_beside_is_neither_newest_nor_drops_what_is_shown() -> None:
    store, first, second = PictureStore(), photo(), photo()
    old, shown = (store.add(entry("ada", source)) for source in (first, second))
    aside = [store.add(entry("ada", photo(), comparison=True)) for _ in range(5)]
    assert store.newest("ada") == shown
    assert store.get("ada", old) is not None
    assert [store.get("ada", key) is not None for key in aside] == [False] * 2 + [True] * 3


def test_the_picture_before_is_another_picture() -> None:
    store, first, second = PictureStore(), photo(), photo()
    before = store.add(entry("ada", first))
    now = entry("ada", second)
    store.add(now)
    store.add(entry("bob", photo()))
    assert store.previous("ada", now) == before
    assert store.previous("bob", entry("bob", photo())) is not None
    assert store.previous("", now) is None
    for _ in range(PER_VISITOR - 1):  # the same picture again, until the first one is gone
        other_model = entry("ada", second)
        store.add(other_model)
    assert store.previous("ada", other_model) is None


def test_umap_that_is_not_there_says_so() -> None:
    worker = UmapWorker()
    with pytest.raises(ValueError, match="warming up"):
        worker.fit()
    worker._fail("UMAP cannot be used here.")
    with pytest.raises(ValueError, match="cannot be used"):
        worker.fit()
    assert worker.start() == "broken"


def test_a_map_that_fails_makes_room_for_the_next() -> None:
    """So many may wait; who has got an answer, of whatever kind, waits no longer."""

    class Lines:
        def send(self, request: Any) -> None:
            pass

        def poll(self, timeout: float) -> bool:
            return True

        def recv(self) -> Any:
            return "No map of this."

    worker = UmapWorker()
    worker.state, worker._connection = "ready", Lines()  # type: ignore[assignment]
    for _ in range(QUEUE_CAPACITY + 1):
        with pytest.raises(ValueError, match="No map of this"):
            worker.fit("x")
    for _ in range(QUEUE_CAPACITY):
        worker._queue.acquire()
    with pytest.raises(ValueError, match="Other maps are being made"):
        worker.fit("x")


def test_umap_is_started_once_and_what_is_broken_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    worker, started = UmapWorker(), []
    monkeypatch.setattr(worker, "_warm_up", lambda: started.append(1))
    monkeypatch.setattr("app.state.umap_worker.threading.Thread", Now)
    assert [worker.start(), worker.start()] == ["warming", "warming"]
    worker.state = "broken"
    assert worker.start() == "broken"
    assert started == [1]


class Now:
    """Stands for a thread that has ended when it has begun."""

    def __init__(self, target: Any, **_: Any) -> None:
        self.start = target


def echo(connection: Any) -> None:
    """Stands in for the process of UMAP."""
    connection.send("warm")
    while True:
        request = connection.recv()
        if request == ("die",):
            return
        connection.send(f"heard {request[0]}" if request[0] == "sorry" else request)


@pytest.mark.slow
def test_maps_come_from_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.state.umap_worker.serve", echo)
    worker = UmapWorker()
    assert worker.start() == "warming"
    assert worker.start() in ("warming", "ready"), "it is started once"
    for _ in range(6000):
        if worker.state != "warming":
            break
        time.sleep(0.01)
    assert worker.fit(1, 2) == (1, 2)
    with pytest.raises(ValueError, match="heard sorry"):
        worker.fit("sorry")
    with pytest.raises(ValueError, match="UMAP has stopped"):
        worker.fit("die")
    assert worker.state == "broken"
    worker.stop()


def test_a_process_that_fails_is_ended() -> None:
    """Otherwise it would compute on, and hold its memory, with nobody to hear of it."""

    class Process:
        alive = True

        def is_alive(self) -> bool:
            return self.alive

        def terminate(self) -> None:
            self.alive = False

    class Silent:
        def send(self, request: Any) -> None:
            pass

        def poll(self, timeout: float) -> bool:
            return False

    worker, process = UmapWorker(), Process()
    worker.state, worker._connection, worker._process = "ready", Silent(), process  # type: ignore[assignment]
    with pytest.raises(ValueError, match="took too long and was stopped"):
        worker.fit("x")
    assert (process.alive, worker.state) == (False, "broken")
