"""Several pictures as rows, views of them as columns. The rows are named by the page that asks:

sample/FILE   gallery/NAME/INDEX   own/ID, a picture that this visitor brought

POST tray/pictures?name&source        a picture, which is the body, or one that the page has open
GET  tray/rows?rows&...               what the rows are called, and whether they are still kept
GET  tray/choices                     which models and samples there are for this visitor
GET  tray/picture.jpg?row&model&size  a row as its model is given it
GET  tray/filled?rows&columns&...     the tray
GET  tray/print?kind&width&...        the same as a figure for print; with caption=true its caption
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app.paths import SAMPLES
from app.routes.dependencies import Form, IsGone, Secret, Served, find_picture
from app.routes.galleries import open_from_gallery
from app.routes.prints import Paper, on_paper
from app.routes.responses import NO_STORE, errors_as_sentences, jpeg, or_sentence, respond
from app.routes.uploads import MAX_PICTURE, TOO_LARGE, read_body
from app.services import Services
from app.state.checkpoints import is_checkpoint
from app.state.models import read_sample
from app.state.trays import GONE, NOBODY
from app.visitors import owner_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from dino_core.scenes.picture import OpenPicture

router = APIRouter(prefix="/tray")

LONGEST = 640  # px of a picture in a row
MOST = 12  # rows, columns, models; the library says the same in a sentence
Names = Annotated[list[str], Query(max_length=MOST + 1)]
Others = Annotated[tuple[str, ...], Query(max_length=MOST)]


@dataclass(frozen=True)
class Row:
    """One picture of a tray, for who may see it."""

    what: tuple[str, ...]  # what tells it from all others
    name: str  # for people
    path: str  # as a command opens it
    open: Callable[[], "Image"]


@dataclass(frozen=True)
class Asked:
    """Which pictures in which models at which size, and what of them."""

    rows: Names
    columns: Names
    model: str = ""  # "": that with which the page begins
    second: Others = ()  # models 1, 2, ...
    size: int = 224
    preset: str = "paper"
    flip: bool = False
    robust: bool = False
    align: str = "rotation"
    k: int = 6
    seed: int = 0

    @property
    def models(self) -> list[str]:
        return [self.model, *(name for name in self.second if name)]


# --- rows


def find_row(services: Services, secret: str, row: str) -> Row:
    """ValueError in a sentence for a picture that there is not, or that is another's."""
    kind, _, rest = row.partition("/")
    if kind == "sample":
        if rest not in [one["file"] for one in samples()]:
            raise ValueError("There is no such sample.")
        return Row((kind, rest), rest, f"static/samples/{rest}", lambda: read_sample(rest))
    if kind == "own":
        own = services.trays.find(secret, rest)
        return Row((kind, rest), own.name, own.name, own.decoded)
    if kind == "gallery":
        name, _, index = rest.rpartition("/")
        if not index.isdecimal():
            raise ValueError(GONE)
        owner = owner_of(secret)
        picture, file = open_from_gallery(services.galleries, name, int(index), owner)
        title = PurePosixPath(file).name
        return Row((kind, rest, owner), title, title, lambda: picture)
    raise ValueError("A row of a tray is a sample, a picture of a gallery, or one of your own.")


def samples() -> list[dict[str, str]]:
    """File and title of each bundled sample."""
    known: list[dict[str, str]] = json.loads((SAMPLES / "credits.json").read_text(encoding="utf-8"))
    return known


def seen_by(
    services: Services, secret: str, row: Row, model: str, *, size: int, is_gone: IsGone
) -> "OpenPicture":
    """The picture in a model, from memory where it was looked at lately."""
    owner, name = owner_of(secret), model or services.models.default

    def look() -> "OpenPicture":
        return services.models.inspect(row.open(), name, size, owner=owner, is_gone=is_gone)

    if is_checkpoint(name):  # whose it is, also where the answer is in memory
        services.models.checkpoint(owner, name)
    return services.trays.seen((*row.what, name, size), look)


def looking(
    services: Services, secret: str, rows: Sequence[Row], asked: Asked, is_gone: IsGone
) -> Callable[[int], list[Any]]:
    def look(index: int) -> list[Any]:
        row = rows[index]
        return [
            seen_by(services, secret, row, model, size=asked.size, is_gone=is_gone).seen
            for model in asked.models
        ]

    return look


# --- adding


@router.post("/pictures")
async def add(
    request: Request,
    services: Served,
    secret: Secret,
    name: Annotated[str, Query(max_length=400)] = "picture",
    source: str = "",
) -> dict[str, str]:
    """Adds a picture of the visitor's own; `source`: the key of one that the page has open."""
    if not secret:
        raise HTTPException(403, NOBODY)
    body = await read_body(request, MAX_PICTURE, TOO_LARGE)
    title = PurePosixPath(name.replace("\\", "/")).name[:80] or "picture"

    def work() -> dict[str, str]:
        picture = find_picture(source, services, secret).picture.source if source else body
        return {"row": f"own/{services.trays.add(secret, title, picture)}", "name": title}

    with errors_as_sentences():
        return await run_in_threadpool(work)


@router.get("/rows")
def rows_kept(
    rows: Names, services: Served, secret: Secret, response: Response
) -> list[dict[str, Any]]:
    """What each row is called; without a name it is not kept, or was never this visitor's."""
    response.headers.update(NO_STORE)

    def name_of(row: str) -> str:
        try:
            return find_row(services, secret, row).name
        except ValueError:
            return ""

    return [{"row": row, "name": name_of(row)} for row in rows]


@router.get("/choices")
def choices(services: Served, secret: Secret, response: Response) -> dict[str, Any]:
    """`models`: name and what the list says; `titles`: the short name that stands above a column;
    `opened`: how lines of Python open a model that they do not open by its name."""
    response.headers.update(NO_STORE)
    owner, models = owner_of(secret), services.models
    available = models.available(owner)
    return {
        "models": [[name, label] for label, name in available],
        "titles": {name: models.title_of(name, owner) for _, name in available},
        "samples": [[f"sample/{one['file']}", one["title"]] for one in samples()],
        "opened": {
            name: {"weights": file, "said": models.said_in_python(name, owner)}
            for _, name in available
            if (file := models.file_in_python(name, owner))
        },
    }


# --- what is shown


@router.get("/picture.jpg")
def picture(
    row: str, services: Served, secret: Secret, is_gone: IsGone, model: str = "", size: int = 224
) -> Response:
    def work() -> Response:
        found = find_row(services, secret, row)
        seen = seen_by(services, secret, found, model, size=size, is_gone=is_gone)
        return jpeg(seen.fitted.picture, LONGEST)

    return or_sentence(work)


@router.get("/filled")
def filled(
    services: Served,
    secret: Secret,
    is_gone: IsGone,
    asked: Annotated[Asked, Depends()],
    form: Form = "page",
) -> Response:
    from dino_core.scenes.tray import tray_scene

    def make() -> Any:
        rows, chosen = [find_row(services, secret, row) for row in asked.rows], chosen_of(asked)
        look = looking(services, secret, rows, asked, is_gone)
        return tray_scene(len(rows), look, chosen, titles_of(services, secret, asked))

    return respond(form, make)


@router.get("/print")
def printed(
    services: Served,
    secret: Secret,
    is_gone: IsGone,
    asked: Annotated[Asked, Depends()],
    paper: Annotated[Paper, Depends()],
) -> Response:
    from dino_core.scenes.tray import print_tray

    def make() -> Any:
        rows, chosen = [find_row(services, secret, row) for row in asked.rows], chosen_of(asked)
        look = looking(services, secret, rows, asked, is_gone)
        return print_tray(len(rows), look, chosen, source_of(services, secret, rows, asked))

    return on_paper(make, paper)


def chosen_of(asked: Asked) -> Any:
    from dino_core.scenes.tray import parse_tray

    return parse_tray(
        asked.columns,
        asked.preset,
        flip=asked.flip,
        robust=asked.robust,
        align=asked.align,
        k=asked.k,
        seed=asked.seed,
    )


def titles_of(services: Services, secret: str, asked: Asked) -> list[str]:
    """What a person is shown as the names of the models."""
    owner, models = owner_of(secret), services.models
    return [models.title_of(name or models.default, owner) for name in asked.models]


def said_name(services: Services, name: str, owner: str) -> str:
    """What the command calls the model: a visitor's file is named there as the visitor has it."""
    models = services.models
    said = models.backbone(name, owner=owner).name
    if is_checkpoint(name) and said == models.checkpoint(owner, name)[0].stem:
        return PurePosixPath(models.file_in_python(name, owner)).stem
    return said


def source_of(services: Services, secret: str, rows: Sequence[Row], asked: Asked) -> Any:
    """What a command opens: names of models, or the files of those that have none."""
    from dino_core.scenes.printing import said_in_words
    from dino_core.scenes.tray import TraySource

    owner, models = owner_of(secret), services.models
    names = [model or models.default for model in asked.models]
    files = [models.file_in_python(name, owner) for name in names]
    return TraySource(
        pictures=tuple(row.path for row in rows),
        models=tuple(said_name(services, name, owner) for name in names),
        opened=tuple(
            {"file": file} if file else {"name": name}
            for name, file in zip(names, files, strict=True)
        ),
        size=asked.size,
        said=tuple(said_in_words(models.said_in_python(name, owner)) for name in names),
    )
