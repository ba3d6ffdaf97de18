"""What a model in training sees of the picture.

view/KEY/crops?seed&blur&...     view/KEY/crops/draws?seed&blur&...
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from app.routes.dependencies import Form, Number, Picture
from app.routes.responses import respond
from dino_core.config import CropConfig

CROPS = CropConfig()
router = APIRouter(prefix="/view/{key}/crops")


def crop_options(
    global_low: Number = CROPS.global_scale[0],
    global_high: Number = CROPS.global_scale[1],
    local_low: Number = CROPS.local_scale[0],
    local_high: Number = CROPS.local_scale[1],
    local_count: int = CROPS.local_count,
    global_size: int | None = None,
    local_size: int | None = None,
) -> dict[str, Any]:
    """What a person chose about the crops; the sizes' defaults follow the model's patches."""
    return {
        "global_scale": (global_low, global_high),
        "local_scale": (local_low, local_high),
        "local_count": local_count,
        "global_size": global_size,
        "local_size": local_size,
    }


CropOptions = Annotated[dict[str, Any], Depends(crop_options)]


@router.get("")
def crops(
    entry: Picture, seed: int, options: CropOptions, blur: str = "as run", form: Form = "page"
) -> Response:
    from dino_core.scenes.crops import crops_scene

    picture, patch_size = entry.picture.source, entry.picture.scene.patch_size
    return respond(form, lambda: crops_scene(picture, seed, blur, patch_size, options))


@router.get("/draws")
def draws(
    entry: Picture, seed: int, options: CropOptions, blur: str = "as run", form: Form = "page"
) -> Response:
    from dino_core.scenes.crops import crop_draws_scene

    size, patch_size = entry.picture.source.size, entry.picture.scene.patch_size
    return respond(form, lambda: crop_draws_scene(size, seed, blur, patch_size, options))
