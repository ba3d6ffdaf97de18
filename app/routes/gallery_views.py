"""What the screen of many pictures asks about one gallery.

GET    galleries/NAME/pictures            names, labels, classes, model
GET    galleries/NAME/atlas/K.jpg         1024 thumbnails
GET    galleries/NAME/pictures/I.jpg      one picture
GET    galleries/NAME/points?...          a map; like=NAME of another gallery
POST   galleries/NAME/points.csv?...      the same as a table, of a selection where one is named
GET    galleries/NAME/clusters?method&k&features&layer
GET    galleries/NAME/neighbours/I?k&features&layer
GET    galleries/NAME/patches/I?row&column
GET    galleries/NAME/outliers, duplicates, probe, predictions, command
GET    galleries/NAME/find?key            where the explorer's picture is in it

A gallery of another visitor is none: 404. What is still being computed is answered with 202 and
words: the page asks again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from app.jobs.galleries import Galleries
from app.routes.responses import Answer, Form, Visitors, in_words, plain
from app.state.models import Engine
from app.state.pictures import Store
from dino_core.scenes import gallery as scene
from dino_core.scenes import gallery_probes as probes
from dino_core.scenes import gallery_similarity as similarity

KEEP = {"Cache-Control": "private, max-age=300"}
Kind = Literal["cls", "mean_patch", "both"]
Method = Literal["pca", "umap", "tsne"]


@dataclass(frozen=True)
class Access(Visitors):
    """What all routes of galleries share: who asks, which gallery is meant, how it is shown."""

    galleries: Galleries
    answer: Answer

    def find(self, request: Request, name: str) -> Path:
        """The folder of a gallery that this visitor may see."""
        try:
            return self.galleries.find(name, self.visitor(request))
        except ValueError as error:
            raise HTTPException(404, str(error)) from None

    def shown(self, form: str, make: Callable[..., Any], *args: Any, **options: Any) -> Response:
        """A scene; 202 and words while it is still being computed."""
        try:
            response = self.answer(form, make, *args, **options)
        except scene.NotReady as wait:
            return Response(wait.words, 202, media_type="text/plain")
        response.headers["Cache-Control"] = KEEP["Cache-Control"]
        return response


def add_scene_routes(app: FastAPI, engine: Engine, store: Store, access: Access) -> None:
    """Puts the routes on the application."""
    add_picture_routes(app, engine, access)
    add_map_routes(app, access)
    add_neighbour_routes(app, access)
    add_probe_routes(app, access)
    add_link_routes(app, store, access)


def add_picture_routes(app: FastAPI, engine: Engine, access: Access) -> None:
    Found = Annotated[Path, Depends(access.find)]

    @app.get("/galleries/{name}/pictures")
    def pictures(folder: Found, form: Form = "page") -> Response:
        return access.shown(form, scene.names, folder)

    @app.get("/galleries/{name}/atlas/{number}.jpg")
    def atlas(folder: Found, number: int) -> Response:
        return in_words(lambda: FileResponse(scene.atlas(folder, number), headers=KEEP), 404)

    @app.get("/galleries/{name}/pictures/{index}.jpg")
    def picture(
        folder: Found, index: int, longest: Annotated[int, Query(ge=16, le=1600)] = 512
    ) -> Response:
        def work() -> Response:
            data = engine.scene("packing").jpeg(scene.picture(folder, index), longest)
            return Response(data, media_type="image/jpeg", headers=KEEP)

        return in_words(work, 404)


def add_map_routes(app: FastAPI, access: Access) -> None:
    Found = Annotated[Path, Depends(access.find)]

    @app.get("/galleries/{name}/points")
    def points(
        folder: Found,
        request: Request,
        features: Kind = "cls",
        layer: int | None = None,
        method: Method = "pca",
        like: str | None = None,
        form: Form = "page",
    ) -> Response:
        other = access.find(request, like) if like else None
        return access.shown(form, scene.points, folder, features, layer, method, other)

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
        return access.shown(form, similarity.clusters, folder, method, k, features, layer)


def add_neighbour_routes(app: FastAPI, access: Access) -> None:
    Found = Annotated[Path, Depends(access.find)]

    @app.get("/galleries/{name}/neighbours/{index}")
    def neighbours(
        folder: Found,
        index: int,
        k: Annotated[int, Query(ge=1, le=200)] = 10,
        features: Kind = "cls",
        layer: int | None = None,
        form: Form = "page",
    ) -> Response:
        return access.shown(form, similarity.neighbours, folder, index, k, features, layer)

    @app.get("/galleries/{name}/patches/{index}")
    def patches(
        folder: Found,
        index: int,
        row: int,
        column: int,
        k: Annotated[int, Query(ge=1, le=200)] = 20,
        form: Form = "page",
    ) -> Response:
        return access.shown(form, similarity.similar_patches, folder, index, row, column, k)

    @app.get("/galleries/{name}/outliers")
    def outliers(
        folder: Found, features: Kind = "cls", layer: int | None = None, form: Form = "page"
    ) -> Response:
        return access.shown(form, similarity.outliers, folder, features=features, layer=layer)

    @app.get("/galleries/{name}/duplicates")
    def duplicates(
        folder: Found,
        threshold: Annotated[float, Query(ge=0.5, le=1)] = 0.95,
        form: Form = "page",
    ) -> Response:
        def make() -> Any:
            found = similarity.near_duplicates(folder, threshold)
            return replace(found, same=found.same.astype("uint8"))

        return access.shown(form, make)


def add_probe_routes(app: FastAPI, access: Access) -> None:
    Found = Annotated[Path, Depends(access.find)]

    @app.get("/galleries/{name}/probe")
    def probe(folder: Found, form: Form = "page") -> Response:
        return access.shown(form, probes.probe, folder)

    @app.get("/galleries/{name}/predictions")
    def predictions(
        folder: Found,
        layer: int | None = None,
        kind: Kind = "cls",
        method: Literal["knn", "logistic"] = "knn",
        form: Form = "page",
    ) -> Response:
        return access.shown(form, probes.predictions, folder, layer, kind, method)


def add_link_routes(app: FastAPI, store: Store, access: Access) -> None:
    """To the command line and from the explorer."""
    Visitor = Annotated[str, Depends(access.visitor)]
    Found = Annotated[Path, Depends(access.find)]

    @app.get("/galleries/{name}/command")
    def command(folder: Found, name: str, owner: Visitor) -> Response:
        title = access.galleries.card(name, owner)["title"]
        return in_words(lambda: plain({"command": scene.command_of(folder, title)}))

    @app.get("/galleries/{name}/find")
    def where(folder: Found, key: str, request: Request) -> Response:
        entry = store.get(request.cookies.get(access.cookie, ""), key)
        if entry is None:
            return plain({"index": None})
        try:
            return plain({"index": scene.find(folder, entry.picture.source)})
        except (scene.NotReady, ValueError):
            return plain({"index": None})
