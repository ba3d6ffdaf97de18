"""A server that was started anew has forgotten every picture; the pages that show one have not.

GET  identity                             who answers, and with what
POST view/KEY/again?model&size&...        the picture that a page shows, under the key that it had

A page that has lost its server asks for its identity until it answers, and has its pictures opened
again: a sample by name, one of a gallery by its place, and any other is the body of the request.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app.routes.dependencies import IsGone, Secret, Served
from app.routes.galleries import open_from_gallery
from app.routes.pictures import view_of
from app.routes.responses import errors_as_sentences, plain
from app.routes.uploads import MAX_PICTURE, TOO_LARGE, read_body
from app.services import Services
from app.state.models import read_sample
from app.visitors import owner_of

router = APIRouter()


@router.get("/identity")
def identity(services: Served) -> Response:
    return plain(services.identity.now())


@dataclass(frozen=True)
class Recipe:
    """How a picture was opened. Without `sample` and `gallery` it is the body of the request."""

    model: str
    size: int
    sample: str = ""
    gallery: str = ""
    index: int = 0
    upload: Annotated[str, Query(pattern=r"^[\w.-]{0,128}$")] = ""  # as the page was told it
    comparison: bool = False

    @property
    def origin(self) -> str:
        if self.gallery:
            return f"gallery/{self.gallery}/{self.index}"
        return f"upload/{self.upload}" if self.upload else ""


@router.post("/view/{key}/again")
async def reopen(
    request: Request,
    key: str,
    services: Served,
    secret: Secret,
    is_gone: IsGone,
    recipe: Annotated[Recipe, Depends()],
) -> dict[str, Any]:
    body = await read_body(request, MAX_PICTURE, TOO_LARGE)

    def work() -> dict[str, Any]:
        entry = services.pictures.get(secret, key)
        if entry is None:
            source = find_source(services, owner_of(secret), recipe, body)
            entry = services.look(
                source,
                secret,
                recipe.model,
                recipe.size,
                is_gone=is_gone,
                sample=recipe.sample,
                comparison=recipe.comparison,
                origin=recipe.origin,
            )
            services.pictures.put_back(key, entry)
        return view_of(key, entry, 0)

    with errors_as_sentences():
        return await run_in_threadpool(work)


def find_source(services: Services, owner: str, recipe: Recipe, body: bytes) -> Any:
    """The picture that is meant, decoded. ValueError in a sentence where there is none."""
    from dino_core.scenes.picture import read_picture

    if recipe.sample:
        return read_sample(recipe.sample)
    if recipe.gallery:
        return open_from_gallery(services.galleries, recipe.gallery, recipe.index, owner)[0]
    return read_picture(body)
