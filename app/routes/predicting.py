"""Try it: what a fine-tuned model says of pictures, for who may see those that it learned from.

GET  view/KEY/predict?run=NAME          the open picture: classes, shares of the patches, neighbours
POST runs/NAME/predict                  a picture, which is the body: its likeliest classes (JSON)
GET  runs/NAME/training/N.jpg           a training picture, by its place
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app.routes.dependencies import Form, Owner, Picture, RunFolder, Served, find_run
from app.routes.responses import CACHE_FOR_HOUR, NO_STORE, errors_as_sentences, or_sentence, respond
from app.routes.runs import OWN, are_pictures_shown, need_own
from app.routes.uploads import MAX_PICTURE, TOO_LARGE, read_body

router = APIRouter()

CLASSES = 5
Count = Annotated[int, Query(ge=1, le=1000)]


@router.get("/view/{key}/predict")
def predict(
    entry: Picture,
    run: str,
    services: Served,
    owner: Owner,
    count: Count = CLASSES,
    form: Form = "page",
) -> Response:
    folder = find_run(run, services)
    need_own(are_pictures_shown(run, services, owner))
    picture = entry.picture.source
    response = respond(form, lambda: services.classifiers.predict(folder, picture, count))
    response.headers.update(NO_STORE)  # of a run that may be deleted
    return response


@router.post("/runs/{name}/predict", dependencies=OWN)
async def predict_file(
    request: Request, folder: RunFolder, services: Served, count: Count = CLASSES
) -> dict[str, Any]:
    body = await read_body(request, MAX_PICTURE, TOO_LARGE)

    def work() -> dict[str, Any]:
        from dino_core.scenes.packing import plain
        from dino_core.scenes.picture import read_picture

        return plain(services.classifiers.predict(folder, read_picture(body), count))

    with errors_as_sentences():
        return await run_in_threadpool(work)


@router.get("/runs/{name}/training/{index}.jpg", dependencies=OWN)
def training_picture(folder: RunFolder, services: Served, index: int) -> Response:
    def work() -> Response:
        from dino_core.scenes.predicting import training_picture as picture

        data = picture(folder, services.classifiers.find(folder), index)
        return Response(data, media_type="image/jpeg", headers=CACHE_FOR_HOUR)

    return or_sentence(work, 404)
