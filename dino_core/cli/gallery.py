"""The commands of many pictures: embed, evaluate, gallery.

    python -m dino_core embed pictures.zip --output features.parquet
    python -m dino_core evaluate --train train.zip --test test.zip --method knn --output knn.json
    python -m dino_core gallery pictures.zip --output galleries/first

Nothing here imports torch before a command runs.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import (
    CHART,
    Option,
    add_command,
    count,
    figure_option,
    positive,
    write_figure,
)

if TYPE_CHECKING:
    from dino_core.datasets import Pictures
    from dino_core.embedding.embed import Embedded
    from dino_core.embedding.preparation import Preparation
    from dino_core.weights import Backbone

DATA = "a folder or zip of pictures, a table of paths and labels, or samples: the project's own"
SHOWN = 5  # broken files that are named in the terminal


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers, each with `run` as its default."""
    for run, add_options in (
        (embed, embed_options),
        (evaluate, evaluate_options),
        (gallery, gallery_options),
    ):
        add_command(commands, run, add_options)


# --- embed


def embed_options(option: Option) -> None:
    option("data", metavar="DATA", help=DATA)
    option("--output", required=True, metavar="FILE", help="ends in .parquet or .npz")
    option("--layers", action="store_true", help="class token and mean patch of every layer too")
    model_options(option)
    choice_options(option)


def embed(args: argparse.Namespace) -> None:
    """Features of many pictures, as a table.

    For each picture its name, label, class and split (from the folders it lies in), the class token
    and the mean of the patch tokens after the final norm (float32), and with --layers both after
    every block (float16). Broken files are named and left out. What is computed is kept by the
    content of each file: an interrupted run goes on where it was, and doing it again takes seconds.
    """
    from dino_core.embedding.tables import check_target, write
    from dino_core.gallery.sources import pictures_of

    target = check_target(Path(args.output))
    pictures = reported(pictures_of(args.data, **choice_of(args)))
    backbone, preparation = load(args), preparation_of(args)
    facts = facts_of(args, backbone, preparation)
    with embedding(args, backbone, preparation, args.layers, target) as features:
        embedded = features(pictures, "embed")
        write(target, embedded, facts)
    kept = len(embedded.pictures) - embedded.computed
    again = f", {kept:,} of them known before" if kept else ""
    print(f"{len(embedded.pictures):,} pictures{again} -> {target} ({backbone.info.title})")


# --- evaluate


def evaluate_options(option: Option) -> None:
    option(
        "--train",
        required=True,
        metavar="DATA",
        help="a folder for each class, a zip of it, or a table of paths and labels",
    )
    option(
        "--test",
        required=True,
        metavar="DATA",
        help="the same; may be the same file where it has train/ and test/ folders",
    )
    option("--output", required=True, metavar="FILE.json")
    figure_option(option, "the confusion matrix, a page that opens offline", CHART)
    option("--method", choices=("knn", "logistic", "linear"), default="knn", help="default: knn")
    option(
        "--features",
        choices=("cls", "mean_patch", "both"),
        help="class token, mean of the patch tokens, or both (default: cls; linear tries several)",
    )
    option("--k", type=positive, nargs="+", metavar="K", help="default: 10 20 100 200")
    option("--center", action="store_true", help="k-NN: subtract the training mean first")
    option(
        "--C",
        type=strength,
        default=1.0,
        metavar="C",
        help="logistic: 1 (default), another number, or search: the official 45 values",
    )
    option("--limit-per-class", type=positive, metavar="N", help="the first N pictures of each")
    option(
        "--limit-test",
        type=positive,
        metavar="N",
        help="the same for the test pictures (default: as --limit-per-class)",
    )
    option("--seed", type=int, default=0, metavar="S", help="default: 0")
    model_options(option)
    choice_options(option)


def evaluate(args: argparse.Namespace) -> None:
    """How good frozen features are: a simple classifier learns from A and is tested on B.

    The official protocols: k-NN; logistic regression; linear classifiers. The popular tutorial's is
    --method logistic --size 224 --normalise cifar10 --interpolation bilinear. The file gets the
    accuracy with its 95 % interval (Wilson), the confusion matrix and the worst mistakes.
    """
    from dino_core.embedding.tables import check_target
    from dino_core.evaluation import protocols
    from dino_core.gallery.sources import pictures_of
    from dino_core.jobs import write_json

    target = check_target(Path(args.output), (".json",))
    protocol = protocol_of(args)
    test_limit = args.limit_test or args.limit_per_class
    sources = [reported(pictures_of(name, **choice_of(args))) for name in (args.train, args.test)]
    train = protocols.labelled(sources[0], "train", args.limit_per_class, "--train")
    test = protocols.labelled(sources[1], "test", test_limit, "--test", classes=train.classes)
    test = protocols.same_classes(train, test)
    backbone, preparation = load(args), preparation_of(args)
    with embedding(args, backbone, preparation, protocol.layers, target) as features:
        learned, tested = features(train, "train"), features(test, "test")
        answer = protocols.evaluate(learned, tested, protocol)
    answer |= {
        "method": protocol.method,
        "features": protocol.features if protocol.method != "linear" else "several",
        "trained_on": len(learned.pictures),
        "broken": [list(one) for one in (*learned.broken, *tested.broken)],
        **facts_of(args, backbone, preparation),
    }
    write_json(target, answer)
    write_figure(args.figure, lambda: confusion_of(answer))
    if answer["overlap"]:
        print(
            f"Careful: {answer['overlap']:,} of the test pictures are training pictures too, byte "
            f"for byte, so the figure flatters.",
            file=sys.stderr,
        )
    low, high = answer["interval"]
    print(
        f"{100 * answer['accuracy']:.2f} % of {answer['pictures']:,} right ({100 * low:.1f} to "
        f"{100 * high:.1f}), {how(answer)} -> {target} ({backbone.info.title})"
    )


def confusion_of(answer: dict[str, Any]) -> dict[str, Any]:
    from dino_core.figures import confusion

    return {"confusion": confusion(answer["confusion"], answer["classes"])}


def protocol_of(args: argparse.Namespace) -> Any:
    from dino_core.evaluation.protocols import KS, Protocol

    if args.method == "linear" and args.features:
        raise ValueError("--method linear tries the official features: leave --features out.")
    return Protocol(
        method=args.method,
        features=args.features or "cls",
        ks=tuple(args.k or KS),
        center=args.center,
        C=args.C,
        seed=args.seed,
    )


def how(answer: dict[str, Any]) -> str:
    """The method in a few words."""
    if answer["method"] == "knn":
        return f"{answer['k']}-NN on {answer['features']}"
    if answer["method"] == "logistic":
        return f"logistic regression on {answer['features']}, C = {answer['C']:.4g}"
    chosen = answer["chosen"]
    mean = " and the mean patch" if chosen["mean_patch"] else ""
    return f"linear on the last {chosen['blocks']} class tokens{mean}, rate {chosen['rate']:g}"


# --- gallery


def gallery_options(option: Option) -> None:
    option("data", metavar="DATA", help=DATA)
    option("--output", required=True, metavar="DIR", help="new, or one to go on with")
    option("--model", metavar="NAME", help="see the command models (default: the one on this disk)")
    option("--weights", metavar="FILE", help="a checkpoint of your own")
    option("--size", type=positive, default=224, help="px, whole patches (default: 224)")
    option("--seed", type=int, default=0, metavar="S", help="default: 0")
    option("--device", default="cpu", help="cpu (default), cuda, cuda:1")
    option("--threads", type=count, default=0, metavar="N", help="default: all")
    option(
        "--patch-megabytes",
        type=count,
        default=1024,
        metavar="MB",
        help="disk for patch features, which the search of similar patches needs (default: 1024)",
    )
    choice_options(option)


def gallery(args: argparse.Namespace) -> None:
    """Makes the folder behind the page's map of many pictures.

    Features of every layer, thumbnails, maps (PCA, UMAP, t-SNE), clusters and probes. Ctrl-C stops
    after the batch it is in; the same command goes on from there.
    """
    from dino_core.gallery.build import build
    from dino_core.gallery.folder import Options
    from dino_core.gallery.sources import pictures_of

    names = ("model", "weights", "size", "seed", "device", "threads", "patch_megabytes")
    chosen = {name: getattr(args, name) for name in names} | choice_of(args)
    if not Path(args.output, "config.json").exists():
        reported(pictures_of(args.data, **choice_of(args)))
    build(args.data, args.output, Options(**chosen))


# --- what the commands share


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
    option(
        "--stretch",
        action="store_true",
        help="show 16-bit pictures from the smallest to the largest value that occurs in them",
    )


def choice_of(args: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(args, name) for name in ("include", "exclude", "stretch")}


def reported(pictures: "Pictures") -> "Pictures":
    """The same, after saying how its folders were understood and what is left out."""
    for sentence in pictures.summary():
        print(f"{pictures.source.name}: {sentence}", file=sys.stderr)
    return pictures


def model_options(option: Option) -> None:
    option("--model", metavar="NAME", help="see the command models (default: the one on this disk)")
    option("--weights", metavar="FILE", help="a checkpoint of your own")
    option("--heads", type=positive, metavar="A", help="of a checkpoint that does not tell")
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
    option("--no-cache", action="store_true", help="forget the features when done")


def load(args: argparse.Namespace) -> "Backbone":
    import torch

    from dino_core.weights import load_backbone

    return load_backbone(
        args.model,
        args.weights,
        device=args.device,
        dtype=getattr(torch, args.dtype),
        heads=args.heads,
    )


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
            say_broken(found.broken)
            return found

        yield features


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A bar with the time left, once the first second has passed."""
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit="picture", delay=1, mininterval=0.5) as bar:
        yield bar.update


def say_broken(broken: tuple[tuple[str, str], ...]) -> None:
    """Names the files that were left out, the first of them; all are in the output."""
    if not broken:
        return
    print(f"Left out were {len(broken):,} that cannot be used:", file=sys.stderr)
    for name, why in broken[:SHOWN]:
        print(f"  {name}: {why}", file=sys.stderr)
    if len(broken) > SHOWN:
        print(f"  and {len(broken) - SHOWN:,} more, named in the file.", file=sys.stderr)


def strength(text: str) -> float | None:
    if text == "search":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a positive number nor search")
    return value


def size(text: str) -> int | tuple[int, int] | str:
    if text == "native":
        return text
    match = re.fullmatch(r"([1-9]\d{0,5})(?:x([1-9]\d{0,5}))?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is neither native, nor N, nor HEIGHTxWIDTH")
    return (int(match[1]), int(match[2])) if match[2] else int(match[1])
