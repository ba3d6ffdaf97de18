"""slow_motion/recorded.py, gradients.py: a recorded step is the step, and says what it used."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_steps import SMALL

from dino_core.config import LossConfig
from dino_core.schedules import StepValues
from dino_core.slow_motion.gradients import Layers, gradients_of
from dino_core.slow_motion.lines import ROOT
from dino_core.slow_motion.recorded import WATCHED, losses_again, record_step
from dino_core.step.batch import Batch
from dino_core.step.forward import Centers, make_targets, student_outputs, teacher_outputs
from dino_core.step.train_step import compute_losses, train_step
from dino_core.student_teacher import StudentTeacher
from dino_core.update import build_optimiser

ROUNDING = (
    1e-5  # where tensors lie in memory may change the last digit of a product, and exp its fifth
)
VALUES = StepValues(
    learning_rate=1e-3,
    last_layer_learning_rate=1e-3,
    weight_decay=0.04,
    momentum=0.9,
    teacher_temperature=0.05,
)


class Start:
    """A pair, an optimiser, centres and a batch, the same ones each time."""

    def __init__(self, config=SMALL, pictures=3):
        generator = torch.Generator().manual_seed(0)
        self.config = config
        self.pair = StudentTeacher(config, generator=generator)
        with torch.no_grad():  # teacher and student differ, as they do in a run
            for p in self.pair.student.parameters():
                p.add_(0.05 * torch.randn(p.shape, generator=generator))
        self.optimiser = build_optimiser(self.pair.student.parts, config.optim)
        self.centers = Centers.zeros(config)
        masks = torch.rand(2 * pictures, 16, generator=generator) < 0.4
        masks[::2] = False
        self.batch = Batch.from_crops(
            torch.randn(2 * pictures, 3, 16, 16, generator=generator),
            torch.randn(2 * pictures, 3, 8, 8, generator=generator),
            masks,
        )

    def run(self, step, values=VALUES, **more):
        return step(
            *(self.pair, self.batch, self.optimiser, values, self.config, self.centers),
            generator=torch.Generator().manual_seed(3),
            **more,
        )


@pytest.fixture(scope="module")
def recorded():
    """One recorded step, and the pair before and behind it."""
    start = Start()
    before = copy.deepcopy(start.pair)
    return start, before, start.run(record_step)


@pytest.mark.parametrize("drop_path", [0.0, 0.05, 0.4])
@pytest.mark.parametrize("centering", ["centering", "sinkhorn_knopp"])
def test_recorded_step_ends_with_the_same_weights_bit_for_bit(drop_path, centering):
    loss = LossConfig(centering=centering)
    config = replace(SMALL, vit=replace(SMALL.vit, drop_path=drop_path), loss=loss)
    plain, watched = Start(config), Start(config)
    for _ in range(2):  # the second step has AdamW's memory of the first
        expected, got = plain.run(train_step), watched.run(record_step).result
        plain.centers, watched.centers = expected.centers, got.centers
    for name, tensor in plain.pair.state_dict().items():
        assert torch.equal(tensor, watched.pair.state_dict()[name]), name
    for one, other in zip(
        plain.optimiser.state.values(), watched.optimiser.state.values(), strict=True
    ):
        assert all(torch.equal(one[key], other[key]) for key in one)
    assert (got.loss, got.terms, got.gradient_norms) == (
        expected.loss,
        expected.terms,
        expected.gradient_norms,
    )
    assert torch.equal(got.centers.dino, expected.centers.dino)


def test_every_line_exists_in_the_file_that_runs(recorded):
    _, _, step = recorded
    assert [function.name for function in step.functions] == [one.__name__ for one in WATCHED]
    for function in step.functions:
        text = (ROOT / function.file).read_text(encoding="utf-8").splitlines()
        assert text[function.first - 1 : function.last] == list(function.lines)
    for visit in step.visits:
        function = step.functions[visit.function]
        assert function.first <= visit.first <= visit.last <= function.last
        line = function.lines[visit.first - function.first].strip()
        assert line.split()[0].strip('"#@') == line.split()[0], f"no code: {line}"


def test_values_are_those_that_the_step_used(recorded):
    start, pair, step = recorded
    batch, config = start.batch, start.config
    teacher = teacher_outputs(pair.teacher, batch, config)
    centers = Centers.zeros(config)
    targets = make_targets(teacher, VALUES.teacher_temperature, config.loss, centers)
    student = student_outputs(pair.student, batch, config, torch.Generator().manual_seed(3))
    losses = compute_losses(student, targets, batch.mask_weights, config.loss)
    losses.total.backward()

    def shown(within, line):
        visits = [
            v
            for v in step.visits
            if v.within == within
            and step.functions[v.function]
            .lines[v.first - step.functions[v.function].first]
            .strip()
            .startswith(line)
        ]
        return {value.name: value for value in visits[0].values}

    for name, tensor in (
        ("teacher.logits", teacher.logits),
        ("targets.cls", targets.cls),
        ("targets.patches", targets.patches),
        ("student.patch_logits", student.patch_logits),
        ("losses.dino_terms", losses.dino_terms),
    ):
        value = shown("train_step", f"{name.split('.')[0]} = ")[name]
        assert value.shape == tuple(tensor.shape)
        found = (value.low, value.high, value.mean)
        wanted = (tensor.min().item(), tensor.max().item(), tensor.mean().item())
        assert found == pytest.approx(wanted, rel=ROUNDING), name
    found = shown("train_step", "losses = ")
    for name, term in losses.terms.items():
        assert found[f"losses.terms.{name}"].number == term.item()
    assert found["losses.total"].number == losses.total.item()
    # Of the gradients and the update, which are in no name of train_step.
    norms = shown("apply_update", "norms = ")
    for name, part in pair.student.parts.items():
        whole = torch.cat([p.grad.flatten() for p in part.parameters()]).norm()
        assert norms[f"norms.{name}"].number == pytest.approx(whole.item(), rel=1e-6)
    assert step.result.gradient_norms == {n.split(".")[1]: v.number for n, v in norms.items()}
    for name, part in (("block 1", pair.student.backbone.blocks[1]),):
        whole = torch.cat([p.grad.flatten() for p in part.parameters()]).norm()
        at = step.layers.index(name)
        assert step.gradient_norms[at].item() == pytest.approx(whole.item(), rel=1e-6)
    rates = shown("apply_update", "def apply_update")
    assert rates["values.learning_rate"].number == VALUES.learning_rate


def test_gradients_of_terms_add_up_to_those_of_the_step(recorded):
    _, _, step = recorded
    gradients = step.gradients
    assert gradients.terms == ("dino_global", "dino_local", "koleo", "ibot")
    torch.testing.assert_close(gradients.total, step.gradient_norms, rtol=1e-5, atol=1e-9)
    # No term has a gradient in the heads of others.
    dino, ibot = (step.layers.index(f"{name} prototypes") for name in ("DINO", "iBOT"))
    assert gradients.norms[dino, 3] == 0 == gradients.norms[ibot, :3].sum()
    torch.testing.assert_close(gradients.shares.sum(1), torch.ones(len(step.layers)).double())
    torch.testing.assert_close(gradients.cosines.diagonal(), torch.ones(4).double())


def test_inner_products_against_whole_vectors():
    weights = [torch.nn.Parameter(torch.tensor([1.0, 2.0])), torch.nn.Parameter(torch.ones(1))]
    terms = {
        "a": (weights[0] * torch.tensor([3.0, 4.0])).sum(),  # gradient 3, 4 and none
        "b": weights[0][0] * -1 + 2 * weights[1][0],  # gradient -1, 0 and 2
        "none": torch.zeros(()),
    }
    found = gradients_of(terms, weights, Layers(("first", "second"), (0, 1)))
    first, second = [[25, -3, 0], [-3, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 4, 0], [0, 0, 0]]
    assert found.products.tolist() == [first, second]
    assert found.total.tolist() == [20**0.5, 2]  # of (2, 4), and of 2
    assert found.shares.tolist() == [[22 / 20, -2 / 20, 0], [0, 1, 0]]
    assert found.cosines[0, 1].item() == pytest.approx(-3 / (5 * 5**0.5))
    assert found.cosines[0, 2] == 0
    assert all(weight.grad is None for weight in weights)


def test_movement_is_that_of_the_weights(recorded):
    start, before, step = recorded
    at = step.layers.index("block 0")

    def vector(network):
        return torch.cat([p.flatten() for p in network.backbone.blocks[0].parameters()]).detach()

    was, now = vector(before.student), vector(start.pair.student)
    teacher_was, teacher = vector(before.teacher), vector(start.pair.teacher)
    for name, expected in (
        ("weights", was.norm()),
        ("student", (now - was).norm()),
        ("teacher", (teacher - teacher_was).norm()),
        ("apart", (teacher - now).norm()),
    ):
        assert getattr(step.moved, name)[at].item() == pytest.approx(expected.item(), rel=1e-5)


def test_loss_after_the_step_is_of_the_same_crops_and_targets(recorded):
    start, before, step = recorded
    paths = torch.Generator().manual_seed(3).get_state()
    again = losses_again(before, start.batch, start.config, step.targets, paths)
    assert {n: t.item() for n, t in again.terms.items()} == pytest.approx(step.result.terms)
    behind = losses_again(start.pair, start.batch, start.config, step.targets, paths)
    after = {n: t.item() for n, t in behind.terms.items()}
    assert after == pytest.approx(step.terms_after, rel=ROUNDING)
    assert step.loss_after < step.result.loss


def test_loss_after_the_step_drops_the_same_paths():
    start = Start(replace(SMALL, vit=replace(SMALL.vit, drop_path=0.4)))
    step = start.run(
        record_step, values=replace(VALUES, learning_rate=0.0, last_layer_learning_rate=0.0)
    )
    assert step.terms_after == step.result.terms, "nothing has moved"


def test_what_stands_still_has_no_gradient_and_does_not_move():
    start = Start()
    for name, parameter in start.pair.student.named_parameters():
        parameter.requires_grad_("blocks.1" in name or "head" in name)
    step = start.run(record_step)
    still = [
        i
        for i, name in enumerate(step.layers)
        if not ("block 1" in name or "head" in name.lower() or "prototypes" in name)
    ]
    for lengths in (step.gradient_norms, step.gradients.total, step.moved.student):
        assert not lengths[still].any()
        assert lengths.count_nonzero() == len(lengths) - len(still)
    torch.testing.assert_close(step.gradients.total, step.gradient_norms, rtol=1e-5, atol=1e-9)


def test_clipping_is_said_as_it_happened():
    start = Start(replace(SMALL, optim=replace(SMALL.optim, clip=0.01)))
    step = start.run(record_step)
    for name, part in start.pair.student.parts.items():
        left = torch.cat([p.grad.flatten() for p in part.parameters()]).norm().item()
        assert left == pytest.approx(step.result.gradient_norms[name] * step.clipped[name])
        assert step.clipped[name] < 1
    wide = Start(replace(SMALL, optim=replace(SMALL.optim, clip=1e6))).run(record_step)
    assert set(wide.clipped.values()) == {1.0}, "what is short enough stays as it is"
    free = Start(replace(SMALL, optim=replace(SMALL.optim, clip=None))).run(record_step)
    assert set(free.clipped.values()) == {1.0}


def test_a_step_that_is_given_up_ends_at_the_next_line():
    lines = 0

    def check():
        nonlocal lines
        lines += 1
        if lines == 20:
            raise InterruptedError("nobody waits")

    with pytest.raises(InterruptedError):
        Start().run(record_step, check=check)
    assert lines == 20


def test_each_backward_pass_may_be_given_up():
    terms = {name: torch.ones(2, requires_grad=True).sum() for name in "ab"}
    asked = []
    gradients_of(
        terms, [torch.nn.Parameter(torch.ones(2))], Layers(("x",), (0,)), lambda: asked.append(1)
    )
    assert len(asked) == 2


def test_the_source_of_the_step_does_not_know_of_the_recorder():
    for path in (ROOT / "dino_core" / "step").glob("*.py"):
        assert "slow_motion" not in Path(path).read_text(encoding="utf-8")
