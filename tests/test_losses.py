"""losses.py against the official losses and against plain loops."""

from math import log
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dino_core.losses import (
    dino_loss,
    dino_terms,
    ibot_loss,
    ibot_map,
    koleo_loss,
    koleo_terms,
    uniform_anchors,
)

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def stored():
    return load_file(GOLDEN / "heads_losses.safetensors")


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def close(got, expected, rtol, atol=0.0):
    torch.testing.assert_close(got, expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize("targets", ["softmax", "sinkhorn_f32"])
def test_dino_loss_and_gradient_are_the_official_ones(stored, targets):
    pre = f"dino/forward_{targets}"
    student = stored[f"{pre}/student"].double().requires_grad_()
    # The official module sums over all pairs it is given, the step leaves those of a crop with
    # itself out; `test_train_step.py` has the official losses of whole steps.
    loss = dino_terms(student, stored[f"{pre}/teacher"]).mean(dim=-1).sum()
    loss.backward()
    close(loss.detach().view(1), stored[f"{pre}/loss"], rtol=1e-9)
    close(student.grad, stored[f"{pre}/grad_student"], rtol=1e-7, atol=1e-10)


def test_dino_terms_equal_the_loop():
    student, teacher = normal(4, 3, 7), normal(2, 3, 7, seed=1).softmax(-1)
    terms = dino_terms(student, teacher, temperature=0.2)
    assert terms.shape == (4, 2, 3)
    for s in range(4):
        for t in range(2):
            for b in range(3):
                p = (student[s, b] / 0.2).softmax(0)
                expected = -sum(teacher[t, b, k] * p[k].log() for k in range(7))
                close(terms[s, t, b], expected, rtol=1e-12)


def test_a_crop_is_not_compared_with_itself():
    """Both parts of the loss, and their gradient, are those of a loop over the other pairs."""
    student, teacher = normal(5, 3, 7).requires_grad_(), normal(2, 3, 7, seed=1).softmax(-1)
    of_global, of_local, terms = dino_loss(student, teacher, temperature=0.2)
    (gradient,) = torch.autograd.grad(of_global + 2 * of_local, student)

    parts = {"global": [], "local": []}
    for s in range(5):
        for t in range(2):
            log_p = (student[s] / 0.2).log_softmax(-1)
            if s != t:
                parts["global" if s < 2 else "local"].append(-(teacher[t] * log_p).sum(-1).mean())
    assert (len(parts["global"]), len(parts["local"])) == (2, 6)
    expected = {name: sum(each) / 8 for name, each in parts.items()}
    close(of_global, expected["global"], rtol=1e-12)
    close(of_local, expected["local"], rtol=1e-12)
    close(terms, dino_terms(student, teacher, 0.2), rtol=0)
    loop = expected["global"] + 2 * expected["local"]
    close(gradient, torch.autograd.grad(loop, student)[0], rtol=1e-10, atol=1e-14)


def test_no_local_crops_leave_the_global_pairs():
    student, teacher = normal(2, 3, 7), normal(2, 3, 7, seed=1).softmax(-1)
    of_global, of_local, terms = dino_loss(student, teacher)
    close(of_global, (terms[0, 1].mean() + terms[1, 0].mean()) / 2, rtol=1e-12)
    assert of_local.item() == 0


def test_ibot_loss_and_gradient_are_the_official_ones(stored):
    student = stored["ibot/masked/student"].double().requires_grad_()
    teacher, masks = stored["ibot/masked/teacher"], stored["ibot/masked/mask"]
    weights = stored["ibot/masked/masks_weight"].double()
    loss, _ = ibot_loss(student, teacher, weights, crops=len(masks))
    loss.backward()
    close(loss.detach().view(1), stored["ibot/masked/loss"], rtol=1e-9)
    close(student.grad, stored["ibot/masked/grad_student"], rtol=1e-7, atol=1e-10)
    # Padding behind the masked patches, as the official buffers have, changes nothing, and the
    # weights that the official code falls back to are these.
    close(loss.detach().view(1), stored["ibot/masked/loss_padded"], rtol=1e-9)
    close(loss.detach().view(1), stored["ibot/masked/loss_noweight"], rtol=1e-9)


def test_masked_patches_alone_give_the_official_loss_over_the_whole_grid(stored):
    masks = stored["ibot/full/mask"]
    student, teacher = stored["ibot/full/student"].double(), stored["ibot/full/teacher"]
    weights = (1 / masks.sum(1, keepdim=True).clamp(min=1).double()).expand(masks.shape)[masks]
    loss, _ = ibot_loss(student[masks], teacher[masks], weights, crops=len(masks))
    close(loss.view(1), stored["ibot/full/loss"], rtol=1e-9)


def test_ibot_map_puts_terms_where_their_patches_are():
    masks = torch.tensor([[False, True, True, False], [True, False, False, False]])
    student, teacher = normal(3, 5), normal(3, 5, seed=1).softmax(-1)
    _, terms = ibot_loss(student, teacher, torch.ones(3), crops=2)
    close(terms, -(teacher * (student / 0.1).log_softmax(-1)).sum(-1), rtol=1e-12)
    grid = ibot_map(terms, masks)
    assert torch.equal(grid[[0, 0, 1], [1, 2, 0]], terms)
    assert torch.equal(grid.isnan(), ~masks)


@pytest.mark.parametrize("case", ["random", "near_dup"])
def test_koleo_and_gradient_are_the_official_ones(stored, case):
    cls = stored[f"koleo/{case}/input"].double().requires_grad_()
    loss, _ = koleo_loss(cls)
    loss.backward()
    close(loss.detach().view(1), stored[f"koleo/{case}/loss"], rtol=1e-8)
    close(cls.grad, stored[f"koleo/{case}/grad"], rtol=1e-6, atol=1e-9)


def test_koleo_terms_equal_the_loop():
    cls = normal(6, 4)
    x = cls / cls.norm(dim=1, keepdim=True)
    terms, neighbour = koleo_terms(cls)
    for i in range(6):
        distances = [(x[i] - x[j]).norm().item() if j != i else 9.0 for j in range(6)]
        assert neighbour[i] == distances.index(min(distances))
        assert terms[i].item() == pytest.approx(-log(min(distances)), rel=1e-6)


def test_koleo_of_equal_tokens_is_finite():
    cls = torch.ones(3, 4, requires_grad=True)
    loss, _ = koleo_loss(cls)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(cls.grad).all()


def test_koleo_of_one_picture_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        koleo_loss(torch.ones(1, 4))


def test_anchors_are_the_figures_seen_in_official_logs():
    short = uniform_anchors(65536, 2, 8, 65536, masked=0.5)
    assert [round(v, 3) for v in short.values()] == [1.232, 9.858, 2.773]
    long = uniform_anchors(131072, 2, 8, 131072, masked=0.5)
    assert [round(v, 3) for v in long.values()] == [1.309, 10.474, 2.946]
    assert sum(uniform_anchors(4096, 2, 8, 4096, masked=0.5).values()) == pytest.approx(
        1.25 * log(4096)
    )


def test_half_precision_scores_are_worked_on_in_float32():
    student, teacher = normal(3, 4, 9).bfloat16(), normal(2, 4, 9, seed=1).softmax(-1).float()
    loss, exact = (sum(dino_loss(x, teacher)[:2]) for x in (student, student.float()))
    assert loss.dtype == torch.float32
    close(loss, exact, rtol=1e-6)
    assert koleo_loss(student[0])[0].dtype == torch.float32
    patches, targets, weights = student[0, :3], teacher[0, :3], torch.ones(3)
    of_patches, exact = (ibot_loss(x, targets, weights, 2)[0] for x in (patches, patches.float()))
    assert of_patches.dtype == torch.float32
    close(of_patches, exact, rtol=1e-6)
