"""The Model Context Protocol: off unless asked for, this machine alone, tools with descriptions."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tiny_home import kept_in

import app.__main__ as start
from app.server import build_server

ADDRESS = "/gradio_api/mcp/"
ASK = {"Accept": "application/json, text/event-stream"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with kept_in(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[TestClient]:
    server = build_server(weights=home / "tiny.safetensors", mcp=True)
    with TestClient(server, base_url="http://localhost") as client:
        yield client


def listed(client: TestClient) -> list[dict[str, Any]]:
    """The tools, as an assistant is sent them."""
    answer = client.post(ADDRESS, json=LIST, headers=ASK)
    assert answer.status_code == 200, answer.text
    (line,) = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    tools: list[dict[str, Any]] = json.loads(line.removeprefix("data: "))["result"]["tools"]
    return tools


def test_every_named_endpoint_is_a_tool_that_says_what_it_does(client: TestClient) -> None:
    tools = {tool["name"]: tool for tool in listed(client)}
    endpoints = client.get("/gradio_api/info").json()["named_endpoints"]
    assert set(tools) == {name.removeprefix("/") for name in endpoints} >= {"grid", "attention"}
    for name, tool in tools.items():
        assert "A picture is" in tool["description"], name
        of = {"video": "files", "tray": "pictures"}.get(name, "picture")
        assert of in tool["inputSchema"]["required"], name
        named = {parameter["parameter_name"] for parameter in endpoints[f"/{name}"]["parameters"]}
        assert set(tool["inputSchema"]["properties"]) == named, name
    assert tools["rollout"]["description"].startswith("Attention of the class token followed")
    assert tools["attention"]["inputSchema"]["properties"]["layer"]["default"] == 11


def test_another_site_gets_no_tools(client: TestClient) -> None:
    strange = ASK | {"Origin": "https://example.org"}
    assert client.post(ADDRESS, json=LIST, headers=strange).status_code == 403
    rebound = ASK | {"Host": "example.org"}
    assert client.post(ADDRESS, json=LIST, headers=rebound).status_code == 421


def test_what_is_too_long_or_names_an_address_is_refused(client: TestClient) -> None:
    long = {**LIST, "params": {"cursor": "x" * 2**20}}
    assert client.post(ADDRESS, json=long, headers=ASK).status_code == 413
    picture = {"picture": {"path": "http://example.org/cat.jpg"}}
    call = {**LIST, "method": "tools/call", "params": {"name": "rollout", "arguments": picture}}
    answer = client.post(ADDRESS, json=call, headers=ASK)
    assert (answer.status_code, answer.text[:18]) == (422, "Upload the picture")


def test_without_the_option_there_are_no_tools(home: Path) -> None:
    client = TestClient(
        build_server(weights=home / "tiny.safetensors"), base_url="http://localhost"
    )
    assert client.post(ADDRESS, json=LIST, headers=ASK).status_code == 404
    client.close()


def options(*words: str) -> Namespace:
    parser = ArgumentParser()
    start.page_options(parser.add_argument)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    "words",
    [("--host", "0.0.0.0"), ("--allow-host", "example.org"), ("--root-path", "/inside")],
)
def test_others_are_not_served(words: tuple[str, ...]) -> None:
    start.check_mcp(options("--mcp"))
    with pytest.raises(ValueError, match="--mcp serves tools to this machine alone"):
        start.check_mcp(options("--mcp", *words))


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert options().mcp is False
    monkeypatch.setattr(start, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'inside-dinov2\[mcp\]'"):
        start.check_mcp(options("--mcp"))
