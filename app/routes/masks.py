"""Masks on the picture: view/KEY/masks?seed&ratio."""

from fastapi import APIRouter, Response

from app.routes.dependencies import Form, Number, Picture
from app.routes.responses import respond

router = APIRouter(prefix="/view/{key}/masks")


@router.get("")
def masks(entry: Picture, seed: int, ratio: Number = 0.3, form: Form = "page") -> Response:
    from dino_core.scenes.masks import masks_scene

    picture, patch_size = entry.picture.source, entry.picture.scene.patch_size
    return respond(form, lambda: masks_scene(picture, seed, ratio, patch_size))
