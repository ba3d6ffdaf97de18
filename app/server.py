"""The server: the page, its binary routes, and the files they need from static/."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import gradio as gr
from fastapi import FastAPI

from app.first_visit import stored
from app.first_visit.document import EarlyPage, head, stage
from app.jobs.galleries import Galleries
from app.middleware.static_cache import Remembered
from app.page.api import add_endpoints
from app.page.main import SCREENS, build_app, newcomers_view
from app.page.theme import css, theme
from app.paths import galleries_folder
from app.routes.galleries import options_for
from app.routes.pictures import STATIC, CompressPage, FirstVisit, VisitorCookie, add_routes
from app.state.models import Engine
from app.state.pictures import Entry, Store
from dino_core.scenes.models import colour_maps

MAX_UPLOAD = "25mb"


def build_server(
    model: str | None, weights: Path | None, device: str, host: str, port: int
) -> FastAPI:
    """The application that uvicorn runs. ValueError for a model or file that is not there."""
    engine = Engine(model, weights, device)
    store = Store()
    greet = cache(lambda: first_entry(engine))
    store.share(stored.KEY, greet)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        engine.warm_up(greet)
        runs.begin()
        galleries.begin(lambda: options_for(engine, engine.first, 224))
        yield
        galleries.end()
        runs.end()
        engine.mapper.stop()

    server = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    galleries = Galleries(galleries_folder())
    runs = add_routes(server, engine, store, galleries)
    page = build_app(engine, store, galleries)
    with page:
        add_endpoints(engine, server.state.pairs)
    gr.mount_gradio_app(
        server,
        page,
        path="/",
        server_name=host,
        server_port=port,
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
    view = newcomers_view(engine)
    early = head(colour_maps(), SCREENS, view, page.theme_hash)
    server.add_middleware(EarlyPage, early, stage() if view else "")
    server.add_middleware(VisitorCookie)
    server.add_middleware(FirstVisit)
    server.add_middleware(CompressPage)
    server.add_middleware(Remembered, STATIC / "js")
    return server


def first_entry(engine: Engine) -> Entry:
    """The sample that greets everybody; the first who needs more than is stored waits for it."""
    path = STATIC / "samples" / stored.SAMPLE
    picture = engine.sample(path, engine.first, stored.SIZE)
    return Entry("", picture, engine.first, stored.SIZE, stored.SAMPLE)
