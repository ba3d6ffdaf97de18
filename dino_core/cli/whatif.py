"""whatif: the model's insides changed, and what follows from it."""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import Option, add_command, count, figure_option, write_figure
from dino_core.cli.features import DATA
from dino_core.cli.files import (
    array,
    check_same_size,
    fit,
    from_end,
    layer_option,
    leave_out_unreadable,
    look,
    model_options,
    report,
    save,
    stack,
    with_progress,
)
from dino_core.cli.outputs import output_file
from dino_core.cli.weights import load_weights
from dino_core.cli.whatif_references import References
from dino_core.cli.whatif_screening import VALUES, screen_pictures
from dino_core.config import PCA_PRESETS

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from dino_core.analysis.effects import Effects
    from dino_core.weights import Backbone

MOST_DRAWN = 12  # pictures of a panel


def whatif_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE", help="of one size, or brought to one by --size")
    option(
        "--edit",
        action="append",
        default=[],
        metavar="SITE=VALUE",
        help="one change; several hold together, in the order given",
    )
    option(
        "--screen",
        choices=("heads", "blocks"),
        help="instead of --edit: every head, or attention and MLP of every block, one at a time",
    )
    option(
        "--values",
        metavar="VALUE,VALUE,...",
        help=f"of --screen, from zero, mean, noise, other and own (default: {VALUES})",
    )
    option(
        "--reference",
        default="samples",
        metavar="DATA",
        help=f"what mean, noise and other are taken from: {DATA} (default: samples)",
    )
    option("--seed", type=count, default=0, metavar="S", help="of noise and other (default: 0)")
    option(
        "--gallery",
        metavar="FOLDER",
        help="of --screen: a labelled gallery that the images are from (the command gallery makes "
        "one); what each change does to its k-NN accuracy is written, too",
    )
    option("--output", required=True, metavar="FILE.npz")
    figure_option(
        option,
        "before and after, and the change of every patch; HTML has the change by layer as well. Of "
        "--screen: charts of layers by heads or branches, HTML alone",
    )
    layer_option(option, required=False)
    option(
        "--head", type=count, metavar="H", help="of the figure, from 0 (default: the mean of all)"
    )
    option(
        "--preset",
        choices=PCA_PRESETS,
        default="paper",
        help="of the colours of the figure; default: paper",
    )
    option("--flip", action="store_true", help="of the figure: the other side is the object")
    model_options(option)


def whatif(args: argparse.Namespace) -> None:
    """The model's insides changed, with controls, and what follows from it.

    SITE is tokens:BLOCK (the stream that enters a block), positions, scores:BLOCK.HEAD (attention
    before the softmax), head:BLOCK.HEAD, attention:BLOCK and mlp:BLOCK (what is added to the
    stream), neuron:BLOCK.UNIT (after the nonlinearity or gate) or registers. BLOCK may be
    FIRST-LAST; without .HEAD or .UNIT all are meant, without tokens in [...] all tokens, which are
    cls, registers, patches or ROW,COL, each of the two FIRST-LAST for several, with ; between them.
    All counts begin at 0.

    VALUE is zero; mean (over the reference pictures at this size, by kind of token: the class token
    its own, each register its own, all patches of all pictures one); noise (Gaussian, with that
    mean and each channel's population standard deviation); other (what the first reference picture
    from number --seed on that is not the picture itself has at the same place); own (unchanged). Of
    scores: temperature T (scores / T), or WHO!WHOM (WHO does not see WHOM). Of registers also out.

    For example: head:8.3=mean  attention:5=zero  mlp:7=noise  neuron:4.120=zero
    scores:11.2=temperature 0.5  scores:6-11=cls!patches  tokens:0[3,4;3,5]=mean  registers=out

    The NPZ of --edit holds, in float32 and after the final norm, cls_before and cls_after [B, D],
    patches_before and patches_after [B, h, w, D]; the cosines of before and after cls_cosine [B]
    and patch_cosine [B, h, w]; and, of the stream after each block through the final norm,
    cls_cosine_by_layer [B, layers] and patch_cosine_by_layer [B, layers], the mean over patches.
    The NPZ of --screen holds effect_cls and effect_patches [values, layers, heads or 2, B]: 1 -
    cosine after the final norm, of the class token and the mean over patches. The 2 are attention
    and MLP. With --gallery also accuracy [], the share of the images that their 20 nearest pictures
    classify rightly as they are, and accuracy_change [values, layers, heads or 2].
    """
    target = output_file(args.output, ".npz")
    if bool(args.edit) == bool(args.screen):
        raise ValueError("Give --edit SITE=VALUE, once or several times, or --screen: one of both.")
    if args.values and not args.screen:
        raise ValueError("--values are of --screen: an edit names its own value.")
    if args.gallery and not args.screen:
        raise ValueError("--gallery is of --screen: it says what becomes of k-NN accuracy.")
    if args.screen and args.figure and args.figure.suffix.lower() != ".html":
        raise ValueError("The figure of --screen is of charts: name it FILE.html.")
    if args.edit:
        edit_pictures(args, target)
    else:
        screen_pictures(args, target)


# --- one change


def edit_pictures(args: argparse.Namespace, target: "Path") -> None:
    from dino_core.analysis.effects import effects
    from dino_core.whatif import as_edits, check_changes, parse_changes

    changes = parse_changes(args.edit)
    leave_out_unreadable(args)
    backbone = load_weights(args)
    check_same_size(args, backbone, instead="")
    check_changes(backbone.vit, fit(args.images[0], args, backbone).grid, changes)
    figure = EditFigure(args, ", ".join(map(str, changes)), backbone)
    measured = any(change.needs_statistics for change in changes)
    needed = measured or any(change.needs_other for change in changes)
    references = References(args, backbone, measured=measured, needed=needed)
    rows: list[dict[str, np.ndarray]] = []
    for path in with_progress(args.images):
        seen = look(backbone, fit(path, args, backbone))
        sources = references.sources(seen, changes)
        found = effects(backbone.vit, seen, as_edits(backbone.vit, seen, changes, sources))
        rows.append(arrays_of(found))
        figure.keep(found)
    arrays = stack(rows)
    save(target, arrays)
    figure.write(arrays)
    lines = [
        f"{path}: cosine of the class token {cls:.4f}, of the patches {patches.mean():.4f}"
        for path, cls, patches in zip(
            args.images, arrays["cls_cosine"], arrays["patch_cosine"], strict=True
        )
    ]
    report("\n".join([*lines, f"Before and after -> {args.output}"]), backbone)


class EditFigure:
    """What --figure shows of --edit: a panel of the pictures, and on a page the change by layer.

    Of more than twelve pictures a page has that chart alone. ValueError, before the long work, for
    what cannot be drawn.
    """

    def __init__(self, args: argparse.Namespace, words: str, backbone: "Backbone") -> None:
        self._args, self._words = args, words
        self._layer, heads = from_end(args.layer, backbone), backbone.vit.config.heads
        self._found: list[Effects] = []
        self._is_panel = args.figure is not None and len(args.images) <= MOST_DRAWN
        if args.head is not None and args.head >= heads:
            raise ValueError(f"There are heads 0 to {heads - 1}, not {args.head}.")
        if args.figure and not self._is_panel and args.figure.suffix.lower() != ".html":
            raise ValueError(
                f"A panel has at most {MOST_DRAWN} pictures, not {len(args.images)}: name fewer, "
                "or FILE.html for the change by layer alone."
            )

    def keep(self, found: "Effects") -> None:
        """Another picture; kept only where it is drawn, for it is large."""
        if self._is_panel:
            self._found.append(found)

    def write(self, arrays: "dict[str, np.ndarray]") -> None:
        from dino_core import figures

        args = self._args

        def by_layer() -> dict[str, Any]:
            cosines = arrays["cls_cosine_by_layer"], arrays["patch_cosine_by_layer"]
            return {"change": figures.change_by_layer(*(each.mean(0) for each in cosines))}

        def panel(width: Any) -> Any:
            config = replace(PCA_PRESETS[args.preset], flip=args.flip)
            chosen = {"layer": self._layer, "head": args.head, "config": config}
            return figures.before_and_after(self._found, self._words, width=width, **chosen)

        if self._is_panel:
            write_figure(args, panel, by_layer)
        else:
            write_figure(args, lambda _: by_layer())


def arrays_of(found: Any) -> "dict[str, np.ndarray]":
    before, after = found.before, found.after
    return {
        "cls_before": array(before.normed[0]),
        "cls_after": array(after.normed[0]),
        "patches_before": array(before.normed[before.first_patch :].unflatten(0, before.grid)),
        "patches_after": array(after.normed[after.first_patch :].unflatten(0, after.grid)),
        "cls_cosine": array(found.cls_cosine),
        "patch_cosine": array(found.patch_cosine),
        "cls_cosine_by_layer": array(found.cls_cosine_by_layer),
        "patch_cosine_by_layer": array(found.patch_cosine_by_layer),
    }


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    add_command(commands, whatif, whatif_options)
