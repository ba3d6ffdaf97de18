"""How a function becomes a command of `python -m dino_core`.

Its name is the command's, its docstring the command's help, and what it takes is one
`argparse.Namespace`. Another function adds its options.
"""

import argparse
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Run = Callable[[argparse.Namespace], int | None]  # -> an exit code, None for 0
Option = Callable[..., Any]  # ArgumentParser.add_argument
Width = Any  # of a figure: column, page, or mm
Size = int | tuple[int, int] | Literal["native"]  # short side, (height, width), or as it is


def add_command(
    commands: Any,
    run: Run,
    add_options: Callable[[Option], None],
    formatter: type[argparse.HelpFormatter] = argparse.RawDescriptionHelpFormatter,
) -> argparse.ArgumentParser:
    """Adds a command to `argparse`'s subparsers: whoever has parsed calls `args.run(args)`.

    The list of commands shows the first sentence of the docstring, the command's own help all of
    it, line by line as it was written unless `formatter` says otherwise.
    """
    words = inspect.cleandoc(run.__doc__ or "")
    command: argparse.ArgumentParser = commands.add_parser(
        run.__name__,
        help=words.split(".\n")[0].rstrip("."),
        description=words,
        formatter_class=formatter,
    )
    command.set_defaults(run=run)
    add_options(command.add_argument)
    return command


# --- figures

PRINT = ("svg", "pdf", "png", "html")  # a panel of pictures
CHART = ("html",)  # charts with axes, one file that opens offline


def figure_option(option: Option, what: str, endings: tuple[str, ...] = PRINT) -> None:
    """--figure FILE; an ending that is not one of these is refused before the long work."""

    def file(text: str) -> Path:
        from dino_core.figures.files import check_ending

        try:
            return check_ending(text, tuple(f".{ending}" for ending in endings))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    option("--figure", type=file, metavar=f"FILE.{'|'.join(endings)}", help=what)
    if "svg" in endings:
        option(
            "--figure-width",
            type=width,
            default="page",
            metavar="MM",
            help="of a panel: column (89 mm), page (183 mm, default), or so many mm",
        )
        option(
            "--figure-dpi", type=positive, default=300, metavar="DPI", help="of a PNG, default: 300"
        )


def write_figure(
    args: argparse.Namespace,
    draw: "Callable[[Width], Figure | dict[str, Any]]",
    charts: "Callable[[], dict[str, Any]] | None" = None,
) -> None:
    """What `draw` draws at a width, a panel or charts, when --figure was given.

    A panel's caption, its own words and the command that repeats it, goes into the file and is
    printed; `charts` stand below it on a page.
    """
    if args.figure is None:
        return
    from dino_core.figures.files import label_of, save

    figure = draw(getattr(args, "figure_width", "page"))
    if isinstance(figure, dict):
        save(figure, args.figure)
        return
    caption = f"{label_of(figure)}. Repeated by: {args.line}"
    below = charts() if charts and args.figure.suffix.lower() == ".html" else None
    save(figure, args.figure, dpi=args.figure_dpi, caption=caption, charts=below)
    print(f"Figure -> {args.figure}\n{caption}")


def one_for_a_figure(args: argparse.Namespace) -> None:
    """ValueError, before the work, for more pictures than this figure shows."""
    if args.figure and len(args.images) > 1:
        raise ValueError("This figure shows one picture: give one, or no --figure.")


# --- words -> values, as types of options


def size(text: str) -> Size:
    if text == "native":
        return "native"
    match = re.fullmatch(r"([1-9]\d{0,5})(?:x([1-9]\d{0,5}))?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is neither native, nor N, nor HEIGHTxWIDTH")
    return (int(match[1]), int(match[2])) if match[2] else int(match[1])


def width(text: str) -> float | str:
    if text in ("column", "page"):
        return text
    try:
        millimetres = float(text)
    except ValueError:
        millimetres = 0
    if not 30 <= millimetres <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is neither column, nor page, nor 30 to 1000 mm")
    return millimetres


def grid(text: str) -> tuple[int, int]:
    return two_numbers(text, "x", "a grid such as 16x16")


def patch(text: str) -> tuple[int, int]:
    return two_numbers(text, ",", "a patch such as 3,7 (row, column)")


def two_numbers(text: str, between: str, wanted: str) -> tuple[int, int]:
    match = re.fullmatch(rf"(\d+){between}(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
    return int(match[1]), int(match[2])


def count(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def ratio(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value
