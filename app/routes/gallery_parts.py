"""What the screen of many pictures asks about a gallery too large to be sent at once.

GET    galleries/NAME/part/K?...          every so many-th point of a map, from the K-th on
GET    galleries/NAME/names?of=5,17       what these pictures are called
GET    galleries/NAME/search?text         who has a text in the name or class
GET    galleries/NAME/tiles.jpg?of=5,17   thumbnails, 16 beside each other

A gallery of another visitor is none: 404. What is still being computed is answered with 202.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.routes.dependencies import Form
from app.routes.galleries import Folder
from app.routes.gallery_views import CACHE, Features, Method, selected, shown
from app.routes.responses import or_sentence, plain
from dino_core.scenes import gallery_parts as parts

router = APIRouter(prefix="/galleries/{name}")
Chosen = Annotated[str, Query(max_length=4000)]


@router.get("/part/{number}")
def part(
    folder: Folder, number: int, chosen: Features, method: Method = "pca", form: Form = "page"
) -> Response:
    options = (chosen.features, chosen.layer, method)
    return shown(form, lambda: parts.part(folder, number, *options))


@router.get("/names")
def names(folder: Folder, of: Chosen) -> Response:
    def work() -> Response:
        response = plain({"names": parts.names(folder, selected(of.encode()) or [])})
        response.headers.update(CACHE)
        return response

    return or_sentence(work)


@router.get("/search")
def search(
    folder: Folder, text: Annotated[str, Query(min_length=1, max_length=200)], form: Form = "page"
) -> Response:
    return shown(form, lambda: parts.found(folder, text))


@router.get("/tiles.jpg")
def tiles(folder: Folder, of: Chosen) -> Response:
    from dino_core.scenes.packing import jpeg

    def work() -> Response:
        data = jpeg(parts.tiles(folder, selected(of.encode()) or []), longest=2048)
        return Response(data, media_type="image/jpeg", headers=CACHE)

    return or_sentence(work)
