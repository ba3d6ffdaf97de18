"""Responses: a scene as bytes, values as JSON, a picture as JPEG, and errors as sentences."""

import json
from collections.abc import Callable
from typing import Any, Literal

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError

FormName = Literal["page", "npz", "chart", "chart-dark"]
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


def or_sentence(make: Callable[[], Response], status: int = 422) -> Response:
    """A ValueError is a sentence for a person."""
    try:
        return make()
    except ValueError as error:
        raise HTTPException(status, str(error)) from None


def add_error_responses(app: FastAPI) -> None:
    """Errors are plain text: the page shows them as they are."""

    @app.exception_handler(HTTPException)
    def as_text(_: Request, error: HTTPException) -> Response:
        return Response(str(error.detail), error.status_code, media_type="text/plain")

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> Response:
        where = ", ".join(str(fault["loc"][-1]) for fault in error.errors())
        return Response(f"This request is not right: {where}.", 422, media_type="text/plain")
