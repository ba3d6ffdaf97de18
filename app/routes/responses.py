"""Responses: a scene as bytes, values as JSON, a picture as JPEG, and errors as sentences."""

import errno
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError

from app.state.models import Gone

FormName = Literal["page", "npz", "chart", "chart-dark"]
MAX_MESSAGE = 600  # characters
NO_STORE = {"Cache-Control": "no-store"}
CACHE_FOR_HOUR = {"Cache-Control": "private, max-age=3600, immutable"}


def respond(form: FormName, make: Callable[[], Any]) -> Response:
    """A scene in the page's form, as an NPZ file, or as its charts; 422 for a ValueError."""
    from dino_core.scenes import packing

    def work() -> Response:
        data, kind = packing.packed(make(), form)
        return Response(data, media_type=kind, headers=CACHE_FOR_HOUR)

    return or_sentence(work)


def jpeg(picture: Any, longest: int = 1600, quality: int = 90) -> Response:
    """A picture, shrunk to `longest` px if it is larger."""
    from dino_core.scenes import packing

    data = packing.jpeg(picture, longest, quality)
    return Response(data, media_type="image/jpeg", headers=CACHE_FOR_HOUR)


def plain(values: Any) -> Response:
    """JSON values that may be others a moment later."""
    return Response(json.dumps(values), media_type="application/json", headers=NO_STORE)


@contextmanager
def errors_as_sentences(status: int = 422) -> Iterator[None]:
    """A ValueError is a sentence for a person, and the body of the response."""
    try:
        yield
    except ValueError as error:
        raise HTTPException(status, str(error)) from None


def or_sentence(make: Callable[[], Response], status: int = 422) -> Response:
    """What is made, or why it cannot be."""
    with errors_as_sentences(status):
        return make()


def shortened(message: str) -> str:
    """A sentence with its middle left out, where it repeats too much of what was sent."""
    half = MAX_MESSAGE // 2
    return message if len(message) <= MAX_MESSAGE else f"{message[:half]} ... {message[-half:]}"


def disk_message(error: OSError) -> str:
    """What a visitor is to know of an error of the disk: no folder of this machine."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk of this server is full: nothing was kept. Try again later."
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "This server cannot write to its disk: nothing was kept."
    if error.errno in (errno.ENAMETOOLONG, errno.EINVAL):
        return "This name is too long."
    return "This server could not read or write a file: try again, or tell who runs it."


def disk_status(error: OSError) -> int:
    """507 for a full disk, 422 for a name that no disk takes, else 500."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return 507
    return 422 if error.errno in (errno.ENAMETOOLONG, errno.EINVAL) else 500


def add_error_responses(app: FastAPI) -> None:
    """Errors are plain text: the page shows them as they are."""

    @app.exception_handler(HTTPException)
    def as_text(_: Request, error: HTTPException) -> Response:
        return Response(shortened(str(error.detail)), error.status_code, media_type="text/plain")

    @app.exception_handler(OSError)
    def no_disk(_: Request, error: OSError) -> Response:
        print(f"A request failed: {error}", file=sys.stderr, flush=True)
        return Response(disk_message(error), disk_status(error), media_type="text/plain")

    @app.exception_handler(OverflowError)
    def too_large(_: Request, error: OverflowError) -> Response:
        return Response("A number in this request is too large.", 422, media_type="text/plain")

    @app.exception_handler(Gone)
    def unheard(_: Request, error: Gone) -> Response:
        return Response("Nobody is left to hear the answer.", 499, media_type="text/plain")

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> Response:
        where = ", ".join(str(fault["loc"][-1])[:80] for fault in error.errors()[:5])
        return Response(f"This request is not right: {where}.", 422, media_type="text/plain")
