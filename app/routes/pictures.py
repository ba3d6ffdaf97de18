"""The open picture itself, as the page shows it on every screen.

view/KEY/source.jpg, view/KEY/input.jpg, view/KEY/thumb.jpg
view/KEY/view.json?seed          view/KEY/strip?seed          view/KEY/welcome
"""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response

from app.routes.dependencies import Form, IsGone, Owner, Picture, Served
from app.routes.responses import jpeg, respond
from app.state.pictures import Entry

router = APIRouter(prefix="/view/{key}")


@router.get("/view.json")
def view(entry: Picture, key: str, seed: int = 0) -> dict[str, Any]:
    return view_of(key, entry, seed)


@router.get("/source.jpg")
def source(entry: Picture) -> Response:
    return jpeg(entry.picture.source)


@router.get("/input.jpg")
def model_input(entry: Picture) -> Response:
    return jpeg(entry.picture.fitted.picture, 4096, 95)


@router.get("/thumb.jpg")
def thumbnail(entry: Picture) -> Response:
    return jpeg(entry.picture.fitted.picture, 160)


@router.get("/strip")
def strip(entry: Picture, seed: int, form: Form = "page") -> Response:
    from dino_core.scenes.strip import strip_scene

    return respond(form, lambda: strip_scene(entry.picture.seen, entry.picture.source, seed))


@router.get("/welcome")
def welcome(
    entry: Picture, services: Served, owner: Owner, is_gone: IsGone, form: Form = "page"
) -> Response:
    """The picture as it greets a newcomer: finer than most pages look at one."""

    def make() -> Any:
        from dino_core.scenes.welcome import SHORT_SIDE, welcome_scene

        source, model = entry.picture.source, entry.model
        look = services.models.inspect
        return welcome_scene(look(source, model, SHORT_SIDE, owner=owner, is_gone=is_gone))

    return respond(form, make)


def view_of(key: str, entry: Entry, seed: int) -> dict[str, Any]:
    """What the page knows of an entry: where to fetch, and what there is to choose from."""
    chosen = {"model": entry.model, "size": entry.size, "sample": entry.sample, "seed": seed}
    origin = {"origin": entry.origin} if entry.origin else {}
    words = model_words(entry)
    return {"key": key, **chosen, **words, **origin, **asdict(entry.picture.scene)}


def model_words(entry: Entry) -> dict[str, Any]:
    """What the page says instead of a model's name, and which file its lines of Python open, with
    what they have to say of it, where that is another; and what a classifier of its reads."""
    words = {
        "model_title": entry.title if entry.title != entry.model else "",
        "weights": entry.file,
        "said": entry.said,
        "classifier": entry.classifier,
    }
    return {name: word for name, word in words.items() if word}
