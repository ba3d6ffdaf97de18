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
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from app.routes.dependencies import Form, KnownOwner, Owner, Secret, Served
from app.routes.galleries import Folder, find_gallery
from app.routes.responses import FormName, or_sentence, plain, respond
from app.routes.uploads import read_body
from dino_core.scenes import gallery as scene
from dino_core.scenes import gallery_probes as probes
from dino_core.scenes import gallery_similarity as similarity

CACHE = {"Cache-Control": "private, max-age=300"}
MAX_SELECTION = 2**20  # bytes of the numbers of selected pictures
Kind = Literal["cls", "mean_patch", "both"]
Method = Literal["pca", "umap", "tsne"]
router = APIRouter(prefix="/galleries/{name}")


@dataclass(frozen=True)
class FeatureChoice:
    """Which features of the pictures are meant; a layer of None is the last one."""

    features: Kind = "cls"
    layer: int | None = None


Features = Annotated[FeatureChoice, Depends()]


def shown(form: FormName, make: Callable[[], Any]) -> Response:
    """A scene; 202 and a sentence while it is still being computed."""
    try:
        response = respond(form, make)
    except scene.NotReady as wait:
        return Response(wait.words, 202, media_type="text/plain")
    response.headers.update(CACHE)
    return response


# --- pictures


@router.get("/pictures")
def names(folder: Folder, form: Form = "page") -> Response:
    return shown(form, lambda: scene.names(folder))


@router.get("/atlas/{number}.jpg")
def atlas(folder: Folder, number: int) -> Response:
    return or_sentence(lambda: FileResponse(scene.atlas(folder, number), headers=CACHE), 404)


@router.get("/pictures/{index}.jpg")
def picture(
    folder: Folder, index: int, longest: Annotated[int, Query(ge=16, le=1600)] = 512
) -> Response:
    from dino_core.scenes.packing import jpeg

    def work() -> Response:
        data = jpeg(scene.picture(folder, index), longest)
        return Response(data, media_type="image/jpeg", headers=CACHE)

    return or_sentence(work, 404)


# --- maps


@router.get("/points")
def points(
    folder: Folder,
    services: Served,
    owner: Owner,
    chosen: Features,
    method: Method = "pca",
    like: str | None = None,
    form: Form = "page",
) -> Response:
    other = find_gallery(like, services, owner) if like else None
    return shown(form, lambda: scene.points(folder, chosen.features, chosen.layer, method, other))


@router.post("/points.csv")
async def table(
    folder: Folder, _: KnownOwner, request: Request, chosen: Features, method: Method = "pca"
) -> Response:
    """The body names the selection, numbers with commas between them; empty: everything."""
    body = await read_body(request, MAX_SELECTION, "The selection is too long.")

    def work() -> str:
        numbers = selected(body)
        return scene.export_csv(folder, chosen.features, chosen.layer, method, numbers)

    try:
        return Response(await run_in_threadpool(work), media_type="text/csv")
    except scene.NotReady as wait:
        raise HTTPException(422, wait.words) from None
    except ValueError as error:
        raise HTTPException(422, str(error)) from None


def selected(body: bytes) -> list[int] | None:
    """b"3,17" -> [3, 17], each once; None for an empty body. ValueError for anything else."""
    if not body.strip():
        return None
    parts = [part.strip() for part in body.split(b",")]
    if not all(part.isdigit() and len(part) <= 9 for part in parts):
        raise ValueError("A selection is whole numbers with commas between them.")
    return list(dict.fromkeys(int(part) for part in parts))


@router.get("/clusters")
def clusters(
    folder: Folder,
    chosen: Features,
    method: Literal["kmeans", "hdbscan"] = "kmeans",
    k: Annotated[int | None, Query(ge=2, le=50)] = None,
    form: Form = "page",
) -> Response:
    options = (method, k, chosen.features, chosen.layer)
    return shown(form, lambda: similarity.clusters(folder, *options))


# --- neighbours


@router.get("/neighbours/{index}")
def neighbours(
    folder: Folder,
    index: int,
    chosen: Features,
    k: Annotated[int, Query(ge=1, le=200)] = 10,
    form: Form = "page",
) -> Response:
    options = (k, chosen.features, chosen.layer)
    return shown(form, lambda: similarity.neighbours(folder, index, *options))


@dataclass(frozen=True)
class Patch:
    """A patch of a picture's grid."""

    row: int
    column: int


@router.get("/patches/{index}")
def patches(
    folder: Folder,
    index: int,
    patch: Annotated[Patch, Depends()],
    k: Annotated[int, Query(ge=1, le=200)] = 20,
    form: Form = "page",
) -> Response:
    place = (patch.row, patch.column)
    return shown(form, lambda: similarity.similar_patches(folder, index, *place, k))


@router.get("/outliers")
def outliers(folder: Folder, chosen: Features, form: Form = "page") -> Response:
    return shown(
        form, lambda: similarity.outliers(folder, features=chosen.features, layer=chosen.layer)
    )


@router.get("/duplicates")
def duplicates(
    folder: Folder, threshold: Annotated[float, Query(ge=0.5, le=1)] = 0.95, form: Form = "page"
) -> Response:
    def make() -> Any:
        found = similarity.near_duplicates(folder, threshold)
        return replace(found, same=found.same.astype("uint8"))

    return shown(form, make)


# --- what the labels say


@router.get("/probe")
def probe(folder: Folder, form: Form = "page") -> Response:
    response = shown(form, lambda: probes.probe(folder))
    response.headers["Cache-Control"] = "private, no-cache"  # more layers may be judged since
    return response


@router.get("/predictions")
def predictions(
    folder: Folder,
    layer: int | None = None,
    kind: Kind = "cls",
    method: Literal["knn", "logistic"] = "knn",
    form: Form = "page",
) -> Response:
    return shown(form, lambda: probes.predictions(folder, layer, kind, method))


# --- to the command line and from the explorer


@router.get("/command")
def command(folder: Folder, name: str, owner: Owner, services: Served) -> Response:
    title = services.galleries.card(name, owner)["title"]
    return or_sentence(lambda: plain({"command": scene.command_of(folder, title)}))


@router.get("/find")
def where(folder: Folder, key: str, services: Served, secret: Secret) -> Response:
    entry = services.pictures.get(secret, key)
    if entry is None:
        return plain({"index": None})
    try:
        return plain({"index": scene.find(folder, entry.picture.source)})
    except (scene.NotReady, ValueError):
        return plain({"index": None})
