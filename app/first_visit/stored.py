"""The first visit: one sample, worked out beforehand, shown before any model has loaded.

`python -m app.first_visit.stored` writes the answers that a newcomer's page asks for into
static/first/, and the samples as a gallery into static/gallery/. A request that is not among the
answers is answered from the same sample as soon as the model is there.
"""

import gzip
import json
import shutil
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from app.paths import STATIC
from dino_core.scenes import gallery
from dino_core.scenes.models import PREVIEW

FOLDER = STATIC / "first"
GALLERY = STATIC / "gallery"
OF_A_PROCESS = ("lock", "launch.txt", "started.json", "progress.json", "requests", "control")
KEY = "first"  # everybody's key: it opens a sample, nobody's picture
SAMPLE = "cat.jpg"
SIZE = 224
SEED = 0

# What the page fetches by itself: the strip, then each screen as it opens.
PATHS = [
    "strip?seed=0",
    "thumb.jpg",
    "input.jpg",
    "source.jpg",
    "attention/11",
    "overview",
    "crops?seed=0&blur=as+run",
    "masks?seed=0&ratio=0.3",
    "tokens/patches",
    "tokens/blocks",
    "features/11?preset=paper&flip=false",
    "patches/11",
    "losses?seed=0&pair=preview",
    "losses/company/preview.jpg",
]
AHEAD = ["strip?seed=0", "attention/11", "input.jpg", "overview"]  # of the screen that opens


def stored(path_and_query: str) -> bytes | None:
    """The answer to a request below view/first/, gzipped; None when there is none."""
    if path_and_query not in PATHS:
        return None
    file = FOLDER / quote_plus(path_and_query)
    return file.read_bytes() if file.is_file() else None


def view() -> dict[str, Any] | None:
    """The page's first `view` prop, None when nothing was worked out."""
    file = FOLDER / "view.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def write_gallery() -> None:
    """The map of the samples, with PCA of every layer, so that nobody waits for it."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "gallery"
        gallery.launch("samples", folder, gallery.Options(PREVIEW))
        while (state := gallery.state_of(folder))["state"] != "ready":
            if not state["alive"]:
                raise ValueError(state["words"])
            time.sleep(0.5)
        ready = (folder / "state.json").read_bytes()  # what it says before it is stopped
        gallery.stop(folder)
        for layer in range(gallery.names(folder).layers):
            gallery.points(folder, "cls", layer)
            gallery.points(folder, "mean_patch", layer)
            gallery.points(folder, "both", layer)
        shutil.rmtree(GALLERY, ignore_errors=True)
        shutil.copytree(folder, GALLERY, ignore=shutil.ignore_patterns(*OF_A_PROCESS))
        (GALLERY / "state.json").write_bytes(ready)
    size = sum(path.stat().st_size for path in GALLERY.rglob("*") if path.is_file())
    print(f"{size:>9,} bytes  the gallery of the samples")


def main() -> None:
    """Asks the real server for each path and writes down what it says."""
    from fastapi.testclient import TestClient

    from app.server import build_server

    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    server = build_server("preview_vits14", None, "cpu", "127.0.0.1", 7860)
    client = TestClient(server)
    (FOLDER / "view.json").write_text(json.dumps(client.get("/view/first/view.json").json()))
    for path in PATHS:
        answer = client.get(f"/view/{KEY}/{path}")
        answer.raise_for_status()
        data = gzip.compress(answer.content, mtime=0)
        (FOLDER / quote_plus(path)).write_bytes(data)
        print(f"{len(data):>9,} bytes  {path}")

    pairs = import_module("dino_core.scenes.pairs")
    pairs.write_company(pairs.open_bundled("preview"), pairs.COMPANY)
    write_gallery()


if __name__ == "__main__":
    main()
