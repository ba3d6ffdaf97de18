"""evaluate: how good frozen features are."""

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import CHART, Option, figure_option, positive, write_figure
from dino_core.cli.features import (
    choice_of,
    choice_options,
    embedding,
    facts_of,
    model_options,
    preparation_of,
    reported,
)
from dino_core.cli.parts import several_processes, work_in_parts
from dino_core.cli.weights import load_weights

if TYPE_CHECKING:
    from dino_core.datasets import Pictures
    from dino_core.embedding.embed import HasFeatures
    from dino_core.evaluation.protocols import Protocol
    from dino_core.weights import Backbone


def evaluate_options(option: Option) -> None:
    option(
        "--train",
        required=True,
        metavar="DATA",
        help="a folder for each class, a zip of it, a table of paths and labels, or shards",
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
        "--exact",
        action="store_true",
        help="k-NN: compare all pairs above 20,000 training pictures too, instead of an index",
    )
    option(
        "--C",
        type=strength,
        default=1.0,
        metavar="C",
        help="logistic: 1 (default), another number, or search: the official 45 values",
    )
    option("--layers", action="store_true", help="k-NN of every layer as well; names the best")
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
    accuracy with its 95 % interval (Wilson), the confusion matrix and the worst mistakes; with
    --layers also what every layer of the same weights is good for.
    """
    from dino_core.embedding.tables import check_target

    target = check_target(Path(args.output), (".json",))
    protocol = protocol_of(args)
    folder = target.with_suffix(".features")
    if several_processes() or folder.is_dir():  # a job that several have begun, one can end
        evaluate_in_parts(args, protocol, target, folder)
        return
    train, test = labelled_sets(args)
    backbone, preparation = load_weights(args), preparation_of(args)
    with embedding(args, backbone, preparation, protocol.layers, target) as features:
        learned, tested = features(train, "train"), features(test, "test")
        judge(args, protocol, learned, tested, backbone)


def evaluate_in_parts(
    args: argparse.Namespace, protocol: "Protocol", target: Path, folder: Path
) -> None:
    """The features by all processes, the classifier by the first."""
    with work_in_parts(args, lambda: labelled_sets(args)) as work:
        train, test = work.made
        learned = work.embed(train, folder / "train", "train", layers=protocol.layers)
        tested = work.embed(test, folder / "test", "test", layers=protocol.layers)
        if learned is not None and tested is not None:
            judge(args, protocol, learned, tested, work.backbone)
            if args.no_cache:
                shutil.rmtree(folder)


def labelled_sets(args: argparse.Namespace) -> tuple["Pictures", "Pictures"]:
    """What is learned from, and what is tested on, with the same classes."""
    from dino_core.evaluation import protocols
    from dino_core.gallery.sources import pictures_of

    test_limit = args.limit_test or args.limit_per_class
    sources = [reported(pictures_of(name, **choice_of(args))) for name in (args.train, args.test)]
    train = protocols.labelled(sources[0], "train", args.limit_per_class, "--train")
    test = protocols.labelled(sources[1], "test", test_limit, "--test", classes=train.classes)
    return train, protocols.same_classes(train, test)


def judge(
    args: argparse.Namespace,
    protocol: "Protocol",
    learned: "HasFeatures",
    tested: "HasFeatures",
    backbone: "Backbone",
) -> None:
    """From features to the file, and to what is said."""
    from dino_core.evaluation import protocols
    from dino_core.evaluation.by_layer import best_sentence
    from dino_core.jobs import write_json

    target, preparation = Path(args.output).expanduser(), preparation_of(args)
    answer = protocols.evaluate(learned, tested, protocol)
    answer |= {
        "method": protocol.method,
        "features": protocol.features if protocol.method != "linear" else "several",
        "trained_on": len(learned.pictures),
        "broken": [list(one) for one in (*learned.broken, *tested.broken)],
        **facts_of(args, backbone, preparation),
    }
    write_json(target, answer)
    write_figure(args, lambda _: confusion_of(answer))
    if answer["overlap"]:
        print(
            f"Careful: {answer['overlap']:,} of the test pictures are training pictures too, byte "
            f"for byte, so the figure flatters.",
            file=sys.stderr,
        )
    if "recall" in answer:
        print(answer["recall"]["words"], file=sys.stderr)
    low, high = answer["interval"]
    print(
        f"{100 * answer['accuracy']:.2f} % of {answer['pictures']:,} right ({100 * low:.1f} to "
        f"{100 * high:.1f}), {how(answer)} -> {target} ({backbone.info.title})"
    )
    if "layers" in answer:
        print(f"Of these weights, {best_sentence(answer['layers'])}.")
    else:
        print("Judged is the last layer; --layers says which one does best.", file=sys.stderr)


def confusion_of(answer: dict[str, Any]) -> dict[str, Any]:
    from dino_core.figures import confusion

    return {"confusion": confusion(answer["confusion"], answer["classes"])}


def protocol_of(args: argparse.Namespace) -> "Protocol":
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
        exact=args.exact,
        by_layer=args.layers,
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
