"""What the screen of many pictures asks for. A gallery of another visitor is none: 404.

GET    galleries                          this visitor's, and the samples
POST   galleries?name&model&size          a zip, which is the body, becomes a gallery
GET    galleries/NAME                     how far it is
POST   galleries/NAME/steer?wish          stop or resume
DELETE galleries/NAME                     the pictures and all that was computed
GET    galleries/NAME/pictures            names, labels, classes, model
GET    galleries/NAME/atlas/K.jpg         1024 thumbnails
GET    galleries/NAME/pictures/I.jpg      one picture
GET    galleries/NAME/points?...          a map; like=NAME of another gallery
GET    galleries/NAME/points.csv?...      the same as a table, of a selection where one is named
GET    galleries/NAME/clusters?method&k&features&layer
GET    galleries/NAME/neighbours/I?k&features&layer
GET    galleries/NAME/patches/I?row&column
GET    galleries/NAME/outliers, duplicates, probe, predictions, command
GET    galleries/NAME/find?key            where the explorer's picture is in it

What is still being computed is answered with 202 and words: the page asks again.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from app.engine import Engine
from app.galleries import SAMPLES, Galleries, GalleryTicket
from app.queue import owner_of
from app.store import Store
from app.training import plain
from app.uploads import take_body
from dino_core.scenes import gallery as scene
from dino_core.scenes.training import look_through

MAX_ZIP = 2 * 2**30  # bytes
MAX_PICTURES = 20_000  # of one gallery made from the page
ROOM = 2 * 2**30  # bytes that must stay free on the disk
SIZES = (98, 224, 336)  # px
KEEP = {"Cache-Control": "private, max-age=300"}
Form = Annotated[Literal["page", "npz"], Query(alias="form")]
Kind = Literal["cls", "mean_patch", "both"]
Method = Literal["pca", "umap", "tsne"]
Answer = Callable[..., Response]


def add_gallery_routes(
    app: FastAPI, engine: Engine, store: Store, galleries: Galleries, answer: Answer, cookie: str
) -> None:
    """Puts the routes on the application."""

    def visitor(request: Request) -> str:
        return owner_of(request.cookies.get(cookie, ""))

    def known_visitor(request: Request) -> str:
        if not request.cookies.get(cookie):
            raise HTTPException(403, "Open the page in a browser first.")
        return visitor(request)

    Visitor = Annotated[str, Depends(visitor)]
    Known = Annotated[str, Depends(known_visitor)]

    def find(name: str, owner: Visitor) -> Path:
        try:
            return galleries.find(name, owner)
        except ValueError as error:
            raise HTTPException(404, str(error)) from None

    Found = Annotated[Path, Depends(find)]

    def shown(form: str, make: Callable[..., Any], *args: Any, **options: Any) -> Response:
        """A scene; 202 and words while it is still being computed."""
        try:
            response = answer(form, make, *args, **options)
        except scene.NotReady as wait:
            return Response(wait.words, 202, media_type="text/plain")
        response.headers["Cache-Control"] = KEEP["Cache-Control"]
        return response

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

    @app.get("/galleries/{name}/pictures")
    def pictures(folder: Found, form: Form = "page") -> Response:
        return shown(form, scene.names, folder)

    @app.get("/galleries/{name}/atlas/{number}.jpg")
    def atlas(folder: Found, number: int) -> Response:
        return in_words(lambda: FileResponse(scene.atlas(folder, number), headers=KEEP), 404)

    @app.get("/galleries/{name}/pictures/{index}.jpg")
    def picture(
        folder: Found, index: int, longest: Annotated[int, Query(ge=16, le=1600)] = 512
    ) -> Response:
        def work() -> Response:
            data = engine.scene("answers").jpeg(scene.picture(folder, index), longest)
            return Response(data, media_type="image/jpeg", headers=KEEP)

        return in_words(work, 404)

    @app.get("/galleries/{name}/points")
    def points(
        folder: Found,
        owner: Visitor,
        features: Kind = "cls",
        layer: int | None = None,
        method: Method = "pca",
        like: str | None = None,
        form: Form = "page",
    ) -> Response:
        other = find(like, owner) if like else None
        return shown(form, scene.points, folder, features, layer, method, other)

    @app.post("/galleries/{name}/points.csv")
    async def table(
        folder: Found,
        request: Request,
        features: Kind = "cls",
        layer: int | None = None,
        method: Method = "pca",
    ) -> Response:
        """The body names the selection, numbers with commas between them; empty: everything."""
        body = (await request.body()).decode(errors="replace")
        try:
            chosen = [int(word) for word in body.split(",")] if body.strip() else None
            make = scene.export_csv
            text = await run_in_threadpool(make, folder, features, layer, method, chosen)
        except scene.NotReady as wait:
            raise HTTPException(422, wait.words) from None
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return Response(text, media_type="text/csv")

    @app.get("/galleries/{name}/clusters")
    def clusters(
        folder: Found,
        method: Literal["kmeans", "hdbscan"] = "kmeans",
        k: Annotated[int | None, Query(ge=2, le=50)] = None,
        features: Kind = "cls",
        layer: int | None = None,
        form: Form = "page",
    ) -> Response:
        return shown(form, scene.clusters, folder, method, k, features, layer)

    @app.get("/galleries/{name}/neighbours/{index}")
    def neighbours(
        folder: Found,
        index: int,
        k: Annotated[int, Query(ge=1, le=200)] = 10,
        features: Kind = "cls",
        layer: int | None = None,
        form: Form = "page",
    ) -> Response:
        return shown(form, scene.neighbours, folder, index, k, features, layer)

    @app.get("/galleries/{name}/patches/{index}")
    def patches(
        folder: Found,
        index: int,
        row: int,
        column: int,
        k: Annotated[int, Query(ge=1, le=200)] = 20,
        form: Form = "page",
    ) -> Response:
        return shown(form, scene.similar_patches, folder, index, row, column, k)

    @app.get("/galleries/{name}/outliers")
    def outliers(
        folder: Found, features: Kind = "cls", layer: int | None = None, form: Form = "page"
    ) -> Response:
        return shown(form, scene.outliers, folder, features=features, layer=layer)

    @app.get("/galleries/{name}/duplicates")
    def duplicates(
        folder: Found,
        threshold: Annotated[float, Query(ge=0.5, le=1)] = 0.95,
        form: Form = "page",
    ) -> Response:
        def make() -> Any:
            found = scene.near_duplicates(folder, threshold)
            return replace(found, same=found.same.astype("uint8"))

        return shown(form, make)

    @app.get("/galleries/{name}/probe")
    def probe(folder: Found, form: Form = "page") -> Response:
        return shown(form, scene.probe, folder)

    @app.get("/galleries/{name}/predictions")
    def predictions(
        folder: Found,
        layer: int | None = None,
        kind: Kind = "cls",
        method: Literal["knn", "logistic"] = "knn",
        form: Form = "page",
    ) -> Response:
        return shown(form, scene.predictions, folder, layer, kind, method)

    @app.get("/galleries/{name}/command")
    def command(folder: Found, name: str, owner: Visitor) -> Response:
        title = galleries.card(name, owner)["title"]
        return in_words(lambda: plain({"command": scene.command_of(folder, title)}))

    @app.get("/galleries/{name}/find")
    def where(folder: Found, key: str, request: Request) -> Response:
        entry = store.get(request.cookies.get(cookie, ""), key)
        if entry is None:
            return plain({"index": None})
        try:
            return plain({"index": scene.find(folder, entry.picture.source)})
        except (scene.NotReady, ValueError):
            return plain({"index": None})


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


# --- answers


def in_words(make: Callable[[], Response], status: int = 422) -> Response:
    try:
        return make()
    except ValueError as error:
        raise HTTPException(status, str(error)) from None
