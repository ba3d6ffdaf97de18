"""Keeping galleries: what the screen of many pictures asks for beside what is in them.

GET    galleries                          this visitor's, and the samples
POST   galleries?name&model&size          a zip, which is the body, becomes a gallery
GET    galleries/NAME                     how far it is
POST   galleries/NAME/steer?wish          stop or resume
DELETE galleries/NAME                     the pictures and all that was computed
       galleries/NAME/...                 gallery_scenes.py

A gallery of another visitor is none: 404.
"""

import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from app.jobs.galleries import SAMPLES, Galleries, GalleryTicket
from app.routes.gallery_views import Access, add_scene_routes
from app.routes.responses import Answer, in_words, plain
from app.routes.uploads import take_body
from app.state.models import Engine
from app.state.pictures import Store
from dino_core.scenes import gallery as scene
from dino_core.scenes.training import look_through

MAX_ZIP = 2 * 2**30  # bytes
MAX_PICTURES = 20_000  # of one gallery made from the page
ROOM = 2 * 2**30  # bytes that must stay free on the disk
SIZES = (98, 224, 336)  # px


def add_gallery_routes(
    app: FastAPI, engine: Engine, store: Store, galleries: Galleries, answer: Answer, cookie: str
) -> None:
    """Puts the routes on the application. `cookie` is the name of the visitor's."""
    access = Access(cookie, galleries, answer)
    add_list_routes(app, engine, access)
    add_steering_routes(app, access)
    add_scene_routes(app, engine, store, access)


def add_list_routes(app: FastAPI, engine: Engine, access: Access) -> None:
    galleries = access.galleries
    Visitor = Annotated[str, Depends(access.visitor)]
    Known = Annotated[str, Depends(access.known_visitor)]

    @app.get("/galleries")
    def every(owner: Visitor) -> Response:
        models = [[name, label] for label, name in engine.at_hand()]
        return plain({"galleries": galleries.everything(owner), "models": models})

    @app.post("/galleries")
    async def begin(
        request: Request,
        owner: Known,
        name: str = "pictures.zip",
        model: str | None = None,
        size: int = 224,
    ) -> Response:
        title = Path(name).name[:80] or "pictures.zip"
        new = galleries.new_name()

        def work() -> dict[str, Any]:
            ticket = ticket_for(galleries, engine, new, owner, title, model, size)
            galleries.add(ticket)
            return galleries.card(new, owner)

        zipped = galleries.zip_of(new)
        try:
            need_room(galleries)
            await take_body(request, zipped, MAX_ZIP, "use the command line for so many.")
            return plain(await run_in_threadpool(work))
        except ValueError as error:
            zipped.unlink(missing_ok=True)
            raise HTTPException(422, str(error)) from None


def add_steering_routes(app: FastAPI, access: Access) -> None:
    galleries = access.galleries
    Visitor = Annotated[str, Depends(access.visitor)]
    Known = Annotated[str, Depends(access.known_visitor)]
    Found = Annotated[Path, Depends(access.find)]

    @app.get("/galleries/{name}")
    def one(folder: Found, name: str, owner: Visitor) -> Response:
        return plain(galleries.card(name, owner))

    @app.post("/galleries/{name}/steer")
    def steer(folder: Found, name: str, owner: Known, wish: Literal["stop", "resume"]) -> Response:
        def work() -> Response:
            galleries.steer(name, owner, wish)
            return plain(galleries.card(name, owner))

        return in_words(work)

    @app.delete("/galleries/{name}")
    def remove(folder: Found, name: str, owner: Known) -> Response:
        def work() -> Response:
            galleries.remove(name, owner)
            return plain({"gone": name})

        return in_words(work)


# --- what a visitor asked for


def ticket_for(
    galleries: Galleries,
    engine: Engine,
    name: str,
    owner: str,
    title: str,
    model: str | None,
    size: int,
) -> GalleryTicket:
    """Looks through the zip and settles the options. ValueError in a sentence."""
    path = galleries.zip_of(name)
    try:
        found = look_through(path)
    except ValueError as error:
        raise ValueError(str(error).replace(str(path), title)) from None
    if found["pictures"] > MAX_PICTURES:
        raise ValueError(
            f"{title} has {found['pictures']:,} pictures, more than the {MAX_PICTURES:,} that the "
            f"page takes: build this gallery from the command line."
        )
    if size not in SIZES:
        raise ValueError(f"The input size is one of {', '.join(map(str, SIZES))} px.")
    return GalleryTicket(
        name=name,
        owner=owner,
        title=title,
        data=str(path),
        pictures=found["pictures"],
        classes=len(found["classes"]),
        label=model or engine.first,
        options=asdict(options_for(engine, model or engine.first, size)),
        asked=time.time(),
    )


def options_for(engine: Engine, model: str, size: int) -> scene.Options:
    """ValueError for a model that is not on this machine: nothing is downloaded for a gallery."""
    if model not in [known for _, known in engine.at_hand()]:
        raise ValueError("Choose a model that is on this machine.")
    if engine.weights is not None and model == engine.first:
        weights = str(engine.weights.resolve())
        return scene.Options(engine.asked, weights, size, device=engine.device)
    return scene.Options(model, None, size, device=engine.device)


def need_room(galleries: Galleries) -> None:
    galleries.page.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(galleries.folder).free < ROOM + MAX_ZIP:
        raise ValueError("There is no room for more pictures on this server at the moment.")


def to_open(galleries: Galleries, name: str, index: int, owner: str) -> tuple[Any, str]:
    """A picture of a gallery for the explorer: decoded, and its name. ValueError in a sentence."""
    folder = galleries.find(name, owner)
    try:
        return scene.picture(folder, index), scene.names(folder).names[index]
    except scene.NotReady as wait:
        raise ValueError(wait.words) from None


def is_sample(name: str) -> bool:
    return name == SAMPLES
