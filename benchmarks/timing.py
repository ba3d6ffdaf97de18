"""Fair times on a machine that is not ours alone.

Contestants take turns in one process, and each round starts with another one, so that slow minutes
meet all of them. A ratio is the median of the ratios within the rounds. Rounds that others
disturbed tell nothing about us: the quieter half of the rounds counts. Others are the processes of
this machine, which are counted, and the tenants of other machines on the same processor, which show
only in a fixed piece of work that takes longer: the yardstick.

With one thread the thread's own clock is read, which stands still while other processes run. With
several that would hide who waits for whom, and the clock on the wall is read; as it is for
contestants that are processes of their own.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Contestants = Mapping[str, Callable[[], object]]

# s before each turn: OpenBLAS and OpenMP threads stay awake that long after their work, and would
# take the processor from the next contestant.
PAUSE = 0.1
SHORTEST_TURN = 0.05  # s; faster contestants are called again and again within their turn
FEWEST_ROUNDS = 6
YARDSTICK = 20_000  # additions, about a millisecond


@dataclass(frozen=True)
class Round:
    """One turn of everybody."""

    seconds: Mapping[str, float]  # of one call, by contestant
    others: float  # share of the machine that other processes took meanwhile, 0 to 1
    yardstick: float = 1.0  # seconds of the same work each time, between the turns


@dataclass(frozen=True)
class Race:
    """The rounds, in the order run."""

    rounds: tuple[Round, ...]

    @property
    def counted(self) -> list[Round]:
        """The half of the rounds that others disturbed least."""
        fastest = min(one.yardstick for one in self.rounds)

        def disturbed(one: Round) -> float:
            return one.others + 1 - fastest / one.yardstick

        return sorted(self.rounds, key=disturbed)[: (len(self.rounds) + 1) // 2]

    @property
    def others(self) -> float:
        """Share of the machine that other processes took during the rounds that count."""
        return statistics.median(one.others for one in self.counted)

    def seconds(self, name: str) -> float:
        """Median time of one call."""
        return statistics.median(one.seconds[name] for one in self.counted)

    @property
    def at_full_speed(self) -> list[Round]:
        """The rounds in which the processor was as fast as it can be, to a tenth."""
        fastest = min(one.yardstick for one in self.rounds)
        return [one for one in self.rounds if one.yardstick <= 1.1 * fastest]

    def best_seconds(self, name: str) -> float:
        """Median time of one call at full speed: for figures that are compared across machines."""
        return statistics.median(one.seconds[name] for one in self.at_full_speed)

    def ratio(self, name: str, peer: str) -> float:
        """Median over the rounds of time / peer's time."""
        return statistics.median(self._ratios(name, peer))

    def note(self, name: str, peer: str) -> str:
        """The times behind a ratio, and between which ratios the middle half of the rounds lies."""
        low, _, high = statistics.quantiles(self._ratios(name, peer), n=4, method="inclusive")
        return (
            f"{milliseconds(self.seconds(name))} and {milliseconds(self.seconds(peer))}, middle "
            f"half {low:.2f} to {high:.2f}" + disturbance(self.others)
        )

    def _ratios(self, name: str, peer: str) -> list[float]:
        return [one.seconds[name] / one.seconds[peer] for one in self.counted]


def milliseconds(seconds: float) -> str:
    ms = 1000 * seconds
    return f"{ms:.3f} ms" if ms < 1 else f"{ms:.1f} ms" if ms < 100 else f"{ms:.0f} ms"


def disturbance(others: float) -> str:
    """A warning when the machine was shared."""
    return f", others took {100 * others:.0f} % of the machine" if others > 0.1 else ""


def race(contestants: Contestants, seconds: float, *, wall: bool = False) -> Race:
    """Lets them take turns for about that many seconds, and at least `FEWEST_ROUNDS` rounds.

    `wall`: by the clock on the wall, whatever the threads.
    """
    names = list(contestants)
    own = torch.get_num_threads() == 1 and not wall
    clock = time.thread_time if own else time.perf_counter
    calls = {name: _calls_in_a_turn(contestants[name], clock) for name in names}
    stop = time.perf_counter() + seconds
    rounds: list[Round] = []
    while len(rounds) < FEWEST_ROUNDS or time.perf_counter() < stop:
        first = len(rounds) % len(names)
        watch = _Others()
        times, sticks = {}, [_yardstick()]
        for name in names[first:] + names[:first]:
            times[name] = _turn(contestants[name], calls[name], clock)
            sticks.append(_yardstick())
        rounds.append(Round(times, watch.share(), statistics.mean(sticks)))
    return Race(tuple(rounds))


def _turn(work: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    """Seconds of one call."""
    time.sleep(PAUSE)
    start = clock()
    for _ in range(calls):
        work()
    return (clock() - start) / calls


def _yardstick() -> float:
    """Seconds of a fixed piece of work."""
    start = time.thread_time()
    total = 0
    for number in range(YARDSTICK):
        total += number
    return time.thread_time() - start


def _calls_in_a_turn(work: Callable[[], object], clock: Callable[[], float]) -> int:
    work()  # the first call pays for what later ones find ready
    return max(1, round(SHORTEST_TURN / max(_turn(work, 1, clock), 1e-6)))


class _Others:
    """Counts the processor time that is neither idle nor ours, from now on."""

    def __init__(self) -> None:
        self.start = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        system, own = psutil.cpu_times(), os.times()
        waiting = system.idle + getattr(system, "iowait", 0.0)
        used = sum(system[:8]) - waiting  # beyond the eighth, Linux counts guests twice
        ours = own.user + own.system + own.children_user + own.children_system
        return time.perf_counter(), used - ours

    def share(self) -> float:
        (start, before), (end, after) = self.start, self._now()
        machine = (end - start) * (psutil.cpu_count() or 1)
        return min(max((after - before) / machine, 0.0), 1.0)


def level_the_ground() -> None:
    """Brings the C library's memory allocator to where a longer run would bring it anyway.

    glibc hands freed memory back to the system, and pays for every page of it again, as long as it
    has seen only small blocks; one large block teaches it to keep up to 64 MB. Without this, times
    depend on which contestant happens to need the largest block first.
    """
    torch.ones(2**23 - 2**16)  # just below 32 MB, above which blocks never count


def matmul_seconds() -> float:
    """A 2048 x 2048 matrix product in float32: the machine's speed, for scale."""
    a = torch.ones(2048, 2048)
    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
    return min(_turn(lambda: a @ a, 1, clock) for _ in range(5))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads for torch and numpy inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)
