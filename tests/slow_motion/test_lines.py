"""Source files are read by many threads at once, as the page's requests do."""

import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dino_core.slow_motion import lines


@pytest.fixture
def collector_that_yields() -> Iterator[None]:
    """Runs often, and lets other threads on while it does."""
    thresholds = gc.get_threshold()

    def yields(phase: str, _info: object) -> None:
        time.sleep(0.0002)

    gc.callbacks.append(yields)
    gc.set_threshold(50, 1, 1)
    yield
    gc.set_threshold(*thresholds)
    gc.callbacks.remove(yields)


@pytest.mark.usefixtures("collector_that_yields")
def test_threads_parse_without_counting_each_others_depth() -> None:
    rooms = ("training", "vit", "whatif", "figures", "cli")
    files = [file for room in rooms for file in (lines.ROOT / "dino_core" / room).glob("*.py")][:12]
    assert len(files) == 12
    with ThreadPoolExecutor(len(files)) as threads:
        parsed = list(threads.map(lambda file: lines._parsed.__wrapped__(str(file)), files * 4))
    assert all(tree.body for tree, _ in parsed)
