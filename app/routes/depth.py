"""Through depth: all layers of one picture in colours that stay, and as a film.

view/KEY/depth?preset&flip&...&align&robust     view/KEY/depth/attention?row&column&head
view/KEY/depth/clusters?k&seed                  view/KEY/depth/film?view&kind&row&column&head&...
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response

from app.routes.dependencies import Form, Picture
from app.routes.features import Colours
from app.routes.responses import CACHE_FOR_HOUR, or_sentence, respond

router = APIRouter(prefix="/view/{key}/depth")


@dataclass(frozen=True)
class Asked:
    """Who asks whom: a patch, or the class token where both are -1; a head, or -1: their mean."""

    row: int = -1
    column: int = -1
    head: int = -1


@router.get("")
def layers(
    entry: Picture,
    chosen: Colours,
    align: str = "rotation",
    robust: bool = False,
    form: Form = "page",
) -> Response:
    from dino_core.scenes.depth import depth_scene

    return respond(
        form,
        lambda: depth_scene(
            entry.picture.seen,
            chosen.preset,
            chosen.flip,
            align,  # type: ignore[arg-type]
            robust,
            **chosen.changes,
        ),
    )


@router.get("/attention")
def attention(entry: Picture, asked: Annotated[Asked, Depends()], form: Form = "page") -> Response:
    from dino_core.scenes.depth import depth_attention_scene

    seen = entry.picture.seen
    return respond(form, lambda: depth_attention_scene(seen, asked.row, asked.column, asked.head))


@router.get("/clusters")
def clusters(entry: Picture, k: int = 6, seed: int = 0, form: Form = "page") -> Response:
    from dino_core.scenes.depth import depth_clusters_scene

    return respond(form, lambda: depth_clusters_scene(entry.picture.seen, k, seed))


@router.get("/film")
def film(
    entry: Picture,
    chosen: Colours,
    asked: Annotated[Asked, Depends()],
    view: str = "pca",
    kind: Literal["webp", "gif"] = "webp",
    align: str = "rotation",
    robust: bool = False,
) -> Response:
    from dino_core.scenes.files import film_file

    colours: dict[str, Any] = {
        "preset": chosen.preset,
        "flip": chosen.flip,
        "method": align,
        "robust": robust,
        "changes": chosen.changes,
    }

    def make() -> Response:
        made = film_file(
            entry.picture.seen,
            view,
            query=None if (asked.row, asked.column) == (-1, -1) else (asked.row, asked.column),
            head=None if asked.head == -1 else asked.head,
            colours=colours,
            kind=kind,
        )
        return Response(made.data, media_type=f"image/{kind}", headers=CACHE_FOR_HOUR)

    return or_sentence(make)
