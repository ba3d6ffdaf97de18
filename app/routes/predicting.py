"""Try it: what a classifier says of pictures: of a run, for who may see those that it learned from,
or of a checkpoint, for whose it is.

GET  view/KEY/predict?run=NAME          the open picture: classes, shares of the patches, neighbours
GET  view/KEY/predict?model=NAME        the same by the classifier beside a model of the list
POST runs/NAME/predict                  a picture, which is the body: its likeliest classes (JSON)
POST models/NAME/predict                the same of a model
GET  runs/NAME/training/N.jpg           a training picture, by its place
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app.routes.dependencies import (
    Form,
    KnownOwner,
    Owner,
    Picture,
    RunFolder,
    Served,
    find_run,
)
from app.routes.responses import CACHE_FOR_HOUR, NO_STORE, errors_as_sentences, or_sentence, respond
from app.routes.runs import OWN, are_pictures_shown, need_own
from app.routes.uploads import MAX_PICTURE, TOO_LARGE, read_body

if TYPE_CHECKING:
    from PIL.Image import Image

router = APIRouter()

CLASSES = 5
Count = Annotated[int, Query(ge=1, le=1000)]


@router.get("/view/{key}/predict")
def predict(
    entry: Picture,
    services: Served,
    owner: Owner,
    run: str = "",
    model: str = "",
    count: Count = CLASSES,
    form: Form = "page",
) -> Response:
    picture, classifiers = entry.picture.source, services.classifiers
    if model:
        response = respond(form, lambda: classifiers.predict_by_model(model, owner, picture, count))
    else:
        folder = find_run(run, services)
        need_own(are_pictures_shown(run, services, owner))
        response = respond(form, lambda: classifiers.predict(folder, picture, count))
    response.headers.update(NO_STORE)  # of a run that may be deleted, a checkpoint removed
    return response


@router.post("/runs/{name}/predict", dependencies=OWN)
async def predict_file(
    request: Request, folder: RunFolder, services: Served, count: Count = CLASSES
) -> dict[str, Any]:
    return await _asked(
        request, lambda picture: services.classifiers.predict(folder, picture, count)
    )


@router.post("/models/{name}/predict")
async def predict_file_by_model(
    request: Request, name: str, owner: KnownOwner, services: Served, count: Count = CLASSES
) -> dict[str, Any]:
    ask = services.classifiers.predict_by_model
    return await _asked(request, lambda picture: ask(name, owner, picture, count))


async def _asked(request: Request, ask: Callable[["Image"], Any]) -> dict[str, Any]:
    """What is said of the picture that is the body of a request."""
    body = await read_body(request, MAX_PICTURE, TOO_LARGE)

    def work() -> dict[str, Any]:
        from dino_core.scenes.packing import plain
        from dino_core.scenes.picture import read_picture

        return plain(ask(read_picture(body)))

    with errors_as_sentences():
        return await run_in_threadpool(work)


@router.get("/runs/{name}/training/{index}.jpg", dependencies=OWN)
def training_picture(folder: RunFolder, services: Served, index: int) -> Response:
    def work() -> Response:
        from dino_core.scenes.predicting import training_picture as picture

        data = picture(folder, services.classifiers.find(folder), index)
        return Response(data, media_type="image/jpeg", headers=CACHE_FOR_HOUR)

    return or_sentence(work, 404)
