"""Models for other libraries.

POST exports?model=NAME&to=timm     begins one, and says how it is called
GET  exports/TOKEN                  how far it is
GET  exports/TOKEN/file             what was written, once it has been checked
"""

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from app.jobs.exports import Target
from app.routes.dependencies import KnownOwner, Served
from app.routes.responses import NO_STORE, or_sentence, plain

router = APIRouter(prefix="/exports")


@router.post("")
def begin(owner: KnownOwner, services: Served, model: str, to: Target) -> Response:
    return or_sentence(lambda: plain(services.exports.add(owner, model, to)))


@router.get("/{token}")
def one(token: str, owner: KnownOwner, services: Served) -> Response:
    return or_sentence(lambda: plain(services.exports.card(owner, token)), 404)


@router.get("/{token}/file")
def file(token: str, owner: KnownOwner, services: Served) -> Response:
    def work() -> Response:
        path = services.exports.file(owner, token)
        return FileResponse(path, filename=path.name, headers=NO_STORE)

    return or_sentence(work, 404)
