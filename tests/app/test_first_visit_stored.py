"""The first visit's stored answers are what the server would say."""

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from alike import assert_same
from fastapi.testclient import TestClient
from safetensors.numpy import load, load_file, save_file

from app.first_visit import stored
from app.paths import FIRST_VISIT, SAMPLES
from app.server import build_server
from dino_core.runs.pretrained_heads import PREVIEW_HEADS
from dino_core.scenes.models import weights_file

HOME = "http://localhost"
PREVIEW = "preview_vits14"


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(build_server(PREVIEW), base_url=HOME)


@pytest.fixture(scope="module")
def first() -> stored.FirstVisit:
    found = stored.load_first_visit(PREVIEW, weights_file(PREVIEW))
    assert found is not None, "run python -m app.first_visit.build"
    return found


def test_the_view_is_the_one_of_the_sample(client: TestClient, first: stored.FirstVisit) -> None:
    # Another seed is not stored, so this one is computed.
    computed = client.get("/view/first/view.json?seed=0").json()
    assert first.view == computed


@pytest.mark.parametrize("path", [path for path in stored.PATHS if not path.endswith(".jpg")])
@pytest.mark.slow
def test_stored_answers_equal_computed_ones(
    client: TestClient, first: stored.FirstVisit, path: str
) -> None:
    data = first.response(path)
    assert data is not None, f"{path} is missing: run python -m app.first_visit.build"
    held = load(gzip.decompress(data))
    separator = "&" if "?" in path else "?"
    computed = load(client.get(f"/view/first/{path}{separator}form=page").content)
    assert held.keys() == computed.keys()
    for name, values in held.items():
        if name == "codes":  # their singular vectors have no sign: what counts are the products
            ours, theirs = (one["codes"] * one["scales"] for one in (held, computed))
            np.testing.assert_allclose(ours @ ours[::40].T, theirs @ theirs[::40].T, atol=0.03)
        elif values.dtype == np.uint8:
            off = np.abs(values.astype(int) - computed[name].astype(int))
            assert (off > 2).mean() < 0.01, name
        else:
            # The processor that stored them may have rounded otherwise.
            np.testing.assert_allclose(values, computed[name], rtol=2e-3, atol=2e-2, err_msg=name)


def test_the_whole_first_visit_is_stored(first: stored.FirstVisit) -> None:
    assert all(first.response(path) for path in stored.PATHS)
    assert first.response("attention/3") is None
    assert first.response("../view.json") is None


# --- stored responses are for exactly the weights and the sample that they were computed with


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A disk of its own, with no weights but those that a test puts there."""
    for name in ("INSIDE_DINOV2_HOME", "TORCH_HOME", "INSIDE_DINOV2_RUNS"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def other_weights(path: Path) -> Path:
    """The preview's tensors, a little changed: a file of the same size."""
    tensors = load_file(weights_file(PREVIEW))
    tensors["patch_embed.proj.weight"] = tensors["patch_embed.proj.weight"] * 1.5
    save_file(tensors, path)
    return path


def same_weights(path: Path) -> Path:
    known = weights_file(PREVIEW)
    assert known is not None
    path.write_bytes(known.read_bytes())
    return path


def test_a_file_of_ones_own_is_not_shown_as_the_preview(home: Path) -> None:
    file = other_weights(home / "preview_vits14.safetensors")  # whatever it is called
    client = TestClient(build_server(weights=file), base_url=HOME)
    assert '"first": null' in client.get("/").text
    assert client.get("/").text.count('id="inside-stage"') == 0
    shown = load(client.get("/view/first/attention/11").content)
    data = gzip.decompress((FIRST_VISIT / "attention%2F11").read_bytes())
    assert np.abs(shown["queries"] - load(data)["queries"]).max() > 0.1


def test_the_preview_s_own_file_under_another_name_is_the_preview(home: Path) -> None:
    server = build_server(weights=same_weights(home / "mine.safetensors"))
    client = TestClient(server, base_url=HOME)
    assert '"model": "mine"' in client.get("/").text
    assert client.get("/view/first/attention/11").headers["content-encoding"] == "gzip"


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [None, "dinov2_vits14"])
def test_official_weights_are_not_shown_as_the_preview(home: Path, chosen: str | None) -> None:
    """Found on the disk, or chosen by name."""
    other_weights(home / "dinov2_vits14_pretrain.safetensors")
    server = build_server(chosen)
    assert server.state.services.models.default == "dinov2_vits14"
    client = TestClient(server, base_url=HOME)
    assert '"first": null' in client.get("/").text
    assert client.get("/view/first/thumb.jpg").headers.get("etag") is None


def test_another_sample_size_or_format_is_not_what_was_stored(
    home: Path, tmp_path: Path, first: stored.FirstVisit, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = weights_file(PREVIEW)
    sample = tmp_path / "cat.jpg"
    sample.write_bytes((SAMPLES / "cat.jpg").read_bytes() + b"\0")
    assert stored.load_first_visit(PREVIEW, weights, sample=sample) is None
    assert stored.load_first_visit(PREVIEW, None) is None, "the weights are not on this disk"
    folder = tmp_path / "first"
    shutil.copytree(FIRST_VISIT, folder)
    assert stored.load_first_visit(PREVIEW, weights, folder=folder) == replace(first, folder=folder)
    origin = json.loads((folder / "origin.json").read_text())
    for field in origin:
        (folder / "origin.json").write_text(json.dumps(origin | {field: 1 - stored.FORMAT}))
        assert stored.load_first_visit(PREVIEW, weights, folder=folder) is None, field
    (folder / "origin.json").write_text("{")
    assert stored.load_first_visit(PREVIEW, weights, folder=folder) is None


def test_other_heads_or_samples_are_not_what_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The losses are read off the heads, in a batch of all samples."""
    weights = weights_file(PREVIEW)
    assert stored.HEADS == PREVIEW_HEADS
    samples = tmp_path / "samples"
    shutil.copytree(SAMPLES, samples)
    with (samples / "rocket.jpg").open("ab") as file:
        file.write(b"\0")
    for name, value in (("HEADS", SAMPLES / "cat.jpg"), ("SAMPLES", samples)):
        with monkeypatch.context() as patch:
            patch.setattr(stored, name, value)
            assert stored.load_first_visit(PREVIEW, weights) is None, name
    assert stored.load_first_visit(PREVIEW, weights) is not None


def test_the_browser_asks_again_when_the_server_has_started_anew(client: TestClient) -> None:
    answer = client.get("/view/first/overview")
    assert answer.headers["cache-control"] == "private, no-cache"
    again = client.get("/view/first/overview", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/view/first/overview", headers={"If-None-Match": '"other"'})
    assert_same(other.content, answer.content)
    computed = client.get("/view/first/heads/3")
    assert computed.headers["cache-control"] == "private, no-cache", "computed by this model"


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("*", True), ("gzip;q=0", False), ("br", False)],
)
def test_what_is_stored_is_packed_for_who_can_unpack_it(
    client: TestClient, accepts: str, packed: bool
) -> None:
    answer = client.get("/view/first/overview", headers={"Accept-Encoding": accepts})
    assert (answer.headers.get("content-encoding") == "gzip") == packed
    assert answer.headers["vary"] == "Accept-Encoding"
    data = gzip.decompress((FIRST_VISIT / "overview").read_bytes())
    assert_same(answer.content, data)
