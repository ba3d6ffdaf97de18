"""whatif --screen: every head, or attention and MLP of every block, changed one at a time."""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import write_figure
from dino_core.cli.files import (
    array,
    check_same_size,
    fit,
    leave_out_unreadable,
    look,
    read,
    report,
    save,
    stack,
)
from dino_core.cli.weights import load_weights
from dino_core.cli.whatif_references import References

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from torch import Tensor

    from dino_core.gallery.screening import AccuracyChange, Labelled
    from dino_core.weights import Backbone
    from dino_core.whatif import Plan, Screened

VALUES = "zero,mean,noise,other"


def screen_pictures(args: argparse.Namespace, target: "Path") -> None:
    from dino_core import figures
    from dino_core.whatif import Plan

    named = tuple(word.strip() for word in (args.values or VALUES).split(","))
    plan = Plan(args.screen, checked_kinds(named), args.seed)
    leave_out_unreadable(args)
    backbone = load_weights(args)
    check_same_size(args, backbone, instead="")
    gallery = of_gallery(args, backbone) if args.gallery else None
    needed = bool({"mean", "noise", "other"} & set(plan.values))
    references = References(args, backbone, measured=plan.needs_statistics, needed=needed)
    before, rows = screened_pictures(args, backbone, plan, references)
    names = ("effect_cls", "effect_patches")
    by_picture = stack([{name: array(getattr(row, name)) for name in names} for row in rows])
    arrays = {name: effect.transpose(1, 2, 3, 0) for name, effect in by_picture.items()}
    lines = []
    if gallery is not None:
        from dino_core.gallery.screening import accuracy_change

        change = accuracy_change(before, rows, gallery)
        lines.append(accuracy_words(change, plan))
        arrays |= {"accuracy": array_of(change.before), "accuracy_change": change.change}
    save(target, arrays)
    units = plan.unit_names(backbone.vit)
    write_figure(
        args,
        lambda _: figures.screening(
            arrays["effect_cls"], arrays["effect_patches"], values=plan.values, units=units
        ),
    )
    lines = [*strongest(arrays, plan, units), *lines, f"Effects -> {args.output}"]
    report("\n".join(lines), backbone)


def screened_pictures(
    args: argparse.Namespace, backbone: "Backbone", plan: "Plan", references: References
) -> "tuple[list[Tensor], list[Screened]]":
    """The class token of each picture as it is [D], and its screening."""
    from tqdm import tqdm

    from dino_core.whatif import screened

    before, found = [], []
    total = len(args.images) * plan.forwards(backbone.vit)
    with tqdm(total=total, desc="screening", unit="forward", delay=1, mininterval=0.5) as bar:
        for path in args.images:
            seen = look(backbone, fit(path, args, backbone))
            before.append(seen.normed[0])
            found.append(
                screened(
                    backbone,
                    seen,
                    plan,
                    references.reference,
                    bar.update,
                    statistics=references.statistics,
                )
            )
    return before, found


def of_gallery(args: argparse.Namespace, backbone: "Backbone") -> "Labelled":
    """The gallery's labelled pictures, and which of them the images are.

    ValueError for one without labels or of another model, and for an image that is none of it.
    """
    from dino_core.gallery.folder import GalleryFolder, NotReady, digest_of
    from dino_core.gallery.screening import is_labelled, labelled

    store = GalleryFolder(args.gallery)
    try:
        facts, labels = store.facts(), store.listing().labels()
    except NotReady as wait:
        raise ValueError(f"{args.gallery}: {wait.words}") from None
    if facts["model"] != backbone.name:
        raise ValueError(
            f"The pictures of {args.gallery} were seen with {facts['model']}, not with "
            f"{backbone.name}: name the same model."
        )
    if not is_labelled(store):
        raise ValueError(f"{args.gallery} has no classes to tell apart: k-NN needs labels.")
    rows = []
    for path in args.images:
        row = store.find(digest_of(read(path, args)))
        if row is None or labels[row] < 0:
            what = "is none of the pictures of" if row is None else "has no label in"
            raise ValueError(f"{path} {what} {args.gallery}: leave it out.")
        rows.append(row)
    return labelled(store, rows)


def accuracy_words(change: "AccuracyChange", plan: "Plan") -> str:
    """The accuracy as it is, and the range of it after each change."""
    low, high = (100 * (change.before + end) for end in (change.change.min(), change.change.max()))
    return (
        f"20-NN accuracy {100 * change.before:.1f} %; after each change of {plan.parts} from "
        f"{low:.1f} to {high:.1f} %"
    )


def array_of(number: float) -> "np.ndarray":
    import numpy as np

    return np.array(number, np.float32)


def checked_kinds(names: Iterable[str]) -> Any:
    """The values as they are called. ValueError for one that there is not."""
    from dino_core.whatif.words import PLAIN

    names = tuple(names)
    wrong = [name for name in names if name not in PLAIN]
    if wrong:
        raise ValueError(f"--values are {', '.join(PLAIN)}, not {wrong[0]!r}.")
    return names


def strongest(arrays: "dict[str, np.ndarray]", plan: "Plan", units: list[str]) -> list[str]:
    """For each value what changes the class token most, on average over the pictures."""
    lines = []
    for value, effect in zip(plan.values, arrays["effect_cls"].mean(-1), strict=True):
        block, unit = divmod(int(effect.argmax()), effect.shape[1])
        lines.append(
            f"{value}: mean effect on the class token {effect.mean():.4f}, most by {units[unit]} "
            f"of block {block}, {effect.max():.4f}"
        )
    return lines
