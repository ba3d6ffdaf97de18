"""The server: the page, its binary routes, and the files they need from static/."""

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import gradio as gr
from fastapi import FastAPI

from app.first_visit import stored
from app.first_visit.document import head, stage
from app.middleware.compress import CompressPage
from app.middleware.first_visit import FirstDocument, StoredResponses
from app.middleware.gradio_gate import GradioGate
from app.middleware.gradio_loader import GradioLoader
from app.middleware.prefix import Prefix, checked_prefix
from app.middleware.protection import Access, Protection
from app.middleware.static_cache import StaticCache
from app.middleware.visitor_cookie import VisitorCookie
from app.page.api import hide_endpoints
from app.page.main import build_app
from app.page.screens import SCREENS
from app.page.theme import css, theme
from app.routes.all_routes import add_routes
from app.services import Services, build_services
from app.state.script_version import page_scripts
from dino_core.scenes.gallery import Options
from dino_core.scenes.models import PREVIEW, colour_maps

MAX_UPLOAD = "25mb"
LOCAL = Access()
TIDY = 60.0  # seconds between two looks at what nobody uses any more
# Seconds between two looks of Gradio's at whether anybody has asked for something, and how far that
# is. By itself it looks a thousand times a second: a server that nobody visits keeps a processor
# awake.
LOOKS, LOOKS_AT_PROGRESS = 0.02, 0.1


def build_server(
    model: str | None = None,
    weights: Path | None = None,
    device: str = "cpu",
    *,
    port: int = 7860,
    access: Access = LOCAL,
    allow_downloads: bool | None = None,
    root_path: str = "",
    galleries: Sequence[Path] = (),
    mcp: bool = False,
) -> FastAPI:
    """The application that uvicorn runs. ValueError for a model or file that is not there.

    `root_path`: the path below which a proxy shows the page, such as "/inside".
    `allow_downloads`: whether visitors may have weights downloaded; by default only the person at
    this machine may. `galleries`: folders of the command `gallery` that everybody may look at.
    `mcp`: whether the named endpoints are tools of the Model Context Protocol as well.
    """
    prefix = checked_prefix(root_path)
    downloads = access.is_local if allow_downloads is None else allow_downloads
    services = build_services(
        model, weights, device, allow_downloads=downloads, galleries=galleries
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        stop = start(services)
        yield
        stop.set()
        end(services)

    server = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(server, services)
    page = build_app(services)
    mount(server, page, access.listens_on, port, prefix=prefix, mcp=mcp)
    add_middleware(server, services, access, page.theme_hash, prefix=prefix, mcp=mcp)
    return server


def start(services: Services) -> threading.Event:
    """What goes on behind the page from now on, until the event is set."""
    stop = threading.Event()
    threading.Thread(target=tidy, args=(services, stop), name="tidy", daemon=True).start()
    models = services.models
    models.preload(lambda: services.pictures.get("", stored.KEY))
    services.runs.begin()
    # Everybody's gallery was worked out with the preview, whatever the page begins with.
    samples = Options(PREVIEW, None, stored.SIZE, device=models.device)
    services.galleries.begin(lambda: samples)
    return stop


def tidy(services: Services, stop: threading.Event) -> None:
    """Lets go of old pictures and unused models, also while nobody asks for anything."""
    while not stop.wait(TIDY):
        services.pictures.evict()
        services.trays.evict()
        services.models.release_unused()
        services.steps.release_unused()


def end(services: Services) -> None:
    """Lets go of everything; runs and galleries at work go on."""
    services.exports.end()
    services.galleries.end()
    services.runs.end()
    services.umap.stop()


def mount(
    server: FastAPI, page: gr.Blocks, host: str, port: int, *, prefix: str = "", mcp: bool = False
) -> None:
    """Puts the page on the server, behind the routes."""
    gr.mount_gradio_app(
        server,
        page,
        path="/",
        root_path=prefix or None,
        server_name=host,
        server_port=port,
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=MAX_UPLOAD,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=mcp,
        theme=theme(),
        css=css(),
    )
    # A mounted page never launches, and Gradio opens whatever file a request names until it has:
    # from here on only files that came through the upload count.
    page.has_launched = True
    hide_endpoints(page)
    page._queue.sleep_when_free = LOOKS
    page._queue.progress_update_sleep_when_free = LOOKS_AT_PROGRESS


def add_middleware(
    server: FastAPI,
    services: Services,
    access: Access,
    theme_hash: str,
    *,
    prefix: str = "",
    mcp: bool = False,
) -> None:
    """What surrounds every request; the last one added is the first to see it."""
    first = services.first_visit
    view, identity = first.view if first else None, services.identity.now()
    document = head(colour_maps(), SCREENS, view, theme_hash, identity=identity)
    server.add_middleware(FirstDocument, page_scripts(), document, stage() if first else "")
    server.add_middleware(VisitorCookie, services.visitors, f"{prefix}/")
    server.add_middleware(StoredResponses, first)
    server.add_middleware(GradioLoader)
    server.add_middleware(CompressPage)
    server.add_middleware(StaticCache, page_scripts())
    server.add_middleware(GradioGate, services.visitors, services.uploads, mcp=mcp)
    server.add_middleware(Protection, access)
    server.add_middleware(Prefix, prefix)
