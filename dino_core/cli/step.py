"""step: one training step in slow motion."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import (
    Option,
    add_command,
    figure_option,
    one_for_a_figure,
    positive,
    write_figure,
)
from dino_core.cli.files import (
    array,
    leave_out_unreadable,
    pair_options,
    read_with_others,
    report,
    save,
    stretch_option,
)
from dino_core.cli.outputs import OF_SEVERAL, output_files

if TYPE_CHECKING:
    import numpy as np

    from dino_core.slow_motion import Choices, RecordedStep, Session


def step_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    pair_options(
        option,
        pair=" (default: the small pair that comes with the project, trained from scratch on "
        "CIFAR-10)",
        seed="of crops and masks (default: 0)",
    )
    option(
        "--steps",
        type=positive,
        default=1,
        metavar="N",
        help="in a row, the last is recorded in full",
    )
    option(
        "--learning-rate",
        type=float,
        metavar="LR",
        help="default: what the pair's schedule has nine tenths through",
    )
    for name, default in (("dino", 1.0), ("ibot", 1.0), ("koleo", 0.1)):
        option(
            f"--{name}-weight",
            type=float,
            default=default,
            metavar="W",
            help=f"of this loss (default: {default:g}, as in the paper)",
        )
    stretch_option(option)
    option("--output", metavar="FILE.npz", help=f"write what was recorded there; {OF_SEVERAL}")
    figure_option(
        option,
        "charts that open offline: gradients by layer, whose they are, how far the weights moved, "
        "the losses before and after; of one picture",
        ("html",),
    )


def step(args: argparse.Namespace) -> None:
    """One real training step on a picture and its companions, recorded line by line.

    A copy of the pair learns; nothing is written but what is asked for. Prints the losses before
    and after the step on the same crops, the gradients' lengths and what clipping left of them.

    The NPZ holds, of the last step, n layers and m losses (names in layers, terms):
      gradient_norms [n]       length of the gradients, before clipping
      term_norms [n, m]        of each loss alone      shares [n, m]   rows add up to 1
      cosines [m, m]           between the losses' gradients, over all layers
      weights, moved, teacher_moved, apart [n]   lengths of the student's weights, of its and the
                               teacher's change, and of what is between them afterwards
      before, after [m]        the losses with their weights, same crops and targets
      dino [2 + L, 2, B], ibot [M], koleo [2, B]   the losses' terms, in nats
      masks [2B, P]            bool, first crop of all pictures, then second
      lines, values            what each line left behind: FILE:LINE, and NAME = what it holds
    and loss_before, loss_after [steps] of every step in a row.

    Of several pictures each has a step of its own, of the pair as it was.
    """
    from dino_core.runs.pretrained_heads import CIFAR_PAIR
    from dino_core.runs.progress import open_pair
    from dino_core.slow_motion import Session

    one_for_a_figure(args)
    targets = output_files(args.images, args.output, ".npz")
    several = len(args.images) > 1
    leave_out_unreadable(args)
    leave_out_unreadable(args, "references")
    pair, config, _ = open_pair(args.pair or CIFAR_PAIR)
    for path in args.images:
        picture, others = read_with_others(path, args)
        if several:
            print(path)
        session = Session(pair, config, [picture, *others], _choices(args))
        _record(session, targets.get(path), args)


def _record(session: "Session", target: str | None, args: argparse.Namespace) -> None:
    """The steps of one picture, printed and written."""
    before, after = [], []
    for number in range(args.steps):
        recorded = session.step()
        before.append(recorded.result.loss)
        after.append(recorded.loss_after)
        if number < args.steps - 1:
            print(f"step {number}: loss {before[-1]:.4f} -> {after[-1]:.4f}", flush=True)
    print("\n".join(as_table(recorded)))
    if target:
        save(Path(target), arrays_of(recorded, before, after))
        report(f"Step -> {target}")
    write_figure(args, lambda _: _charts(recorded, before, after))


def _choices(args: argparse.Namespace) -> "Choices":
    from dino_core.slow_motion import Choices

    return Choices(
        args.seed,
        args.targets,
        args.temperature,
        args.learning_rate,
        dino_weight=args.dino_weight,
        ibot_weight=args.ibot_weight,
        koleo_weight=args.koleo_weight,
    )


def as_table(recorded: "RecordedStep") -> list[str]:
    """Lines for a person: each loss before and after, and the gradients of the three networks."""
    result, after = recorded.result, recorded.terms_after
    rows = [(name, value, after[name]) for name, value in result.terms.items()]
    rows.append(("loss", result.loss, recorded.loss_after))
    lines = [f"{'':12}{'before':>10}{'after':>10}"]
    lines += [f"{name:12}{was:10.4f}{now:10.4f}" for name, was, now in rows]
    lines.append(f"{'':12}{'gradient':>10}{'kept':>10}")
    clipped = recorded.clipped
    lines += [f"{n:12}{x:10.4f}{clipped[n]:10.1%}" for n, x in result.gradient_norms.items()]
    return lines


def arrays_of(
    recorded: "RecordedStep", before: list[float], after: list[float]
) -> "dict[str, np.ndarray]":
    import numpy as np

    gradients, moved, result = recorded.gradients, recorded.moved, recorded.result
    tensors = {
        "gradient_norms": recorded.gradient_norms,
        "term_norms": gradients.norms,
        "shares": gradients.shares,
        "cosines": gradients.cosines,
        "weights": moved.weights,
        "moved": moved.student,
        "teacher_moved": moved.teacher,
        "apart": moved.apart,
        "dino": result.dino_terms,
        "ibot": result.ibot_terms,
        "koleo": result.koleo_terms,
        "masks": recorded.batch.masks,
    }
    lines, values = _written(recorded)
    return {
        **{name: array(tensor) for name, tensor in tensors.items()},
        "layers": np.array(recorded.layers),
        "terms": np.array(gradients.terms),
        "before": np.array([result.terms[n] for n in gradients.terms], np.float32),
        "after": np.array([recorded.terms_after[n] for n in gradients.terms], np.float32),
        "loss_before": np.array(before, np.float32),
        "loss_after": np.array(after, np.float32),
        "lines": np.array(lines),
        "values": np.array(values),
    }


def _written(recorded: "RecordedStep") -> tuple[list[str], list[str]]:
    """FILE:LINE of every statement that was run, and what it left behind in words."""
    lines, values = [], []
    for visit in recorded.visits:
        lines.append(f"{recorded.functions[visit.function].file}:{visit.first}")
        values.append("; ".join(f"{value.name} = {value.words()}" for value in visit.values))
    return lines, values


def _charts(recorded: "RecordedStep", before: list[float], after: list[float]) -> dict[str, Any]:
    from dino_core.figures import step as figures

    layers, gradients, moved = recorded.layers, recorded.gradients, recorded.moved
    charts = {
        "losses": figures.before_and_after(recorded.result.terms, recorded.terms_after),
        "gradients": figures.gradient_norms(layers, recorded.gradient_norms.numpy()),
        "shares": figures.loss_shares(layers, gradients.terms, gradients.shares.numpy()),
        "moved": figures.movements(
            layers,
            student=moved.student.numpy(),
            teacher=moved.teacher.numpy(),
            weights=moved.weights.numpy(),
        ),
    }
    if len(before) > 1:
        charts["steps"] = figures.losses_in_a_row(before, after)
    return charts


def add_parsers(commands: Any) -> None:
    """Adds the command to `argparse`'s subparsers."""
    add_command(commands, step, step_options)
