"""The server: the page, its binary routes, and the files they need from static/."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from fastapi import FastAPI

from app.first_visit import stored
from app.first_visit.document import head, stage
from app.jobs.gallery_request import options_for
from app.middleware.compress import CompressPage
from app.middleware.first_visit import FirstDocument, StoredResponses
from app.middleware.static_cache import StaticCache
from app.middleware.visitor_cookie import VisitorCookie
from app.page.main import build_app
from app.page.screens import SCREENS
from app.page.theme import css, theme
from app.paths import STATIC
from app.routes.all_routes import add_routes
from app.services import Services, build_services
from dino_core.scenes.models import colour_maps

MAX_UPLOAD = "25mb"


@dataclass(frozen=True)
class Address:
    """Where the server listens."""

    host: str = "127.0.0.1"
    port: int = 7860


def build_server(
    model: str | None = None,
    weights: Path | None = None,
    device: str = "cpu",
    address: Address = Address(),
) -> FastAPI:
    """The application that uvicorn runs. ValueError for a model or file that is not there."""
    services = build_services(model, weights, device)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        start(services)
        yield
        end(services)

    server = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(server, services)
    page = build_app(services)
    mount(server, page, address)
    add_middleware(server, services, page.theme_hash)
    return server


def start(services: Services) -> None:
    """What goes on behind the page from now on."""
    models = services.models
    models.preload(lambda: services.pictures.get("", stored.KEY))
    services.runs.begin()
    services.galleries.begin(lambda: options_for(models, models.default, stored.SIZE))


def end(services: Services) -> None:
    """Lets go of everything; runs and galleries at work go on."""
    services.galleries.end()
    services.runs.end()
    services.umap.stop()


def mount(server: FastAPI, page: gr.Blocks, address: Address) -> None:
    """Puts the page on the server, behind the routes."""
    gr.mount_gradio_app(
        server,
        page,
        path="/",
        server_name=address.host,
        server_port=address.port,
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=MAX_UPLOAD,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        theme=theme(),
        css=css(),
    )
    # A mounted page never launches, and Gradio opens whatever file a request names until it has:
    # from here on only files that came through the upload count.
    page.has_launched = True


def add_middleware(server: FastAPI, services: Services, theme_hash: str) -> None:
    """What surrounds every request; the last one added is the first to see it."""
    first = services.first_visit
    document = head(colour_maps(), SCREENS, first.view if first else None, theme_hash)
    server.add_middleware(FirstDocument, document, stage() if first else "")
    server.add_middleware(VisitorCookie, services.visitors)
    server.add_middleware(StoredResponses, first)
    server.add_middleware(CompressPage)
    server.add_middleware(StaticCache, STATIC / "js")
