"""scenes/umap_process.py: what is answered over the connection, and that it goes on."""

import signal
from typing import Any

import numpy as np
import pytest

from dino_core.scenes import umap_process


class Connection:
    """The other end: requests, and what came back."""

    def __init__(self, *requests: Any) -> None:
        self.requests = list(requests)
        self.sent: list[Any] = []

    def send(self, answer: Any) -> None:
        self.sent.append(answer)

    def recv(self) -> Any:
        if not self.requests:
            raise EOFError
        return self.requests.pop(0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the process does to itself is told, and not done."""
    done: list[Any] = []
    monkeypatch.setattr(umap_process.signal, "signal", lambda *words: done.append(words))
    monkeypatch.setattr(umap_process.os, "nice", lambda by: done.append(by))
    monkeypatch.setattr(umap_process, "warm_up", lambda: done.append("warm"))
    return done


def test_it_says_that_it_is_warm_and_answers_until_the_other_end_is_closed(
    quick: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def umap_map(features: np.ndarray, start: np.ndarray, *chosen: float) -> np.ndarray:
        if len(features) < 3:
            raise ValueError("Too few.")
        if len(features) > 5:
            raise RuntimeError("compiled")
        return start * chosen[0]

    monkeypatch.setattr(umap_process, "umap_map", umap_map)
    requests = [(np.ones((n, 4)), np.ones((n, 2)), 7, 0.5, 0) for n in (2, 3, 6, 4)]
    connection = Connection(*requests)
    umap_process.serve(connection)  # type: ignore[arg-type]
    warm, few, one, broken, other = connection.sent
    assert (warm, few) == (umap_process.WARM, "Too few.")
    assert broken == "UMAP found no map (RuntimeError): try other settings."
    assert (one == 7 * np.ones((3, 2))).all()
    assert (other == 7 * np.ones((4, 2))).all()
    assert quick == [(signal.SIGINT, signal.SIG_IGN), 5, "warm"], "Ctrl-C is the server's"


def test_without_umap_it_says_so_and_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ImportError("umap")

    monkeypatch.setattr(umap_process, "warm_up", missing)
    connection = Connection((np.ones((4, 4)),))
    umap_process.serve(connection)  # type: ignore[arg-type]
    assert connection.sent == ["UMAP cannot be used here (ImportError)."]


def test_where_it_may_not_step_back_it_serves_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(by: int) -> None:
        raise PermissionError

    monkeypatch.setattr(umap_process.os, "nice", refused)
    connection = Connection()
    umap_process.serve(connection)  # type: ignore[arg-type]
    assert connection.sent == [umap_process.WARM]
