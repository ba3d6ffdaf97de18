"""The picture's tokens: view/KEY/tokens/patches, /positions, /blocks."""

from typing import Any

from fastapi import APIRouter, Response

from app.routes.dependencies import Form, Picture, Served
from app.routes.responses import errors_as_sentences, respond
from app.services import Services
from app.state.pictures import Entry
from app.visitors import owner_of

router = APIRouter(prefix="/view/{key}/tokens")


def vit_of(entry: Entry, services: Services) -> Any:
    """The model that a picture was seen with; 422 in a sentence where it is no longer kept."""
    with errors_as_sentences():
        return services.models.backbone(entry.model, owner=owner_of(entry.owner)).vit


@router.get("/patches")
def patches(entry: Picture, services: Served, form: Form = "page") -> Response:
    from dino_core.scenes.tokens import patches_scene

    vit = vit_of(entry, services)
    return respond(form, lambda: patches_scene(vit, entry.picture))


@router.get("/positions")
def positions(entry: Picture, services: Served, form: Form = "page") -> Response:
    from dino_core.scenes.tokens import positions_scene

    vit = vit_of(entry, services)
    return respond(form, lambda: positions_scene(vit, entry.picture.seen))


@router.get("/blocks")
def blocks(entry: Picture, services: Served, form: Form = "page") -> Response:
    from dino_core.scenes.tokens import blocks_scene

    vit = vit_of(entry, services)
    return respond(form, lambda: blocks_scene(vit, entry.picture.seen))
