"""The words of the guide, which are the same for everybody: guide/glossary.json, guide/path.json"""

from dataclasses import asdict

from fastapi import APIRouter, Response

from app.guide import read_glossary, read_path
from app.routes.responses import plain

router = APIRouter(prefix="/guide")


@router.get("/glossary.json")
def glossary() -> Response:
    return plain([asdict(term) for term in read_glossary()])


@router.get("/path.json")
def path() -> Response:
    return plain([asdict(stop) for stop in read_path()])
