"""Keeping galleries: what the screen of many pictures asks for beside what is in them.

GET    galleries                          this visitor's, and the samples
POST   galleries?name&model&size          a zip, which is the body, becomes a gallery
GET    galleries/NAME                     how far it is
POST   galleries/NAME/steer?action          stop or resume
POST   galleries/NAME/choice              the same zip with other answers (JSON): a new gallery
DELETE galleries/NAME                     the pictures and all that was computed
       galleries/NAME/...                 gallery_views.py

A gallery of another visitor is none: 404.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from app.jobs import gallery_request
from app.jobs.galleries import Galleries
from app.jobs.gallery_cards import SAMPLES, GalleryCard
from app.jobs.gallery_request import GalleryForm, chosen_again, job_for, place_for
from app.jobs.uploads import ON_THEIR_WAY, receive
from app.routes.dependencies import Address, KnownOwner, Owner, Served
from app.routes.responses import or_sentence, plain
from app.routes.uploads import read_json
from dino_core.scenes import gallery as scene
from dino_core.scenes.zips import PictureChoice

router = APIRouter(prefix="/galleries")


def find_gallery(name: str, services: Served, owner: Owner) -> Path:
    """The folder of a gallery that this visitor may see."""
    try:
        return services.galleries.find(name, owner)
    except ValueError as error:
        raise HTTPException(404, str(error)) from None


Folder = Annotated[Path, Depends(find_gallery)]


@router.get("")
def every(owner: Owner, services: Served) -> Response:
    models = [[name, label] for label, name in services.models.available(owner)]
    return plain({"galleries": services.galleries.everything(owner), "models": models})


@router.post("")
async def begin(
    request: Request,
    owner: KnownOwner,
    address: Address,
    services: Served,
    name: str = "pictures.zip",
    model: str | None = None,
    size: int = 224,
) -> Response:
    galleries = services.galleries
    title = Path(name).name[:80] or "pictures.zip"
    new = galleries.new_name()

    def work() -> GalleryCard:
        form = GalleryForm(title, owner, model, size, address)
        galleries.add(job_for(form, new, galleries, services.models))
        return galleries.card(new, owner)

    zipped = galleries.zip_of(new)
    try:
        with ON_THEIR_WAY.counted(gallery_request.MAX_ZIP, address):
            await run_in_threadpool(place_for, galleries, new)
            advice = "use the command line for so many."
            await receive(request.stream(), zipped, gallery_request.MAX_ZIP, advice)
        return plain(await run_in_threadpool(work))
    except ValueError as error:
        zipped.unlink(missing_ok=True)
        raise HTTPException(422, str(error)) from None


@router.get("/{name}")
def one(folder: Folder, name: str, owner: Owner, services: Served) -> Response:
    return plain(services.galleries.card(name, owner))


@router.post("/{name}/steer")
def steer(
    folder: Folder,
    name: str,
    owner: KnownOwner,
    services: Served,
    action: Literal["stop", "resume"],
) -> Response:
    def work() -> Response:
        services.galleries.steer(name, owner, action)
        return plain(services.galleries.card(name, owner))

    return or_sentence(work)


@router.post("/{name}/choice")
async def choose(
    request: Request, folder: Folder, name: str, owner: KnownOwner, services: Served
) -> Response:
    values, galleries = await read_json(request), services.galleries

    def work() -> Response:
        choice = PictureChoice.of(values)
        made = galleries.again(
            name, owner, lambda old, new: chosen_again(old, choice, new, galleries)
        )
        return plain(galleries.card(made, owner))

    return await run_in_threadpool(or_sentence, work)


@router.delete("/{name}")
def remove(folder: Folder, name: str, owner: KnownOwner, services: Served) -> Response:
    uploads = services.runs.uploads

    def work() -> Response:
        taken = uploads.same_as(services.galleries.zip_of(name), owner)
        services.galleries.remove(name, owner)
        uploads.forget_unused(taken)
        return plain({"gone": name})

    return or_sentence(work)


def open_from_gallery(galleries: Galleries, name: str, index: int, owner: str) -> tuple[Any, str]:
    """A picture of a gallery for the explorer: decoded, and its name. ValueError in a sentence."""
    folder = galleries.find(name, owner)
    try:
        return scene.picture(folder, index), scene.name_of(folder, index)
    except scene.NotReady as wait:
        raise ValueError(wait.words) from None


def is_sample(name: str) -> bool:
    """Whether a gallery is that of the samples, which is everybody's."""
    return name == SAMPLES
