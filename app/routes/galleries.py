"""Keeping galleries: what the screen of many pictures asks for beside what is in them.

GET    galleries                          this visitor's, and the samples
POST   galleries?name&model&size          a zip, which is the body, becomes a gallery
GET    galleries/NAME                     how far it is
POST   galleries/NAME/steer?wish          stop or resume
DELETE galleries/NAME                     the pictures and all that was computed
       galleries/NAME/...                 gallery_views.py

A gallery of another visitor is none: 404.
"""

import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from app.jobs.galleries import SAMPLES, Galleries, GalleryTicket
from app.jobs.zips import take_body
from app.routes.dependencies import KnownOwner, Owner, Served
from app.routes.responses import or_sentence, plain
from app.services import Services
from app.state.models import Models
from dino_core.scenes import gallery as scene
from dino_core.scenes.training import look_through

MAX_ZIP = 2 * 2**30  # bytes
MAX_PICTURES = 20_000  # of one gallery made from the page
MIN_FREE = 2 * 2**30  # bytes that must stay free on the disk
SIZES = (98, 224, 336)  # px
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
    models = [[name, label] for label, name in services.models.available()]
    return plain({"galleries": services.galleries.everything(owner), "models": models})


@router.post("")
async def begin(
    request: Request,
    owner: KnownOwner,
    services: Served,
    name: str = "pictures.zip",
    model: str | None = None,
    size: int = 224,
) -> Response:
    galleries = services.galleries
    title = Path(name).name[:80] or "pictures.zip"
    new = galleries.new_name()

    def work() -> dict[str, Any]:
        options = options_for(services.models, model or services.models.default, size)
        galleries.add(ticket_for(services, options, new, owner=owner, title=title))
        return galleries.card(new, owner)

    zipped = galleries.zip_of(new)
    try:
        need_free_disk(galleries)
        await take_body(request, zipped, MAX_ZIP, "use the command line for so many.")
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
    wish: Literal["stop", "resume"],
) -> Response:
    def work() -> Response:
        services.galleries.steer(name, owner, wish)
        return plain(services.galleries.card(name, owner))

    return or_sentence(work)


@router.delete("/{name}")
def remove(folder: Folder, name: str, owner: KnownOwner, services: Served) -> Response:
    def work() -> Response:
        services.galleries.remove(name, owner)
        return plain({"gone": name})

    return or_sentence(work)


# --- what a visitor asked for


def ticket_for(
    services: Services, options: scene.Options, name: str, *, owner: str, title: str
) -> GalleryTicket:
    """Looks through the zip. ValueError in a sentence, with the visitor's name for the file."""
    path = services.galleries.zip_of(name)
    try:
        found = look_through(path)
    except ValueError as error:
        raise ValueError(str(error).replace(str(path), title)) from None
    if found["pictures"] > MAX_PICTURES:
        raise ValueError(
            f"{title} has {found['pictures']:,} pictures, more than the {MAX_PICTURES:,} that the "
            f"page takes: build this gallery from the command line."
        )
    own_file = options.weights is not None
    return GalleryTicket(
        name=name,
        owner=owner,
        title=title,
        data=str(path),
        pictures=found["pictures"],
        classes=len(found["classes"]),
        label=services.models.default if own_file else options.model or "",
        options=asdict(options),
        asked=time.time(),
    )


def options_for(models: Models, model: str, size: int) -> scene.Options:
    """ValueError for a model that is not on this machine: nothing is downloaded for a gallery."""
    if size not in SIZES:
        raise ValueError(f"The input size is one of {', '.join(map(str, SIZES))} px.")
    if model not in [known for _, known in models.available()]:
        raise ValueError("Choose a model that is on this machine.")
    if models.weights is not None and models.is_own_file(model):
        weights = str(models.weights.resolve())
        return scene.Options(models.architecture, weights, size, device=models.device)
    return scene.Options(model, None, size, device=models.device)


def need_free_disk(galleries: Galleries) -> None:
    """ValueError in a sentence when the disk is nearly full."""
    galleries.page.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(galleries.folder).free < MIN_FREE + MAX_ZIP:
        raise ValueError("There is no room for more pictures on this server at the moment.")


def open_from_gallery(galleries: Galleries, name: str, index: int, owner: str) -> tuple[Any, str]:
    """A picture of a gallery for the explorer: decoded, and its name. ValueError in a sentence."""
    folder = galleries.find(name, owner)
    try:
        return scene.picture(folder, index), scene.names(folder).names[index]
    except scene.NotReady as wait:
        raise ValueError(wait.words) from None


def is_sample(name: str) -> bool:
    """Whether a gallery is that of the samples, which is everybody's."""
    return name == SAMPLES
