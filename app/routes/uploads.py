"""Bodies of requests, let go of as soon as they are too long."""

import json
from typing import Any

from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool

MAX_JSON = 64 * 2**10  # bytes
MAX_PICTURE = 25 * 2**20  # bytes of one picture
TOO_LARGE = "The file has more than the 25 MB allowed: save the picture smaller."


async def read_body(request: Request, limit: int, message: str) -> bytes:
    """What was sent; 413 and this message as soon as it has more than `limit` bytes."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise HTTPException(413, message)
    return bytes(body)


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; 422 for anything else."""
    body = await read_body(request, MAX_JSON, "This request is too long.")
    try:
        values = await run_in_threadpool(json.loads, body)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise HTTPException(422, "This request is not right.")
    return values
