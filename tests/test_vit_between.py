"""vit/between.py: a forward can be given up between its blocks, and is the same where it is not."""

import threading

import pytest
import torch
from tiny_models import tiny_vit

from dino_core.analysis.inspection import inspect
from dino_core.vit.between import between_blocks, current_check


class GivenUpError(Exception):
    pass


def after(calls, done):
    """Counts into `done`, and gives up at the call after so many."""

    def check():
        if len(done) == calls:
            raise GivenUpError
        done.append(len(done))

    return check


@pytest.fixture
def images():
    return torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "options", [{}, {"trace": [0, 1]}, {"rows": [0, 3]}], ids=["plain", "trace", "rows"]
)
def test_a_forward_that_goes_on_is_the_same_bit_for_bit(images, options):
    vit, done = tiny_vit(), []
    plain = vit(images, **options)
    with between_blocks(after(99, done)):
        checked = vit(images, **options)
    assert len(done) == vit.config.depth
    assert torch.equal(plain.normed, checked.normed)
    if plain.rows is not None:
        assert torch.equal(plain.rows, checked.rows)
    for block, trace in plain.traces.items():
        assert torch.equal(trace.queries, checked.traces[block].queries)


@pytest.mark.parametrize("calls", [0, 1])
def test_no_block_is_computed_after_it_was_given_up(images, calls, monkeypatch):
    vit, entered = tiny_vit(), []
    for index, block in enumerate(vit.blocks):
        block.register_forward_pre_hook(lambda *_, index=index: entered.append(index))
    with pytest.raises(GivenUpError), between_blocks(after(calls, [])):
        vit(images)
    assert entered == list(range(calls))
    entered.clear()
    vit(images)
    assert entered == [0, 1], "the next forward is whole"


def test_what_is_built_on_a_forward_ends_too_and_so_does_one_from_a_block_on(images):
    vit = tiny_vit()
    with pytest.raises(GivenUpError), between_blocks(after(1, [])):
        inspect(vit, images[0])
    embedded = vit.embed(images)
    done = []
    with between_blocks(after(99, done)):
        vit.resume(embedded, (2, 2), first=1)
    assert len(done) == 1


def test_other_threads_and_what_comes_later_are_left_alone(images):
    vit, seen = tiny_vit(), []

    def elsewhere():
        seen.append(current_check())
        vit(images)

    with between_blocks(after(0, [])):
        other = threading.Thread(target=elsewhere)
        other.start()
        other.join()
        inner = after(99, [])
        with between_blocks(inner):
            assert current_check() is inner
        assert current_check() is not inner
    assert seen == [None]
    assert current_check() is None
