"""state/umap_worker.py by itself: when its process starts, what ends it, and how many wait."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from stand_ins import note_threads

from app.state import umap_worker as umap_module
from app.state.umap_worker import UmapWorker


class Connection:
    def __init__(self, *said: Any, there: bool = True) -> None:
        self.said, self.there = list(said), there
        self.sent: list[Any] = []
        self.waited: list[float] = []

    def send(self, request: Any) -> None:
        self.sent.append(request)

    def poll(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return self.there

    def recv(self) -> Any:
        answer = self.said.pop(0) if self.said else EOFError()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.sent.append("closed")


class Process:
    def __init__(self, alive: bool = True) -> None:
        self.alive, self.done = alive, []  # type: ignore[var-annotated]

    def start(self) -> None:
        self.done.append("started")

    def is_alive(self) -> bool:
        return self.alive

    def terminate(self) -> None:
        self.done.append("ended")


def worker(connection: Connection) -> UmapWorker:
    made = UmapWorker()
    made.state, made._connection, made._process = "ready", connection, Process()  # type: ignore[assignment]
    return made


@pytest.mark.parametrize(
    ("answer", "state", "message"),
    [
        (umap_module.WARM, "ready", ""),
        ("umap-learn is not installed.", "broken", "umap-learn is not installed."),
        (EOFError(), "broken", "UMAP could not be started."),
        (OSError(), "broken", "UMAP could not be started."),
    ],
)
def test_umap_warms_up_in_a_process_of_its_own(
    monkeypatch: pytest.MonkeyPatch, answer: Any, state: str, message: str
) -> None:
    ours, theirs, process, made = Connection(answer), Connection(), Process(), UmapWorker()
    about: list[Any] = []

    def get_context(kind: str) -> Any:
        about.append(kind)
        return SimpleNamespace(
            Pipe=lambda: (ours, theirs), Process=lambda **named: about.append(named) or process
        )

    monkeypatch.setattr(umap_module.multiprocessing, "get_context", get_context)
    assert made.state == "cold"
    with pytest.raises(ValueError, match="still warming up: PCA is there at once"):
        made.fit("x")
    made._warm_up()
    assert made.state == state
    named = {"target": umap_module.serve, "args": (theirs,), "name": "umap", "daemon": True}
    assert about == ["spawn", named]
    assert theirs.sent == ["closed"]
    assert process.done == (["started"] if state == "ready" else ["started", "ended"])
    if state == "broken":
        assert made.message == message
        with pytest.raises(ValueError, match=message):
            made.fit("x")


def test_umap_is_started_when_somebody_may_want_it_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[Any] = []

    note_threads(monkeypatch, umap_module, started)
    made = UmapWorker()
    assert (made.start(), made.start()) == ("warming", "warming")
    assert started == [{"target": made._warm_up, "name": "umap", "daemon": True}, "started"]
    made.state = "broken"
    assert made.start() == "broken"
    made.stop()  # there is no process yet


def test_a_map_is_waited_for_so_long() -> None:
    connection = Connection(["a map"], "It cannot be laid out.")
    made = worker(connection)
    assert made.fit("features", 15) == ["a map"]
    assert (connection.sent, connection.waited) == ([("features", 15)], [180.0])
    with pytest.raises(ValueError, match="It cannot be laid out"):
        made.fit("features", 2)
    assert made.state == "ready"
    for broken, words in (
        (Connection(there=False), "UMAP took too long and was stopped: PCA is there at once."),
        (Connection(EOFError()), "UMAP has stopped: PCA is there at once."),
    ):
        made = worker(broken)
        with pytest.raises(ValueError, match=words):
            made.fit("features")
        assert (made.state, made._process.done) == ("broken", ["ended"])
    made._process = Process(alive=False)
    made.stop()
    assert made._process.done == []


def test_one_map_is_made_at_a_time_and_three_wait() -> None:
    begun, may_end = threading.Event(), threading.Event()

    class Slow(Connection):
        def recv(self) -> Any:
            begun.set()
            assert may_end.wait(20)
            return ["a map"]

    connection = Slow()
    made = worker(connection)
    threads = [threading.Thread(target=made.fit, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    assert begun.wait(20)
    while made._queue.acquire(blocking=False):  # until all three are there
        made._queue.release()
    assert len(connection.sent) == 1
    with pytest.raises(ValueError, match="Other maps are being made: try again in a moment"):
        made.fit("x")
    may_end.set()
    for thread in threads:
        thread.join(20)
    assert len(connection.sent) == 3
    assert made.fit("x") == ["a map"]
