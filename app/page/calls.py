"""What every named endpoint does: opens the picture, looks at it, answers in plain values."""

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.context import LocalContext

from app.page.updates import read_upload
from app.services import Services
from app.state.models import Gone, read_sample, sample_file
from app.visitors import owner_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from dino_core.analysis.inspection import Inspection
    from dino_core.weights import Backbone


def opened(services: Services, picture: dict, request: gr.Request) -> "Image":
    """The uploaded file {"path": ...}, decoded, or a sample {"sample": ...}. Only what the same
    visitor has uploaded is opened. ValueError in a sentence for anything else."""
    named = dict(picture)
    if "sample" in named:
        return read_sample(str(named["sample"]))
    path = str(named.get("path", ""))
    return read_upload(services, services.visitors.secret(request.cookies), path)


def file_of(services: Services, named: dict, request: gr.Request) -> Path:
    """The uploaded file {"path": ...} itself, not decoded, or a sample's. ValueError as above."""
    if "sample" in named:
        return sample_file(str(named["sample"]))
    secret = services.visitors.secret(request.cookies)
    return services.uploads.find(secret, str(named.get("path", "")))


def asking(services: Services, request: gr.Request) -> str:
    """The owner of what the asking visitor has brought."""
    return owner_of(services.visitors.secret(request.cookies))


def inspected(
    services: Services, picture: dict, request: gr.Request, model: str, *, size: int
) -> "Inspection":
    """The uploaded file, seen once by a model: without a name that with which the page begins."""
    models, source = services.models, opened(services, picture, request)
    owner = asking(services, request)
    return models.inspect(source, model or models.default, size, owner=owner).seen


def backbone_of(services: Services, request: gr.Request, model: str) -> "Backbone":
    """The model that a program names, as the one who asks may see it."""
    models = services.models
    return models.backbone(model or models.default, owner=asking(services, request))


def plain_scene(make: Callable[[], Any], *arrays: str) -> dict:
    """A scene's facts and the named arrays as JSON; what is wrong is said in a sentence."""
    from dino_core.scenes.packing import plain

    return in_sentences(lambda: plain(make(), arrays))


def in_sentences(make: Callable[[], dict]) -> dict:
    """What is made, or why it cannot be, as Gradio tells it to a program."""
    try:
        return make()
    except (ValueError, OverflowError) as error:
        raise gr.Error(escape(str(error), quote=False), print_exception=False) from error
    except Gone:
        raise gr.Error("Nobody waits for this any more.", print_exception=False) from None


def gone_check() -> Callable[[], bool]:
    """Whether the program that this thread answers has closed its connection.

    Gradio notes that with the call, in its queue. A call that did not come that way never has.
    """
    blocks, name = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    if blocks is None or name is None:
        return lambda: False
    event = blocks._queue.event_ids_to_events.get(name)
    return lambda: event is not None and not event.alive
