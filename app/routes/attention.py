"""Attention in the picture.

view/KEY/attention/LAYER     view/KEY/heads/LAYER     view/KEY/overview     view/KEY/rollout
"""

from fastapi import APIRouter, Response

from app.routes.dependencies import Form, Picture
from app.routes.responses import respond

router = APIRouter(prefix="/view/{key}")


@router.get("/attention/{layer}")
def attention(entry: Picture, layer: int, form: Form = "page") -> Response:
    from dino_core.scenes.attention import layer_scene

    return respond(form, lambda: layer_scene(entry.picture.seen, layer))


@router.get("/heads/{layer}")
def heads(entry: Picture, layer: int, form: Form = "page") -> Response:
    from dino_core.scenes.attention import heads_scene

    return respond(form, lambda: heads_scene(entry.picture.seen, layer))


@router.get("/overview")
def overview(entry: Picture, row: int = -1, column: int = -1, form: Form = "page") -> Response:
    from dino_core.scenes.attention import overview_scene

    return respond(form, lambda: overview_scene(entry.picture.seen, row, column))


@router.get("/rollout")
def rollout(entry: Picture, form: Form = "page") -> Response:
    from dino_core.scenes.attention import rollout_scene

    return respond(form, lambda: rollout_scene(entry.picture.seen))
