"""step/train_step.py, student_teacher.py: whole steps against the official ones."""

import copy
import json
import sys
from dataclasses import replace
from math import log
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from forked import together
from safetensors.torch import load_file, save_file

from dino_core.config import (
    OFFICIAL_LONG,
    OFFICIAL_SHORT,
    HeadConfig,
    LossConfig,
    OptimConfig,
    TrainConfig,
    ViTConfig,
)
from dino_core.losses import ibot_map
from dino_core.schedules import StepValues
from dino_core.step.batch import Batch
from dino_core.step.forward import Centers, make_targets, student_outputs, teacher_outputs
from dino_core.step.train_step import compute_losses, train_step
from dino_core.student_teacher import Network, StudentTeacher
from dino_core.update import build_optimiser

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))
from adapter import train_batch, train_config  # noqa: E402

META = json.loads((GOLDEN / "train_meta.json").read_text())
VALUES = StepValues(
    learning_rate=1e-3,
    last_layer_learning_rate=1e-3,
    weight_decay=0.04,
    momentum=0.9,
    teacher_temperature=0.05,
)
SMALL = TrainConfig(
    vit=ViTConfig(dim=16, depth=2, heads=2, patch_size=4, image_size=16),
    dino_head=HeadConfig(prototypes=12, hidden=20, bottleneck=8),
    ibot_head=HeadConfig(prototypes=10, hidden=20, bottleneck=8),
)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def random_batch(pictures=3, local_crops=2, seed=0):
    generator = seeded(seed)
    masks = torch.rand(2 * pictures, 16, generator=generator) < 0.4
    masks[::2] = False
    return Batch.from_crops(
        torch.randn(2 * pictures, 3, 16, 16, generator=generator),
        torch.randn(local_crops * pictures, 3, 8, 8, generator=generator),
        masks,
    )


def make(config, seed=0):
    """Pair, optimiser and centres of a new run."""
    pair = StudentTeacher(config, generator=seeded(seed))
    return pair, build_optimiser(pair.student.parts, config.optim), Centers.zeros(config)


def assert_same(got, expected):
    assert all(torch.equal(tensor, expected[name]) for name, tensor in got.items())


class Official:
    """One of the stored runs, and ours beside it."""

    def __init__(self, tag, clip=None):
        self.tag, self.meta = tag, META["runs"][tag]
        self.centering, heads = tag.rsplit("_", 1)
        self.separate = heads == "separate"
        self.stored = load_file(GOLDEN / f"train_{tag}.safetensors")
        self.inputs = load_file(GOLDEN / "train_inputs.safetensors")
        init = load_file(GOLDEN / "train_init.safetensors")
        self.init = {
            k: v.double() for k, v in init.items() if self.separate or ".ibot_head." not in k
        }
        self.config = train_config(META["config"], self.centering, self.separate)
        if clip is not None:
            self.config = replace(self.config, optim=replace(self.config.optim, clip=clip))
        self.pair = StudentTeacher(self.config).double()
        self.pair.load_state_dict(self.init)
        self.optimiser = build_optimiser(self.pair.student.parts, self.config.optim)
        self.centers = Centers.zeros(self.config, dtype=torch.float64)

    def step(self, i):
        values = StepValues(*(META["config"][k][i] for k in ("lr", "lll", "wd", "mom", "temp")))
        batch = train_batch(self.inputs, i)
        result = train_step(self.pair, batch, self.optimiser, values, self.config, self.centers)
        self.centers = result.centers
        return result

    def check_deltas(self, i):
        prefix, state = f"delta_after_step{i}/", self.pair.state_dict()
        for key, expected in self.stored.items():
            if key.startswith(prefix):
                name = key.removeprefix(prefix)
                delta = (state[name] - self.init[name]).float()
                torch.testing.assert_close(delta, expected, rtol=1e-3, atol=2e-6, msg=name)


@pytest.mark.parametrize("tag", META["runs"])
def test_three_steps_are_the_official_ones(tag):
    run = Official(tag)
    # Sinkhorn works in float32 inside, there as here.
    rel = 1e-8 if run.centering == "centering" else 1e-6
    for i, official in enumerate(run.meta["steps"]):
        result = run.step(i)
        assert result.logged == pytest.approx(official["loss_dict"], rel=rel)
        assert result.loss == pytest.approx(official["total_loss_backpropagated"], rel=rel)
        assert sum(result.terms.values()) == pytest.approx(result.loss)
        assert result.gradient_norms == pytest.approx(official["grad_norm_before_clip"], rel=1e-5)
        run.check_deltas(i)
    for name, center in (("dino_loss", run.centers.dino), ("ibot_patch_loss", run.centers.ibot)):
        if run.centering == "centering":
            expected = run.stored[f"center_after/{name}.center"].flatten()
            torch.testing.assert_close(center, expected, rtol=1e-8, atol=1e-10)
        else:
            assert not center.any()


@pytest.mark.parametrize("tag", META["runs"])
def test_gradients_before_clipping_are_the_official_ones(tag):
    run = Official(tag, clip=1e9)
    run.step(0)
    grads = {n: p.grad for n, p in run.pair.student.named_parameters()}
    norms = {name: grad.norm().item() for name, grad in grads.items()}
    expected = run.meta["steps"][0]["grad_norm_per_parameter"]
    assert norms == pytest.approx(expected, rel=1e-5, abs=1e-12)
    for key, grad in run.stored.items():
        if key.startswith("grad_step0/student."):
            name = key.removeprefix("grad_step0/student.")
            torch.testing.assert_close(grads[name].float(), grad, rtol=1e-4, atol=1e-7)


def test_scores_on_the_way_are_the_official_ones():
    run = Official("sinkhorn_knopp_separate")
    batch, stored = train_batch(run.inputs, 0), run.stored
    with torch.no_grad():
        student, teacher = run.pair.student, run.pair.teacher
        global_cls = student.backbone(batch.global_crops, batch.masks).cls
        local_cls = student.backbone(batch.local_crops).cls
        # There local crops come first, and the teacher's two views have changed places.
        scores, _ = student.logits(torch.cat([local_cls, global_cls]), None)
        views = teacher.backbone(batch.global_crops).cls.chunk(2)
        targets, _ = teacher.logits(torch.cat(views[::-1]), None)
    for name, got in {
        "student_global_cls": global_cls,
        "student_local_cls": local_cls,
        "student_dino_head_out": scores[None],
        "teacher_dino_head_out": targets,
    }.items():
        torch.testing.assert_close(got, stored[f"debug_step0/{name}"], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("heads", ["shared", "separate"])
def test_state_dict_has_the_official_names(heads):
    config = replace(SMALL, ibot_head=SMALL.ibot_head if heads == "separate" else None)
    names = set(StudentTeacher(config).state_dict())
    official = set(META["model_state_dict_keys"][heads])
    assert names == official - {"dino_loss.center", "ibot_patch_loss.center"}


@pytest.mark.parametrize("centering", ["centering", "sinkhorn_knopp"])
def test_steps_change_the_student_and_the_teacher_follows_exactly(centering):
    config = replace(SMALL, loss=LossConfig(centering=centering))
    pair, optimiser, centers = make(config)
    start = copy.deepcopy(pair.state_dict())
    for i in range(3):
        teacher = {k: v.clone() for k, v in pair.teacher.state_dict().items()}
        centers = train_step(pair, random_batch(seed=i), optimiser, VALUES, config, centers).centers
        student = pair.student.state_dict()
        for name, now in pair.teacher.state_dict().items():
            expected = (teacher[name] * 0.9).add_(student[name], alpha=1 - 0.9)
            assert torch.equal(now, expected), name
    changed = pair.student.state_dict()
    assert all(not torch.equal(changed[n], start[f"student.{n}"]) for n in changed)
    assert not pair.teacher.training
    assert all(p.grad is None and not p.requires_grad for p in pair.teacher.parameters())


def test_training_on_one_batch_lowers_its_loss():
    config = replace(SMALL, ibot_head=None, loss=LossConfig(koleo_weight=0))
    pair, optimiser, centers = make(config)
    values = replace(VALUES, momentum=1.0, learning_rate=1e-2, last_layer_learning_rate=1e-2)
    batch, losses = random_batch(), []
    for _ in range(12):
        losses.append(train_step(pair, batch, optimiser, values, config, centers).loss)
    assert losses[-1] < losses[0] - 0.2


def test_a_uniform_student_logs_the_anchors():
    pair, optimiser, centers = make(SMALL)
    with torch.no_grad():
        for head in (pair.student.dino_head, pair.student.ibot_head):
            head.last_layer.weight_g.zero_()
    result = train_step(pair, random_batch(), optimiser, VALUES, SMALL, centers)
    logged = {k: v for k, v in result.logged.items() if k != "koleo_loss"}
    anchors = {k: v for k, v in result.anchors.items() if not k.startswith("ln_k")}
    assert logged == pytest.approx(anchors, rel=1e-5)
    assert result.anchors["ln_k_dino"] == log(12)
    torch.testing.assert_close(result.dino_terms, torch.full((4, 2, 3), log(12)))
    torch.testing.assert_close(result.ibot_terms, torch.full_like(result.ibot_terms, log(10)))


def test_terms_one_by_one_add_up_to_the_loss():
    pair, optimiser, centers = make(SMALL)
    batch = random_batch()
    result = train_step(pair, batch, optimiser, VALUES, SMALL, centers)
    pairs = result.dino_terms.mean(-1)
    dino = (pairs.sum() - pairs[0, 0] - pairs[1, 1]) / (2 + 2 * 2)
    grid = ibot_map(result.ibot_terms, batch.masks)
    masked = [row[~row.isnan()].mean() for row in grid if not row.isnan().all()]
    ibot = sum(masked) / len(batch.masks)
    koleo = 0.1 * result.koleo_terms.mean(dim=1).sum()
    assert (dino + ibot + koleo).item() == pytest.approx(result.loss, rel=1e-5)


def test_losses_can_be_left_out():
    config = replace(SMALL, loss=LossConfig(ibot_weight=0, koleo_weight=0), ibot_head=None)
    pair, optimiser, centers = make(config)
    batch = random_batch(pictures=1, local_crops=0)
    result = train_step(pair, batch, optimiser, VALUES, config, centers)
    assert result.terms["ibot"] == result.terms["koleo"] == result.terms["dino_local"] == 0
    assert result.loss == pytest.approx(result.terms["dino_global"])
    assert not result.centers.ibot.any()


def test_a_batch_in_which_nothing_is_masked_has_no_ibot_loss():
    pair, optimiser, centers = make(SMALL)
    batch = random_batch()
    bare = Batch.from_crops(batch.global_crops, batch.local_crops, torch.zeros_like(batch.masks))
    result = train_step(pair, bare, optimiser, VALUES, SMALL, centers)
    assert result.terms["ibot"] == 0
    assert all(p.isfinite().all() for p in pair.parameters())


def test_a_loss_that_is_not_finite_leaves_the_weights_alone():
    pair, optimiser, centers = make(SMALL)
    batch = random_batch()
    batch.global_crops[0, 0, 0, 0] = float("nan")
    before = copy.deepcopy(pair.state_dict())
    with pytest.raises(FloatingPointError, match="The loss is nan"):
        train_step(pair, batch, optimiser, VALUES, SMALL, centers)
    assert_same(pair.state_dict(), before)


@pytest.mark.parametrize(
    ("part", "named"), [("tokens", "KoLeo"), ("logits", "DINO"), ("patch_logits", "iBOT")]
)
def test_the_term_that_is_not_finite_is_named(part, named):
    pair, _, centers = make(SMALL)
    batch = random_batch()
    targets = make_targets(teacher_outputs(pair.teacher, batch, SMALL), 0.05, SMALL.loss, centers)
    student = student_outputs(pair.student.eval(), batch, SMALL)
    assert compute_losses(student, targets, batch.mask_weights, SMALL.loss).not_finite() == []
    poisoned = getattr(student, part).clone()
    poisoned[..., -1] = torch.nan
    losses = compute_losses(
        replace(student, **{part: poisoned}), targets, batch.mask_weights, SMALL.loss
    )
    assert losses.not_finite() == [named]
    assert losses.total.isnan()


def test_bfloat16_gives_nearly_the_same_losses():
    results = []
    for bfloat16 in (False, True):
        config = replace(SMALL, bfloat16=bfloat16)
        pair, optimiser, centers = make(config)
        results.append(train_step(pair, random_batch(), optimiser, VALUES, config, centers))
    exact, rough = results
    assert rough.logged != exact.logged
    assert rough.loss == pytest.approx(exact.loss, rel=0.02)
    assert rough.dino_terms.dtype == torch.float32


def test_drop_path_follows_its_generator_alone():
    config = replace(SMALL, vit=replace(SMALL.vit, drop_path=0.3))
    state = torch.random.get_rng_state()
    states = []
    for seed in (1, 1, 2):
        pair, optimiser, centers = make(config)
        batch = random_batch()
        train_step(pair, batch, optimiser, VALUES, config, centers, generator=seeded(seed))
        states.append(pair.state_dict())
    assert_same(states[0], states[1])
    name = "student.backbone.blocks.1.mlp.fc1.weight"
    assert not torch.equal(states[0][name], states[2][name])
    assert torch.equal(state, torch.random.get_rng_state())


def test_indices_and_weights_are_those_of_the_official_collate():
    inputs = load_file(GOLDEN / "train_inputs.safetensors")
    stored = train_batch(inputs, 0)
    ours = Batch.from_crops(stored.global_crops, stored.local_crops, stored.masks.reshape(8, 8, 8))
    assert torch.equal(ours.masks, stored.masks)
    assert torch.equal(ours.mask_indices, stored.mask_indices)
    torch.testing.assert_close(ours.mask_weights, stored.mask_weights)


def test_teacher_starts_as_a_copy_and_can_become_one_again():
    pair = StudentTeacher(SMALL)
    assert_same(pair.teacher.state_dict(), pair.student.state_dict())
    with torch.no_grad():
        pair.student.backbone.cls_token.add_(1)
    pair.copy_student()
    assert_same(pair.teacher.state_dict(), pair.student.state_dict())


def test_the_two_heads_do_not_start_alike():
    pair = StudentTeacher(replace(SMALL, ibot_head=SMALL.dino_head))
    heads = pair.student.dino_head, pair.student.ibot_head
    assert not torch.equal(heads[0].last_layer.weight_v, heads[1].last_layer.weight_v)


@pytest.mark.parametrize("preset", [OFFICIAL_SHORT, OFFICIAL_LONG])
def test_presets_can_be_built(preset):
    network = Network(preset, device="meta")
    heads = {
        name: list(part.last_layer.weight_v.shape)
        for name, part in network.parts.items()
        if name != "backbone"
    }
    if preset is OFFICIAL_SHORT:
        assert heads == {"dino_head": [65536, 256]}
    else:
        assert heads == {"dino_head": [131072, 384], "ibot_head": [131072, 256]}


# Each of two processes has half of the pictures; KoLeo looks for neighbours among its own only.
TWO = replace(
    SMALL,
    loss=LossConfig(koleo_weight=0, centering="sinkhorn_knopp"),
    optim=OptimConfig(clip=None),
)


def one_of_two(folder, rank, world, port):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world
    )
    pair, optimiser, centers = make(TWO)
    train_step(pair, halves()[rank], optimiser, VALUES, TWO, centers, group=dist.group.WORLD)
    grads = {n: p.grad for n, p in pair.student.named_parameters()}
    save_file(grads, f"{folder}/rank{rank}.safetensors")
    dist.destroy_process_group()


def halves():
    return [random_batch(seed=1), random_batch(seed=2)]


@pytest.mark.slow
def test_two_processes_make_the_step_of_one_with_all_pictures(tmp_path):
    together(one_of_two, str(tmp_path))
    a, b = halves()

    def joined(name):
        """Crop by crop: the first crop of both halves, then the second."""
        parts = zip(getattr(a, name).chunk(2), getattr(b, name).chunk(2), strict=True)
        return torch.cat([half for pair in parts for half in pair])

    batch = Batch.from_crops(joined("global_crops"), joined("local_crops"), joined("masks"))
    pair, optimiser, centers = make(TWO)
    train_step(pair, batch, optimiser, VALUES, TWO, centers)
    for rank in (0, 1):
        grads = load_file(tmp_path / f"rank{rank}.safetensors")
        for name, parameter in pair.student.named_parameters():
            torch.testing.assert_close(grads[name], parameter.grad, rtol=1e-3, atol=1e-6, msg=name)
