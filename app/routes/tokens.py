"""The picture's tokens: view/KEY/tokens/patches, /positions, /blocks."""

from fastapi import APIRouter, Response

from app.routes.dependencies import Form, Picture, Served
from app.routes.responses import respond

router = APIRouter(prefix="/view/{key}/tokens")


@router.get("/patches")
def patches(entry: Picture, services: Served, form: Form = "page") -> Response:
    from dino_core.scenes.tokens import patches_scene

    vit = services.models.backbone(entry.model).vit
    return respond(form, lambda: patches_scene(vit, entry.picture))


@router.get("/positions")
def positions(entry: Picture, services: Served, form: Form = "page") -> Response:
    from dino_core.scenes.tokens import positions_scene

    vit = services.models.backbone(entry.model).vit
    return respond(form, lambda: positions_scene(vit, entry.picture.seen))


@router.get("/blocks")
def blocks(entry: Picture, services: Served, form: Form = "page") -> Response:
    from dino_core.scenes.tokens import blocks_scene

    vit = services.models.backbone(entry.model).vit
    return respond(form, lambda: blocks_scene(vit, entry.picture.seen))
