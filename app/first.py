"""The first visit: one sample, worked out beforehand, shown before any model has loaded.

`python -m app.first` writes the answers that a newcomer's page asks for into static/first/. A
request that is not among them is answered from the same sample as soon as the model is there.
"""

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

STATIC = Path(__file__).resolve().parent.parent / "static"
FOLDER = STATIC / "first"
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


if __name__ == "__main__":
    main()
