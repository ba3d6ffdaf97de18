"""What a screen shows, as a figure for print: view/KEY/print/VIEW?kind&width&layer&row&column&...

kind=svg, pdf or png is the file that the command writes with --figure; with caption=true its
caption alone, with that command. `width` is column (89 mm), page (183 mm) or so many mm.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response

from app.routes.dependencies import Picture
from app.routes.features import Colours
from app.routes.responses import CACHE_FOR_HOUR, or_sentence

router = APIRouter(prefix="/view/{key}")


@dataclass(frozen=True)
class Printing:
    """What is shown, and the file that is wanted of it; -1 is the class token, and all heads."""

    kind: Literal["svg", "pdf", "png"] = "svg"
    width: str = "page"
    caption: bool = False
    layer: int | None = None
    row: int = -1
    column: int = -1
    head: int = -1
    k: int = 6
    seed: int = 0


@router.get("/print/{view}")
def printed(
    entry: Picture, view: str, colours: Colours, asked: Annotated[Printing, Depends()]
) -> Response:
    from dino_core.scenes.prints import MEDIA, Shown, Source, print_view

    def make() -> Response:
        shown = Shown(
            view,  # type: ignore[arg-type]
            asked.layer,
            None if (asked.row, asked.column) == (-1, -1) else (asked.row, asked.column),
            None if asked.head == -1 else asked.head,
            preset=colours.preset,
            flip=colours.flip,
            changes=colours.changes,
            k=asked.k,
            seed=asked.seed,
        )
        picture = f"static/samples/{entry.sample}" if entry.sample else "picture.jpg"
        source = Source(picture, entry.model, entry.file, entry.size)
        ready, width = print_view(entry.picture.seen, shown, source), wide(asked.width)
        if asked.caption:
            words = ready.caption(asked.kind, width)
            return Response(words, media_type="text/plain", headers=CACHE_FOR_HOUR)
        name = {"Content-Disposition": f'attachment; filename="{view}.{asked.kind}"'}
        data = ready.file(asked.kind, width)
        return Response(data, media_type=MEDIA[asked.kind], headers=CACHE_FOR_HOUR | name)

    return or_sentence(make)


def wide(text: str) -> Any:
    """ValueError for what is neither a name nor a number; the figure says which of those go."""
    try:
        return float(text)
    except ValueError:
        return text
