"""Experiments: one part of the method switched off or turned too far, to see what it is there for.

Each is a change of the configuration's own numbers and of nothing else: the training step has no
branch for them. `--experiment no-centring no-koleo` makes several of them at once. No torch here.

What each should do is the paper's ablation of it where there is one (table 3), or DINO's (Caron et
al. 2021): section 5.3 and figure 7 of centring and sharpening, each of which alone collapses, in
uniform answers and in a single prototype; sections 5.1 and 5.2 of the teacher's momentum; table 7
of multi-crop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dino_core.runs.presets import RunConfig, with_batch

SMALL_BATCH = 8  # of how many pictures one is left
FASTER = 10  # times the learning rate
CHECKPOINTS = 20  # at least so many in a run that may have to be mended


@dataclass(frozen=True)
class Experiment:
    """A switch of *New run > Experiment*."""

    title: str
    words: str  # what it should do: a sentence, or two
    change: Callable[[RunConfig], RunConfig]


def _with(part: str, **values: Any) -> Callable[[RunConfig], RunConfig]:
    """Other values in one part of the training configuration: `loss`, `schedule`, ..."""

    def change(config: RunConfig) -> RunConfig:
        changed = replace(getattr(config.train, part), **values)
        return replace(config, train=replace(config.train, **{part: changed}))

    return change


def _no_sharpening(config: RunConfig) -> RunConfig:
    flat = config.train.loss.student_temperature
    change = _with("schedule", start_teacher_temperature=flat, teacher_temperature=flat)
    return change(config)


def _small_batch(config: RunConfig) -> RunConfig:
    batch = max(config.batch_size // SMALL_BATCH, 2)  # KoLeo compares two pictures at least
    return with_batch(config, batch)  # in one part


def _faster(config: RunConfig) -> RunConfig:
    rate = config.train.schedule.base_learning_rate
    return _with("schedule", base_learning_rate=FASTER * rate)(config)


EXPERIMENTS: dict[str, Experiment] = {
    "no-centring": Experiment(
        "No centring",
        "The centre stays at 0 and nothing balances the targets: one prototype should win for "
        "every picture, or of few pictures two or three, and the loss falls with nothing learnt.",
        # A moving average with momentum 1 never leaves its start.
        _with("loss", centering="centering", center_momentum=1.0),
    ),
    "no-sharpening": Experiment(
        "No sharpening",
        "The teacher's temperature is the student's: targets are no sharper than the answers to "
        "them, both should become uniform, and the loss sits at ln K.",
        _no_sharpening,
    ),
    "teacher-is-student": Experiment(
        "Teacher = student",
        "Momentum 0: after each step the teacher is the student itself. With centring DINO learnt "
        "nothing so (k-NN 0.1 % instead of 72.8); with Sinkhorn-Knopp, less than with momentum "
        "(Caron et al. 2021, tables 7 and 15).",
        _with("schedule", momentum=0.0, end_momentum=0.0),
    ),
    "teacher-frozen": Experiment(
        "Teacher frozen",
        "Momentum 1: the teacher stays as it was drawn. The loss falls, for a random network can "
        "be imitated, and what the run hands out, the teacher, learns nothing.",
        _with("schedule", momentum=1.0, end_momentum=1.0),
    ),
    "no-koleo": Experiment(
        "No KoLeo",
        "Nothing pushes class tokens of different pictures apart: they should lie closer together. "
        "In the paper retrieval gains more than 8 % from KoLeo (table 3a).",
        _with("loss", koleo_weight=0.0),
    ),
    "no-local-crops": Experiment(
        "No local crops",
        "No part has to tell of the whole, and a step gives 2 comparisons of crops instead of 18 "
        "(with 8 local crops): cheaper steps that should teach less each. DINO lost 5 points of "
        "k-NN without them (Caron et al. 2021, table 7: 67.9 instead of 72.8 %).",
        _with("crops", local_count=0),
    ),
    "no-masking": Experiment(
        "No masking",
        "The student sees every patch, as in the paper's distillation (section 5): iBOT compares "
        "what both have seen, and patches need not be told from what is around them.",
        _with("masks", hide=False),
    ),
    "random-masking": Experiment(
        "Random masking",
        "As many hidden patches, but scattered instead of in blocks: nearly each has a visible "
        "neighbour to be guessed from, so iBOT should be easier and teach less.",
        _with("masks", shape="scattered"),
    ),
    "small-batch": Experiment(
        "Small batch",
        "An eighth of the pictures a step, at a rate that follows their square root: balance, "
        "centre and KoLeo know only these, and become noisy. The official recipe has 2048.",
        _small_batch,
    ),
    "rate-x10": Experiment(
        "Rate x 10",
        "Ten times the learning rate at its peak: gradients are clipped, steps are not, so the "
        "loss should jump, and features may be lost that do not come back.",
        _faster,
    ),
}

# Of these at most one can be: they are two values of the same number.
EXCLUSIVE = (("teacher-is-student", "teacher-frozen"), ("no-masking", "random-masking"))


def check_experiments(names: Sequence[str]) -> None:
    """ValueError for a switch that there is not, or two that exclude each other."""
    for name in names:
        if name not in EXPERIMENTS:
            raise ValueError(
                f"There is no experiment {name!r}. There are {', '.join(EXPERIMENTS)}."
            )
    for pair in EXCLUSIVE:
        if set(pair) <= set(names):
            raise ValueError(f"{pair[0]} and {pair[1]} exclude each other: choose one of them.")


def with_experiments(config: RunConfig, names: Sequence[str]) -> RunConfig:
    """The recipe with the switches turned, and with checkpoints close enough to each other that a
    collapse can be mended (`mending.py`). ValueError as from `check_experiments`."""
    check_experiments(names)
    for name in dict.fromkeys(names):
        config = EXPERIMENTS[name].change(config)
    if not names:
        return config
    often = max(config.steps // CHECKPOINTS, 1)
    return replace(config, keep_good=True, checkpoint_every=min(config.checkpoint_every, often))


def titles_of(names: Sequence[str]) -> str:
    """`no centring, no KoLeo`, for a sentence."""
    titles = (EXPERIMENTS[name].title if name in EXPERIMENTS else name for name in names)
    return ", ".join(title[0].lower() + title[1:] for title in titles)
