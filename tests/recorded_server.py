"""The tiny page whose answers the page's own tests keep (`static/js/test/answers/`).

    PYTHONPATH=.:tests python tests/recorded_server.py           serves it, until it is interrupted
    RECORD=http://127.0.0.1:7990 node test/screen-NAME.test.js   in static/js: asks what is missing

To have an answer anew, take it out of its file first. Runs are those that somebody has started.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tiny_home import with_gallery

from app.server import build_server
from dino_core.config import ViTConfig

CONFIG = ViTConfig(dim=12, depth=3, heads=2, image_size=56, registers=1)
PICTURES = (("a" * 32, "coffee.jpg", 56), ("b" * 32, "cat.jpg", 70))  # key, sample, px
PORT = 7990


@contextmanager
def recorded_page(folder: Path) -> Iterator[TestClient]:
    """One visitor of it, who has two pictures open and sees one gallery."""
    with with_gallery(folder, 2, CONFIG) as home:
        server = build_server(weights=home / "tiny.safetensors", galleries=[home / "colours"])
        with TestClient(server, base_url="http://localhost") as client:
            client.get("/")
            for key, sample, size in PICTURES:
                opened = f"/view/{key}/again?model=tiny&size={size}&sample={sample}"
                assert client.post(opened).status_code == 200, sample
            yield client


def main() -> None:
    with recorded_page(Path(tempfile.mkdtemp())) as client:

        async def ask(request: Request) -> Response:
            query = f"?{request.url.query}" if request.url.query else ""
            kind = {k: v for k, v in request.headers.items() if k == "content-type"}
            body = await request.body()
            answer = client.request(
                request.method, request.url.path + query, content=body, headers=kind
            )
            return Response(
                answer.content, answer.status_code, media_type=answer.headers.get("content-type")
            )

        route = Route("/{path:path}", ask, methods=["GET", "POST", "DELETE"])
        uvicorn.run(Starlette(routes=[route]), port=PORT, log_level="warning")


if __name__ == "__main__":
    sys.exit(main())
