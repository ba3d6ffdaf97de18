"""What a screen shows, as a figure for print: view/KEY/print/VIEW?kind&width&layer&row&column&...

kind=svg, pdf or png is the file that the command writes with --figure; with caption=true its
caption alone, with that command. `width` is column (89 mm), page (183 mm) or so many mm. VIEW is
one of a model, `second` the key of another picture or of this one in another model; or it is crops
or masks, at view/KEY/drawn/VIEW?seed&...
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response

from app.routes.crops import CropOptions
from app.routes.dependencies import Number, Picture
from app.routes.features import Colours, Second
from app.routes.responses import CACHE_FOR_HOUR, or_sentence
from app.state.pictures import Entry

router = APIRouter(prefix="/view/{key}")


@dataclass(frozen=True)
class Paper:
    """The file that is wanted."""

    kind: Literal["svg", "pdf", "png"] = "svg"
    width: str = "page"
    caption: bool = False


@dataclass(frozen=True)
class Printing:
    """What is shown; -1 is the class token, and all heads."""

    layer: int | None = None
    row: int = -1
    column: int = -1
    head: int = -1
    k: int = 6
    seed: int = 0
    second_layer: int | None = None
    object_only: bool = True
    align: str = "rotation"
    robust: bool = False


@router.get("/print/{view}")
def printed(
    entry: Picture,
    view: str,
    colours: Colours,
    second: Second,
    asked: Annotated[Printing, Depends()],
    paper: Annotated[Paper, Depends()],
) -> Response:
    from dino_core.scenes import prints

    def make() -> Any:
        shown = prints.Shown(
            view,
            asked.layer,
            None if (asked.row, asked.column) == (-1, -1) else (asked.row, asked.column),
            None if asked.head == -1 else asked.head,
            preset=colours.preset,
            flip=colours.flip,
            changes=colours.changes,
            k=asked.k,
            seed=asked.seed,
            second_layer=asked.second_layer,
            everywhere=not asked.object_only,
            method=asked.align,
            robust=asked.robust,
        )
        other = None
        if second:
            opened = source_of(second, picture_of(second, entry))
            other = prints.Second(second.picture.seen, opened)
        return prints.print_view(entry.picture.seen, shown, source_of(entry), other)

    return on_paper(make, paper)


@router.get("/drawn/{view}")
def drawn(
    entry: Picture,
    view: str,
    options: CropOptions,
    paper: Annotated[Paper, Depends()],
    seed: int = 0,
    blur: str = "as run",
    ratio: Number = 0.3,
) -> Response:
    from dino_core.scenes.prints import Drawn, print_drawn

    picture, patch_size = entry.picture.source, entry.picture.scene.patch_size
    wanted = Drawn(view, seed, blur, ratio, options)
    return on_paper(lambda: print_drawn(picture, wanted, source_of(entry), patch_size), paper)


def source_of(entry: Entry, picture: str = "") -> Any:
    """What a command opens to see the same."""
    from dino_core.scenes.printing import Source, said_in_words

    own = f"static/samples/{entry.sample}" if entry.sample else "picture.jpg"
    said = said_in_words(entry.said)
    return Source(picture or own, entry.model, entry.file, entry.size, said)


def picture_of(second: Entry, first: Entry) -> str:
    """What the second picture is called, where it is neither a sample nor the first once more."""
    is_another = second.picture.source is not first.picture.source
    return "second.jpg" if is_another and not second.sample else ""


def on_paper(make: Callable[[], Any], paper: Paper) -> Response:
    """A `Printed` as the file that is wanted, or its caption."""
    from dino_core.scenes.printing import MEDIA

    def work() -> Response:
        ready, width = make(), wide(paper.width)
        if paper.caption:
            words = ready.caption(paper.kind, width)
            return Response(words, media_type="text/plain", headers=CACHE_FOR_HOUR)
        name = {"Content-Disposition": f'attachment; filename="{ready.name}.{paper.kind}"'}
        data = ready.file(paper.kind, width)
        return Response(data, media_type=MEDIA[paper.kind], headers=CACHE_FOR_HOUR | name)

    return or_sentence(work)


def wide(text: str) -> Any:
    """ValueError for what is neither a name nor a number; the figure says which of those go."""
    try:
        return float(text)
    except ValueError:
        return text
