"""Binary answers beside the page: pictures and arrays, addressed by a visitor's own key.

    view/KEY/source.jpg, view/KEY/input.jpg, view/KEY/thumb.jpg
    view/KEY/view.json              view/KEY/strip?seed
    view/KEY/crops?seed&blur&...    view/KEY/crops/draws?seed&blur&...
    view/KEY/masks?seed&ratio
    view/KEY/attention/LAYER        view/KEY/features/LAYER?preset&flip and more: beside.py
    view/KEY/tokens/patches         view/KEY/tokens/positions
    view/KEY/tokens/blocks
    view/KEY/heads/LAYER
    view/KEY/overview               view/KEY/rollout
    view/KEY/losses, losses/...     losses.py
    runs/..., schedules/...         training.py
    galleries/...                   gallery.py, gallery_scenes.py

With form=npz the same comes as a file for numpy.load, with form=chart as charts: figures.py says
of which, and what they are. A key that is unknown, out of date or another
visitor's is answered with 404, all alike.
"""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.first_visit import stored
from app.jobs.galleries import Galleries
from app.jobs.runs import Runs
from app.paths import STATIC, galleries_folder
from app.routes.features import add_feature_routes
from app.routes.figures import add_chart_routes
from app.routes.galleries import add_gallery_routes
from app.routes.losses import Pairs, add_losses_routes
from app.routes.responses import Form, Visitors
from app.routes.runs import add_training_routes
from app.state.models import Engine
from app.state.pictures import Entry, Store
from dino_core.config import CropConfig

COOKIE = "inside_visitor"
GONE = "This picture is no longer kept: open it again."
CROPS = CropConfig()
KEEP = {"Cache-Control": "private, max-age=3600, immutable"}


def add_routes(
    app: FastAPI, engine: Engine, store: Store, galleries: Galleries | None = None
) -> Runs:
    """Puts the routes on the application; the page is mounted after them. Returns the runs."""
    answers, visitors = Answers(engine, store), Visitors(COOKIE)
    add_picture_routes(app, answers)
    add_crop_and_mask_routes(app, answers)
    add_token_routes(app, answers)
    add_attention_routes(app, answers)
    add_feature_routes(app, engine, store, answers.find, answers.scene, visitors)
    runs = add_training_routes(app, engine, store, answers.scene, COOKIE)
    app.state.pairs = Pairs(engine, runs)  # the named endpoints want them too
    add_losses_routes(app, engine, app.state.pairs, answers.find, answers.scene, visitors, KEEP)
    galleries = galleries or Galleries(galleries_folder())
    add_gallery_routes(app, engine, store, galleries, answers.scene, COOKIE)
    add_chart_routes(app, runs)
    say_refusals_in_words(app)
    for folder in ("js", "samples/thumbs"):
        app.mount(f"/inside/{folder}", StaticFiles(directory=STATIC / folder))
    return runs


@dataclass(frozen=True)
class Answers:
    """What all routes of a picture share: which one is meant, and what an answer looks like."""

    engine: Engine
    store: Store

    def find(self, request: Request, key: str) -> Entry:
        """The visitor's own picture."""
        entry = self.store.get(request.cookies.get(COOKIE, ""), key)
        if entry is None:
            raise HTTPException(404, GONE)
        return entry

    def scene(self, form: str, make: Callable[..., Any], *args: Any, **options: Any) -> Response:
        """A scene in the page's form, as an NPZ file, or as its charts."""
        packing = self.engine.scene("packing")
        try:
            data, kind = packing.packed(make(*args, **options), form)
        except ValueError as error:
            return Response(str(error), status_code=422, media_type="text/plain")
        return Response(data, media_type=kind, headers=KEEP)

    def jpeg(self, *args: Any) -> Response:
        data = self.engine.scene("packing").jpeg(*args)
        return Response(data, media_type="image/jpeg", headers=KEEP)


# --- the picture itself


def add_picture_routes(app: FastAPI, answers: Answers) -> None:
    Found = Annotated[Entry, Depends(answers.find)]

    @app.get("/view/{key}/view.json")
    def view(entry: Found, key: str, seed: int = 0) -> dict[str, Any]:
        return view_prop(key, entry, seed)

    @app.get("/view/{key}/source.jpg")
    def source(entry: Found) -> Response:
        return answers.jpeg(entry.picture.source)

    @app.get("/view/{key}/input.jpg")
    def model_input(entry: Found) -> Response:
        return answers.jpeg(entry.picture.fitted.picture, 4096, 95)

    @app.get("/view/{key}/thumb.jpg")
    def thumb(entry: Found) -> Response:
        return answers.jpeg(entry.picture.fitted.picture, 160)

    @app.get("/view/{key}/strip")
    def strip(entry: Found, seed: int, form: Form = "page") -> Response:
        make = answers.engine.scene("strip").strip_scene
        return answers.scene(form, make, entry.picture.seen, entry.picture.source, seed)


def view_prop(key: str, entry: Entry, seed: int) -> dict[str, Any]:
    """What every view of the page is told: where to fetch, and what there is to choose from."""
    chosen = {"model": entry.model, "size": entry.size, "sample": entry.sample, "seed": seed}
    return {"key": key, **chosen, **asdict(entry.picture.scene)}


# --- what a model in training sees of it


def chosen_crops(
    global_low: float = CROPS.global_scale[0],
    global_high: float = CROPS.global_scale[1],
    local_low: float = CROPS.local_scale[0],
    local_high: float = CROPS.local_scale[1],
    local_count: int = CROPS.local_count,
    global_size: int | None = None,
    local_size: int | None = None,
) -> dict[str, Any]:
    """What a person chose about the crops; the sizes' defaults follow the model's patches."""
    return {
        "global_scale": (global_low, global_high),
        "local_scale": (local_low, local_high),
        "local_count": local_count,
        "global_size": global_size,
        "local_size": local_size,
    }


CropChoice = Annotated[dict[str, Any], Depends(chosen_crops)]


def add_crop_and_mask_routes(app: FastAPI, answers: Answers) -> None:
    Found = Annotated[Entry, Depends(answers.find)]

    @app.get("/view/{key}/crops")
    def crops(
        entry: Found, seed: int, chosen: CropChoice, blur: str = "as run", form: Form = "page"
    ) -> Response:
        make, patch_size = answers.engine.scene("crops").crops_scene, entry.picture.scene.patch_size
        return answers.scene(form, make, entry.picture.source, seed, blur, patch_size, chosen)

    @app.get("/view/{key}/crops/draws")
    def crop_draws(
        entry: Found, seed: int, chosen: CropChoice, blur: str = "as run", form: Form = "page"
    ) -> Response:
        make = answers.engine.scene("crops").crop_draws_scene
        size, patch_size = entry.picture.source.size, entry.picture.scene.patch_size
        return answers.scene(form, make, size, seed, blur, patch_size, chosen)

    @app.get("/view/{key}/masks")
    def masks(entry: Found, seed: int, ratio: float = 0.3, form: Form = "page") -> Response:
        make, patch_size = answers.engine.scene("masks").masks_scene, entry.picture.scene.patch_size
        return answers.scene(form, make, entry.picture.source, seed, ratio, patch_size)


# --- what the model makes of it


def add_token_routes(app: FastAPI, answers: Answers) -> None:
    Found = Annotated[Entry, Depends(answers.find)]
    engine = answers.engine

    @app.get("/view/{key}/tokens/patches")
    def token_patches(entry: Found, form: Form = "page") -> Response:
        vit = engine.backbone(entry.model).vit
        return answers.scene(form, engine.scene("tokens").patches_scene, vit, entry.picture)

    @app.get("/view/{key}/tokens/positions")
    def token_positions(entry: Found, form: Form = "page") -> Response:
        vit = engine.backbone(entry.model).vit
        make = engine.scene("tokens").positions_scene
        return answers.scene(form, make, vit, entry.picture.seen)

    @app.get("/view/{key}/tokens/blocks")
    def token_blocks(entry: Found, form: Form = "page") -> Response:
        vit = engine.backbone(entry.model).vit
        return answers.scene(form, engine.scene("tokens").blocks_scene, vit, entry.picture.seen)


def add_attention_routes(app: FastAPI, answers: Answers) -> None:
    Found = Annotated[Entry, Depends(answers.find)]
    engine = answers.engine

    @app.get("/view/{key}/attention/{layer}")
    def attention(entry: Found, layer: int, form: Form = "page") -> Response:
        make = engine.scene("attention").layer_scene
        return answers.scene(form, make, entry.picture.seen, layer)

    @app.get("/view/{key}/heads/{layer}")
    def heads(entry: Found, layer: int, form: Form = "page") -> Response:
        make = engine.scene("attention").heads_scene
        return answers.scene(form, make, entry.picture.seen, layer)

    @app.get("/view/{key}/overview")
    def overview(entry: Found, form: Form = "page") -> Response:
        return answers.scene(form, engine.scene("attention").overview_scene, entry.picture.seen)

    @app.get("/view/{key}/rollout")
    def rollout(entry: Found, form: Form = "page") -> Response:
        return answers.scene(form, engine.scene("attention").rollout_scene, entry.picture.seen)


# --- words, and what surrounds every route


def say_refusals_in_words(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    def in_words(_: Request, error: HTTPException) -> Response:
        return Response(str(error.detail), error.status_code, media_type="text/plain")

    @app.exception_handler(RequestValidationError)
    def misspelt(_: Request, error: RequestValidationError) -> Response:
        where = ", ".join(str(fault["loc"][-1]) for fault in error.errors())
        return Response(f"This request is not right: {where}.", 422, media_type="text/plain")


class FirstVisit:
    """Answers the requests of the very first picture from what was worked out beforehand."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = f"/view/{stored.KEY}/"
        if scope["type"] == "http" and scope["path"].startswith(start):
            query = scope["query_string"].decode()
            path = scope["path"].removeprefix(start) + (f"?{query}" if query else "")
            data = stored.stored(path)
            if data is not None:
                kind = "image/jpeg" if path.endswith(".jpg") else "application/octet-stream"
                response = Response(
                    data, headers=KEEP | {"Content-Encoding": "gzip"}, media_type=kind
                )
                return await response(scope, receive, send)
        return await self.app(scope, receive, send)


class CompressPage:
    """Compresses the page and our scripts, as Gradio does its own files; pictures are dense."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressed = GZipMiddleware(app, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        words = scope["type"] == "http" and (
            scope["path"] == "/" or scope["path"].startswith("/inside/js/")
        )
        await (self.compressed if words else self.app)(scope, receive, send)


class VisitorCookie:
    """Gives every browser a secret of its own, once. Only this server ever reads it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or COOKIE in Request(scope).cookies:
            return await self.app(scope, receive, send)
        secret = secrets.token_urlsafe(24)

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append(
                    "set-cookie", f"{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict"
                )
            await send(message)

        return await self.app(scope, receive, with_cookie)
