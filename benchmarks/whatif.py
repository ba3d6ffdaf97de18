"""What if: one edit against a whole forward; all heads screened, against forwards and nnsight; what
the places for edits cost a forward and a training step that ask for none.

What the page itself needs, an edit from click to picture and a target's value under the pointer, is
measured by `python -m benchmarks explorer`.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.others import timm_vit
from benchmarks.results import Result, Skipped
from benchmarks.timing import race
from benchmarks.training import TINY, our_step, random_batch
from benchmarks.unedited import without_edits
from dino_core.analysis.effects import effects
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.config import VIT_SMALL
from dino_core.vit import Edit, VisionTransformer
from dino_core.whatif import Plan, Sources, screen

SIZE = 224  # px
ABOVE = 0.1  # of a forward, that an answer may cost beside its blocks
SCREEN_BAR = 0.6
UNASKED_BAR = 1.01  # what edits may cost where none is asked for


@torch.inference_mode()
def run(quick: bool) -> Iterator[Result]:
    config = replace(VIT_SMALL, depth=3) if quick else VIT_SMALL
    vit = VisionTransformer(config).eval()
    images = torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    seen = inspect(vit, images)
    yield no_edit(vit, images, quick)
    yield no_edit_in_training(quick)
    yield from one_edit(vit, images, seen, quick)
    yield from all_heads(vit, images, seen, quick)


def no_edit(vit: VisionTransformer, images: Tensor, quick: bool) -> Result:
    """A forward that asks for nothing, against the same forward with no place for edits."""
    plain = without_edits(copy.deepcopy(vit))
    plain.load_state_dict(vit.state_dict(), assign=True)  # at the same place in memory
    assert torch.equal(vit(images).normed, plain(images).normed)
    times = race(
        {"with": lambda: vit(images), "without": lambda: plain(images)},
        seconds=2 if quick else 60,
    )
    return Result(
        name=f"a forward without an edit, {SIZE} px",
        value=times.ratio("with", "without"),
        unit="of one that takes none",
        at_most=None if quick else UNASKED_BAR,
        note=times.note("with", "without"),
    )


def no_edit_in_training(quick: bool) -> Result:
    """The same for a training step, with drop path as officially."""
    with torch.inference_mode(False):
        config, batch = TINY.config, random_batch(TINY)
        ours, plain = (our_step(config, batch, change=change) for change in (None, without_edits))
        assert ours() == plain()
        times = race({"with": ours, "without": plain}, seconds=2 if quick else 120)
    return Result(
        name=f"a training step without an edit, {TINY.name}",
        value=times.ratio("with", "without"),
        unit="of one that takes none",
        at_most=None if quick else UNASKED_BAR,
        note=times.note("with", "without"),
    )


def one_edit(
    vit: VisionTransformer, images: Tensor, seen: Inspection, quick: bool
) -> Iterator[Result]:
    """Before and after with every cosine, of an edit in block b, as a share of a forward."""
    depth = vit.config.depth
    blocks = sorted({0, depth // 3, 2 * depth // 3, depth - 1})
    answers: dict[str, Callable[[], object]] = {"forward": lambda: vit(images)}
    for block in blocks:
        edit = Edit("head", 0.0, block=block, unit=1)
        answers[f"{block}"] = lambda edit=edit: effects(vit, seen, [edit])  # type: ignore[misc]
    times = race(answers, seconds=2 if quick else 40)
    for block in blocks:
        yield Result(
            name=f"an edit in block {block} of {depth}, {SIZE} px",
            value=times.ratio(f"{block}", "forward"),
            unit="of a forward",
            at_most=None if quick else (depth - block) / depth + ABOVE,
            note=times.note(f"{block}", "forward"),
        )


def all_heads(
    vit: VisionTransformer, images: Tensor, seen: Inspection, quick: bool
) -> Iterator[Result]:
    """Every head off, one at a time: how much class token and patches change."""
    plan = Plan("heads", ("zero",))
    count = plan.forwards(vit)
    contestants: dict[str, Callable[[], object]] = {
        "screen": lambda: screen(vit, seen, plan, Sources()),
        "forwards": lambda: [vit(images) for _ in range(count)],
    }
    if find_spec("nnsight") is not None:
        theirs = nnsight_screen(vit, images)
        found = screen(vit, seen, plan, Sources())
        torch.testing.assert_close(theirs(), found.effect_cls[0], rtol=1e-3, atol=1e-5)
        contestants["nnsight"] = theirs
    times = race(contestants, seconds=2 if quick else 60)
    for peer, unit in (("forwards", "of as many forwards"), ("nnsight", "of nnsight on timm")):
        if peer in contestants:
            yield Result(
                name=f"all {count} heads screened, {SIZE} px",
                value=times.ratio("screen", peer),
                unit=unit,
                at_most=None if quick else SCREEN_BAR,
                note=times.note("screen", peer),
            )
    if "nnsight" not in contestants:
        raise Skipped("nnsight is missing: pip install -r requirements-dev.txt")


def nnsight_screen(vit: VisionTransformer, images: Tensor) -> Callable[[], Tensor]:
    """The effect on the class token [T, A], a block's heads in one batch of one trace."""
    from nnsight import NNsight

    depth, heads, d = vit.config.depth, vit.config.heads, vit.config.head_dim
    model = NNsight(timm_vit(vit, SIZE))
    plain = vit(images).cls[0]

    def heads_off(mixed: Tensor) -> None:
        for head in range(heads):  # [A, N, D], in each row another head
            mixed[head, :, head * d : (head + 1) * d] = 0

    def work() -> Tensor:
        rows = []
        for block in range(depth):
            with model.trace(images.expand(heads, -1, -1, -1)):
                heads_off(model.blocks[block].attn.proj.input)
                normed = model.norm.output.save()
            rows.append(1 - F.cosine_similarity(plain, normed[:, 0], dim=-1))
        return torch.stack(rows)

    return work
