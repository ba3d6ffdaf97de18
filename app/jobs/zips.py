"""Large uploads: the body of a request, streamed into a file."""

from pathlib import Path

from fastapi import Request


async def take_body(request: Request, path: Path, most: int, advice: str) -> int:
    """Writes the body into a new file -> bytes. Whatever goes wrong, the file does not stay.

    ValueError, ending in `advice`, for one with more than `most` bytes.
    """
    size = 0
    try:
        with path.open("wb") as file:
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise ValueError(f"The zip has more than the {most >> 20} MB allowed: {advice}")
                file.write(part)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size
