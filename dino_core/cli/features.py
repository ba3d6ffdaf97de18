"""What the commands about many pictures share: which pictures, which features, progress."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import Option, positive, size
from dino_core.cli.files import stretch_option
from dino_core.cli.weights import weights_options

if TYPE_CHECKING:
    from dino_core.datasets import Pictures
    from dino_core.embedding.embed import Embedded
    from dino_core.embedding.preparation import Preparation
    from dino_core.weights import Backbone

DATA = (
    "a folder or zip of pictures, a table of paths and labels, shards (a tar, a folder of them, "
    "set-{000..999}.tar), Parquet with pictures inside, or samples: the project's own"
)
FILES_NAMED = 5  # broken files that are named in the terminal


def choice_options(option: Option) -> None:
    option(
        "--include",
        nargs="+",
        default=(),
        metavar="NAME",
        help="folders or files to take although their name speaks against it, such as masks",
    )
    option(
        "--exclude",
        nargs="+",
        default=(),
        metavar="NAME",
        help="folders or files to leave out; patterns such as *_small.jpg as well",
    )
    stretch_option(option)


def choice_of(args: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(args, name) for name in ("include", "exclude", "stretch")}


def reported(pictures: "Pictures") -> "Pictures":
    """The same, after saying how its folders were understood and what is left out."""
    for sentence in pictures.summary():
        print(f"{pictures.source.name}: {sentence}", file=sys.stderr)
    return pictures


def model_options(option: Option) -> None:
    weights_options(option)
    option(
        "--size",
        type=size,
        default=224,
        help="N: side, or short side; HxW: exactly; native: as each picture is (default: 224)",
    )
    option(
        "--fit",
        choices=("crop", "official", "resize", "pad"),
        default="crop",
        help="crop: the middle square; official: the middle of a picture that is 256/224 larger; "
        "resize, pad: all of it, in whole patches (default: crop)",
    )
    option("--normalise", choices=("imagenet", "cifar10"), default="imagenet")
    option("--interpolation", choices=("bicubic", "bilinear"), default="bicubic")
    option("--batch", type=positive, default=32, metavar="B", help="pictures at once (default: 32)")
    option("--threads", type=positive, default=2, metavar="N", help="that decode (default: 2)")
    option("--device", default="cpu", help="cpu (default), cuda, cuda:1, mps")
    option("--dtype", choices=("float32", "bfloat16"), default="float32", help="default: float32")
    option(
        "--part",
        type=positive,
        default=1024,
        metavar="N",
        help="pictures in a part, where features go into a folder of parts (default: 1024)",
    )
    option("--no-cache", action="store_true", help="forget the features when done")


def preparation_of(args: argparse.Namespace) -> "Preparation":
    from dino_core.embedding.preparation import Preparation

    size = None if args.size == "native" else args.size
    return Preparation(size, args.fit, args.interpolation, args.normalise)


def facts_of(
    args: argparse.Namespace, backbone: "Backbone", preparation: "Preparation"
) -> dict[str, Any]:
    """What a file says about how it was made."""
    return {
        "model": backbone.name,
        "title": backbone.info.title,
        "official": backbone.info.official,
        "dtype": args.dtype,
        "preparation": vars(preparation),
    }


@contextmanager
def embedding(
    args: argparse.Namespace,
    backbone: "Backbone",
    preparation: "Preparation",
    layers: bool,
    target: Path,
) -> Iterator[Callable[["Pictures", str], "Embedded"]]:
    """A function (pictures, what they are) -> features, with a progress bar and what was broken."""
    from dino_core.embedding import embed as library

    instead = target if args.no_cache else None
    with library.cache_for(backbone, preparation, layers, instead) as cache:

        def features(pictures: "Pictures", what: str) -> "Embedded":
            with progress(len(pictures), what) as advance:
                found = library.embed(
                    backbone,
                    pictures,
                    preparation,
                    cache,
                    batch_size=args.batch,
                    threads=args.threads,
                    progress=advance,
                )
            report_broken(found.broken)
            return found

        yield features


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A bar with the time left, once the first second has passed."""
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit="picture", delay=1, mininterval=0.5) as bar:
        yield bar.update


def report_broken(broken: Sequence[tuple[str, str]], count: int | None = None) -> None:
    """Names the files that were left out, the first of them; all are in the output."""
    if not broken:
        return
    count = len(broken) if count is None else count
    print(f"Left out were {count:,} that cannot be used:", file=sys.stderr)
    for name, why in broken[:FILES_NAMED]:
        print(f"  {name}: {why}", file=sys.stderr)
    if count > FILES_NAMED:
        print(f"  and {count - FILES_NAMED:,} more, named in the file.", file=sys.stderr)
