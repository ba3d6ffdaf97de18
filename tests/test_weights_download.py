"""Downloads from a server on this machine: whole, cut short, refused, absent, twice at once."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from dino_core.config import ViTConfig
from dino_core.vit import VisionTransformer
from dino_core.weights import backbone as backbone_module
from dino_core.weights import find_variant, load_backbone, variants
from dino_core.weights.fetch import download, fetch

TINY = ViTConfig(dim=64, depth=1, heads=1, image_size=28)


def weights(config: ViTConfig = TINY) -> bytes:
    buffer = io.BytesIO()
    torch.save(VisionTransformer(config).state_dict(), buffer)
    return buffer.getvalue()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing.pth":
            self.send_error(404)
            return
        body = {"/page.pth": b"<html>Please log in</html>", "/other.pth": OTHER}.get(
            self.path, WHOLE
        )
        self.send_response(200)
        if self.path != "/silent.pth":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path == "/cut.pth" else body)

    def log_message(self, *arguments: object) -> None:
        pass


WHOLE = weights()
OTHER = weights(replace(TINY, depth=2))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "home"


@pytest.fixture(scope="module")
def address():
    """A server on a port of its own: its address."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_address[1]}"
    http.shutdown()
    http.server_close()


def variant(url: str) -> variants.Variant:
    official = find_variant("dinov2_vits14")
    parameters = sum(p.numel() for p in VisionTransformer(TINY, device="meta").parameters())
    return replace(
        official,
        name="tiny",
        sha256=None,
        size=None,
        config=TINY,
        parameters=parameters,
        url=url,
        file="t.pth",
    )


def test_a_whole_file_arrives(address, folder):
    told = []
    entry = variant(f"{address}/whole.pth")
    path = fetch(entry, folder, lambda done, total: told.append((done, total)))
    assert path == folder / "t.pth"
    assert path.read_bytes() == WHOLE
    assert [p.name for p in folder.iterdir()] == ["t.pth"]
    assert told[0] == (0, len(WHOLE))
    assert told[-1] == (len(WHOLE), len(WHOLE))


def test_a_server_that_does_not_say_the_length(address, folder):
    told = []
    fetch(variant(f"{address}/silent.pth"), folder, lambda *now: told.append(now))
    assert told[-1] == (len(WHOLE), None)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("missing", "404"),
        ("cut", "broke off"),
        ("page", "web page"),
        ("other", "do not fit"),
    ],
)
def test_what_is_not_the_model_leaves_nothing(address, folder, page, words):
    url = f"{address}/{page}.pth"
    with pytest.raises(ValueError, match=words) as error:
        fetch(variant(url), folder)
    assert url in str(error.value)
    assert str(folder / "t.pth") in str(error.value)
    assert list(folder.iterdir()) == []


def test_a_wrong_checksum_leaves_nothing(address, folder):
    entry = replace(variant(f"{address}/whole.pth"), sha256="0" * 64)
    with pytest.raises(ValueError, match="checksum"):
        fetch(entry, folder)
    assert list(folder.iterdir()) == []


def test_no_server_at_all(folder):
    with pytest.raises(ValueError, match=r"cannot be reached.*by hand"):
        fetch(variant("http://127.0.0.1:1/t.pth"), folder)
    assert list(folder.iterdir()) == []


def test_a_person_may_stop_it(address, folder):
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(variant(f"{address}/whole.pth"), folder, stop)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made(address, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="could not be written"):
        fetch(variant(f"{address}/whole.pth"), tmp_path / "file")


def test_many_at_once_do_not_meet(address, folder):
    entry = variant(f"{address}/whole.pth")
    with ThreadPoolExecutor(6) as pool:
        paths = set(pool.map(lambda _: fetch(entry, folder), range(12)))
    assert paths == {folder / "t.pth"}
    assert (folder / "t.pth").read_bytes() == WHOLE
    assert [p.name for p in folder.iterdir()] == ["t.pth"]


def test_only_when_asked_and_only_once(address, folder, monkeypatch):
    entries = (variant(f"{address}/whole.pth"),)
    monkeypatch.setattr(variants, "VARIANTS", entries)
    monkeypatch.setattr(backbone_module, "VARIANTS", entries)
    with pytest.raises(ValueError, match="not on this disk"):
        load_backbone("tiny")
    assert not folder.exists()
    backbone = load_backbone("tiny", download=True)
    assert (backbone.name, backbone.info.official) == ("tiny", True)
    assert backbone.info.path == folder / "t.pth"
    entries = (replace(entries[0], url="http://127.0.0.1:1/gone.pth"),)
    monkeypatch.setattr(variants, "VARIANTS", entries)
    assert download("tiny") == folder / "t.pth"


def test_the_preview_cannot_be_downloaded(folder):
    with pytest.raises(ValueError, match="belong to the project"):
        fetch(find_variant("preview_vits14"), folder)
