"""`python -m app` and `inside-dinov2`: what may be said, what is refused before anything starts,
and what the server is then told. No server runs."""

import argparse
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

import app.gradio_import
import app.server
import dino_core.__main__
import dino_core.scenes.models
from app import __main__ as start
from app import console
from app.middleware.protection import Access


def parsed(*words: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    start.page_options(parser.add_argument)
    return vars(parser.parse_args(words))


PLAIN: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 7860,
    "model": None,
    "weights": None,
    "device": "cpu",
    "allow_host": [],
    "allow_frame": [],
    "root_path": "",
    "gallery": [],
    "allow_downloads": False,
    "mcp": False,
}


def test_what_may_be_said() -> None:
    assert parsed() == PLAIN
    words = (
        "--host 0.0.0.0 --port 8000 --model dinov2_vits14 --weights a.pth --device cuda "
        "--allow-host a.org --allow-host b.org --allow-frame https://c.org --allow-frame * "
        "--root-path /inside --gallery one --gallery two --allow-downloads --mcp"
    )
    assert parsed(*words.split()) == {
        "host": "0.0.0.0",
        "port": 8000,
        "model": "dinov2_vits14",
        "weights": Path("a.pth"),
        "device": "cuda",
        "allow_host": ["a.org", "b.org"],
        "allow_frame": ["https://c.org", "*"],
        "root_path": "/inside",
        "gallery": [Path("one"), Path("two")],
        "allow_downloads": True,
        "mcp": True,
    }


def test_what_may_be_said_is_named_as_people_write_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        start.main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("usage: python -m app [-h]")
    assert "Open the page on this machine." in said
    for words in (
        "--allow-host NAME a name that this server is known by",
        "--allow-frame ORIGIN a site that may embed the page",
        "--root-path PATH the path below which a proxy shows the page",
        "--gallery DIR a gallery that the command",
        "--host HOST address to listen on (default: this machine only)",
        "--port PORT port to listen on (default: 7860)",
        "--model MODEL model to begin with, one of those that `models` lists",
        "--weights WEIGHTS a checkpoint of your own instead",
        "--device DEVICE cpu, cuda or mps",
        "--allow-downloads let visitors have official weights downloaded",
        "--mcp also serve the views as tools of the Model Context Protocol",
    ):
        assert words in said


class Started:
    """Everything that starting the page would do, in the order of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.built: tuple[Any, ...] = ()
        self.run: dict[str, Any] = {}

        def noting(name: str) -> Any:
            return lambda *words: self.done.append(" ".join(map(str, (name, *words))))

        def build(*words: Any, **options: Any) -> str:
            self.done.append("build")
            self.built = (*words, options)
            return "the server"

        def say(*words: Any, flush: bool = False, **how: Any) -> None:
            assert flush or "file" in how, "whoever starts it waits for the words"
            print(*words, flush=flush, **how)

        def run(server: Any, **options: Any) -> None:
            self.done.append("run")
            self.run = {"server": server, **options}

        monkeypatch.setattr(start, "print", say, raising=False)
        monkeypatch.setattr(start, "set_environment", noting("environment"))
        monkeypatch.setattr(start, "check_address", noting("address"))
        monkeypatch.setattr(start, "check_mcp", lambda _: self.done.append("mcp"))
        monkeypatch.setattr(dino_core.scenes.models, "check_device", noting("device"))
        monkeypatch.setattr(app.gradio_import, "import_gradio", noting("gradio"))
        monkeypatch.setattr(start.interruption, "cease", noting("cease"))
        monkeypatch.setattr(app.server, "build_server", build)
        monkeypatch.setattr(uvicorn, "run", run)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    return Started(monkeypatch)


def test_the_page_as_it_is_started_most_often(
    started: Started, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can be wrong is looked at before anything takes time; Ctrl-C is the server's own."""
    assert start.main([]) == 0
    order = ["environment", "address 127.0.0.1 7860", "gradio", "build", "cease", "run"]
    assert started.done == order
    told = {
        "port": 7860,
        "access": Access(),
        "allow_downloads": None,
        "root_path": "",
        "galleries": [],
        "mcp": False,
    }
    assert started.built == (None, None, "cpu", told)
    assert started.run == {
        "server": "the server",
        "host": "127.0.0.1",
        "port": 7860,
        "log_level": "warning",
        "timeout_graceful_shutdown": 2,
    }
    assert capsys.readouterr().out == "Inside DINOv2 opens on http://127.0.0.1:7860\n"


def test_the_server_is_told_all_that_was_said(
    started: Started, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "--host 0.0.0.0 --port 8000 --model dinov2_vits14 --weights a.pth --device cuda "
        "--allow-host a.org --allow-frame https://c.org --root-path /inside --gallery one "
        "--allow-downloads --mcp"
    )
    assert start.main(words.split()) == 0
    assert started.done == [
        *("environment", "address 0.0.0.0 8000", "device cuda", "mcp"),
        *("gradio", "build", "cease", "run"),
    ]
    told = {
        "port": 8000,
        "access": Access("0.0.0.0", ("a.org",), ("https://c.org",)),
        "allow_downloads": True,
        "root_path": "/inside",
        "galleries": [Path("one")],
        "mcp": True,
    }
    assert started.built == ("dinov2_vits14", Path("a.pth"), "cuda", told)
    assert (started.run["host"], started.run["port"]) == ("0.0.0.0", 8000)
    assert capsys.readouterr().out.splitlines() == [
        "Inside DINOv2 opens on http://0.0.0.0:8000",
        "Tools (MCP): http://0.0.0.0:8000/gradio_api/mcp/",
    ]


def test_a_mistake_is_a_sentence_and_exit_code_2(
    started: Started, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError("There is no model 'x'.")

    monkeypatch.setattr(app.server, "build_server", refuse)
    assert start.main([]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "There is no model 'x'.\n")
    assert started.done[-1] == "gradio"
    monkeypatch.setattr(start, "find_spec", lambda name: None if name == "gradio" else "there")
    started.done.clear()
    assert start.main([]) == 2
    assert "The page needs Gradio: pip install 'inside-dinov2[app]'" in capsys.readouterr().err
    assert started.done == ["environment", "address 127.0.0.1 7860"]


# --- what is looked at before


@pytest.mark.parametrize("port", [0, -1, 65536, 10**9])
def test_a_port_is_a_number_of_16_bits(port: int) -> None:
    with pytest.raises(ValueError, match=f"from 1 to 65535, not {port}"):
        start.check_address("127.0.0.1", port)


def test_where_this_machine_cannot_listen_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=rf"cannot listen on 127\.0\.0\.1, port {port} \(.+\)"):
            start.check_address("127.0.0.1", port)
    start.check_address("127.0.0.1", port)

    asked: list[Any] = []

    def nowhere(*words: Any, **named: Any) -> Any:
        asked.append((words, named))
        raise socket.gaierror

    monkeypatch.setattr(start.socket, "getaddrinfo", nowhere)
    with pytest.raises(ValueError, match="nowhere is no address of this machine: leave --host out"):
        start.check_address("nowhere", 80)
    assert asked == [(("nowhere", 80), {"type": socket.SOCK_STREAM})]


@pytest.mark.parametrize("port", [1, 65535])
def test_the_first_and_the_last_port_are_tried(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a server tries it: a port that was let go of a moment ago is free."""
    tried: list[Any] = []

    class Trial:
        def __init__(self, *kind: Any) -> None:
            tried.append(kind)

        def __enter__(self) -> "Trial":
            return self

        def __exit__(self, *_: object) -> None:
            tried.append("closed")

        def setsockopt(self, *option: Any) -> None:
            tried.append(option)

        def bind(self, place: Any) -> None:
            tried.append(place)

    monkeypatch.setattr(start.socket, "socket", Trial)
    start.check_address("127.0.0.1", port)
    assert tried == [
        (socket.AF_INET, socket.SOCK_STREAM),
        (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
        ("127.0.0.1", port),
        "closed",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"host": "0.0.0.0"},
        {"allow_host": ["a.org"]},
        {"root_path": "/inside"},
    ],
)
def test_tools_are_served_to_this_machine_alone(
    changed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "find_spec", lambda name: "there")
    start.check_mcp(SimpleNamespace(**PLAIN))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="--mcp serves tools to this machine alone"):
        start.check_mcp(SimpleNamespace(**PLAIN | changed))  # type: ignore[arg-type]
    monkeypatch.setattr(start, "find_spec", lambda name: None if name == "mcp" else "there")
    with pytest.raises(ValueError, match=r"pip install 'inside-dinov2\[mcp\]' brings it"):
        start.check_mcp(SimpleNamespace(**PLAIN))  # type: ignore[arg-type]


SET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENBLAS_NUM_THREADS": "1",
}


def test_what_libraries_read_is_set_and_what_a_person_set_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[int] = []
    monkeypatch.setattr(start, "ensure_account", lambda: called.append(1))
    monkeypatch.setattr(os, "environ", {})
    start.set_environment()
    assert (dict(os.environ), called) == (SET, [1])
    monkeypatch.setattr(os, "environ", dict.fromkeys(SET, "mine"))
    start.set_environment()
    assert dict(os.environ) == {**dict.fromkeys(SET, "mine"), "GRADIO_ANALYTICS_ENABLED": "False"}


# --- the program that is installed


def test_without_a_command_the_page_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def run(arguments: list[str], *, more: Any) -> int:
        asked.append((arguments, more))
        return len(asked)

    monkeypatch.setattr(dino_core.__main__, "main", run)
    monkeypatch.setattr(sys, "argv", ["inside-dinov2"])
    more = [(start.page, start.page_options)]
    assert console.main() == 1
    monkeypatch.setattr(sys, "argv", ["inside-dinov2", "features", "cat.jpg"])
    assert console.main() == 2
    assert console.main([]) == 3
    assert console.main(["page", "--port", "1"]) == 4
    assert asked == [
        (["page"], more),
        (["features", "cat.jpg"], more),
        (["page"], more),
        (["page", "--port", "1"], more),
    ]
    around: list[str] = []

    @contextmanager
    def program() -> Iterator[None]:
        around.append("before")
        try:
            yield
        finally:
            around.append("after")

    monkeypatch.setattr(console.interruption, "program", program)
    with pytest.raises(SystemExit) as ended:
        console.program()
    assert (ended.value.code, around) == (5, ["before", "after"])
