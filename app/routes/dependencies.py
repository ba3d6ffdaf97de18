"""What handlers depend on: the server's services, who asks, and which picture is meant.

A handler names them as the types of its arguments; FastAPI fills them in for each request.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import Depends, HTTPException, Query, Request

from app.routes.responses import FormName
from app.services import Services
from app.state.pictures import NOT_YOURS, Entry
from app.visitors import address_of, owner_of

UNKNOWN = "Open the page in a browser first."


async def services_of(request: Request) -> Services:
    """The services of the server that responds."""
    services: Services = request.app.state.services
    return services


Served = Annotated[Services, Depends(services_of)]


async def visitor_secret(request: Request, services: Served) -> str:
    """The browser's secret, empty without one."""
    return services.visitors.secret(request.cookies)


Secret = Annotated[str, Depends(visitor_secret)]


async def visitor(secret: Secret) -> str:
    """The owner of what this browser started."""
    return owner_of(secret)


async def known_visitor(secret: Secret) -> str:
    """The same for what only a browser that has opened the page may do."""
    if not secret:
        raise HTTPException(403, UNKNOWN)
    return owner_of(secret)


async def address(request: Request) -> str:
    """From where somebody asks, so that new cookies are no way around a limit."""
    return address_of(request.client.host if request.client else "")


Address = Annotated[str, Depends(address)]
Owner = Annotated[str, Depends(visitor)]
KnownOwner = Annotated[str, Depends(known_visitor)]


def find_picture(key: str, services: Served, secret: Secret) -> Entry:
    """The visitor's own picture, or everybody's sample. 404 alike for all others."""
    entry = services.pictures.get(secret, key)
    if entry is None:
        raise HTTPException(404, NOT_YOURS)
    return entry


async def gone_check(request: Request) -> Callable[[], bool]:
    """Whether who asked has left; to be called by any thread but the server's own."""
    loop = asyncio.get_running_loop()

    def is_gone() -> bool:
        return asyncio.run_coroutine_threadsafe(request.is_disconnected(), loop).result()

    return is_gone


IsGone = Annotated[Callable[[], bool], Depends(gone_check)]
Picture = Annotated[Entry, Depends(find_picture)]


def find_run(name: str, services: Served) -> Path:
    """The folder of a run; that there is one may be known to everybody. 404 when there is none."""
    try:
        return services.runs.find(name)
    except ValueError as error:
        raise HTTPException(404, str(error)) from None


RunFolder = Annotated[Path, Depends(find_run)]
Number = Annotated[float, Query(allow_inf_nan=False)]
Form = Annotated[FormName, Query(alias="form")]
