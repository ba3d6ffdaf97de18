"""The command line: pictures in, arrays (NPZ) and pictures (PNG) out.

    python -m dino_core features cat.jpg --output cat.npz
    python -m dino_core attention cat.jpg --layer -1 --query 12,20 --output attention
    python -m dino_core pca cat.jpg flower.jpg --preset dinov2-notebook --output pca
    python -m dino_core crops cat.jpg --seed 3 --output crops
    python -m dino_core masks --grid 16x16 --ratio 0.3 --count 100 --seed 0 --output masks.npz
    python -m dino_core losses cat.jpg --seed 3 --output losses.npz
    python -m dino_core models

These are in `cli/`. Exit code 0 when done, 2 for a mistake, which is said in a sentence on standard
error, 130 when interrupted. `--help` and `models` answer at once: no command imports torch before
it runs.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dino_core.cli import add_parsers as add_picture_parsers
from dino_core.cli.command import Option, Run, add_command
from dino_core.cli.export import add_parsers as add_export_parsers
from dino_core.cli.gallery import add_parsers as add_gallery_parsers
from dino_core.cli.training import add_parsers as add_training_parsers

Command = tuple[Run, Callable[[Option], None]]  # what runs, and what adds its options


def main(argv: Sequence[str] | None = None, *, more: Sequence[Command] = ()) -> int:
    """Runs one command and returns the exit code. argparse itself exits with 2 as well.

    `more` are commands of whoever builds on this library.
    """
    args = build_parser(more).parse_args(argv)
    code = 2
    try:
        args.run(args)
        return 0
    except KeyboardInterrupt:
        code, sentence = 130, "Stopped."
    except ValueError as error:
        sentence = str(error)
    except OSError as error:
        sentence = f"{error.filename or 'The system says'}: {error.strerror or error}."
    except (MemoryError, RuntimeError) as error:  # PyTorch says RuntimeError when memory is short
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        sentence = "There is not enough memory for this: choose a smaller --size or --model."
    print(sentence, file=sys.stderr)  # not above: a progress bar ends its line when `error` goes
    return code


def build_parser(more: Sequence[Command] = ()) -> argparse.ArgumentParser:
    started_as_module = Path(sys.argv[0]).name == "__main__.py"
    parser = argparse.ArgumentParser(
        prog="python -m dino_core" if started_as_module else None,
        description="See what happens inside DINOv2. COMMAND --help says more.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_picture_parsers(commands)
    add_command(commands, models, models_options, argparse.HelpFormatter)
    add_training_parsers(commands)
    add_gallery_parsers(commands)
    add_export_parsers(commands)
    for run, add_options in more:
        add_command(commands, run, add_options)
    return parser


# --- models


def models_options(option: Option) -> None:
    option("--download", metavar="NAME", help="fetch the weights of this model from its publisher")


def models(args: argparse.Namespace) -> None:
    """The models known by name, and whose weights are on this disk."""
    from dino_core.weights import catalogue, default_model

    if args.download:
        print(f"{args.download} is at {download_with_progress(args.download)}")
        return
    default = default_model()
    for variant in catalogue():
        where = variant.path or f"not here: {variant.megabytes} MB from {variant.url}"
        chosen = " (default)" if variant.name == default else ""
        print(f"{variant.name}{chosen}: {variant.title}, {variant.parameters:,} parameters")
        print(f"    weights: {where}")
        print(f"    source: {variant.source}; licence: {variant.licence}")


def download_with_progress(name: str) -> Path:
    from tqdm import tqdm

    from dino_core.weights import download

    with tqdm(desc=name, unit="B", unit_scale=True, delay=0.5) as bar:

        def progress(received: int, total: int | None) -> None:
            bar.total = total
            bar.update(received - bar.n)

        return download(name, progress=progress)


if __name__ == "__main__":
    sys.exit(main())
