"""One training step in slow motion: what a visitor waits for, and what watching costs."""

from collections.abc import Callable, Iterator

from benchmarks.results import Result
from benchmarks.timing import race
from dino_core.images import open_picture
from dino_core.scenes.packing import packed
from dino_core.scenes.pairs import SAMPLES, OpenPair, open_bundled
from dino_core.scenes.step import Choices, start_row

# s, from the request to the answer with a pair that is open, on two cores
PAIRS = {"cifar": 3.0, "preview": 8.0}
TURNED = 20  # degrees: a picture that is no sample, so that all eight are its companions


def run(quick: bool) -> Iterator[Result]:
    for name in ["cifar"] if quick else list(PAIRS):
        yield from one_pair(name, open_bundled(name), quick)


def one_pair(name: str, opened: OpenPair, quick: bool) -> Iterator[Result]:
    picture = open_picture(SAMPLES / "cat.jpg").rotate(TURNED)
    contestants: dict[str, Callable[[], object]] = {
        "recorded": lambda: packed(start_row(opened, picture, Choices()).record()),
        "plain": lambda: start_row(opened, picture, Choices()).pass_over(),
    }
    times = race(contestants, seconds=2 if quick else 60)
    yield Result(
        name=f"a step of 9 pictures recorded, {name}",
        value=times.seconds("recorded"),
        unit="s",
        at_most=PAIRS[name],
        note=times.note("recorded", "plain"),
    )
    yield Result(
        name=f"the same beside a plain step, {name}",
        value=times.ratio("recorded", "plain"),
        unit="of a plain step",
    )
