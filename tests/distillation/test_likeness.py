"""distillation/likeness.py: the teacher's colours, and what a student's words look like in them."""

import numpy as np
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.distillation.likeness import Palette, in_colours, palette_of
from dino_core.distillation.student import Follower, Usual
from dino_core.runs.sample_pictures import probe


def test_a_student_that_says_what_the_teacher_says_has_the_teachers_colours():
    """The teacher's own backbone behind a map that changes nothing but lengths, which do not count:
    behind a plain norm all tokens have the same."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 56, 56, 3)).astype(np.uint8)
    pictures = [(str(i), Image.fromarray(one)) for i, one in enumerate(pixels)]
    teacher = tiny_vit()
    with torch.no_grad():
        teacher.norm.weight.fill_(1)
        teacher.norm.bias.zero_()
    student = Follower(TINY, 48, torch.Generator().manual_seed(0)).eval()
    student.backbone.load_state_dict(teacher.state_dict())
    usual = Usual(torch.zeros(2, 48), torch.ones(2, 48))
    with torch.no_grad():
        student.patch_map.weight.copy_(7 * torch.eye(48))
    palette = palette_of(teacher, pictures, 56)
    found = in_colours(palette, student, usual, pixels)
    assert found.shape == (2, 4, 4, 3)
    np.testing.assert_allclose(found, probe(teacher, pictures, 56)["pca"], atol=1e-4)
    with torch.no_grad():
        student.patch_map.weight.zero_()
    assert in_colours(palette, student, usual, pixels).std((0, 1, 2)).max() < 1e-6


def test_patches_are_brought_back_by_what_is_usual_of_patches():
    """What the class tokens usually say has nothing to do with it."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, 56, 56, 3)).astype(np.uint8)
    teacher = tiny_vit()
    palette = palette_of(teacher, [("0", Image.fromarray(pixels[0]))], 56)
    student = Follower(TINY, 48, torch.Generator().manual_seed(0)).eval()
    plain = Usual(torch.zeros(2, 48), torch.ones(2, 48))
    other = Usual(plain.mean.clone(), plain.std.clone())
    other.mean[0], other.std[0] = 5, 9
    shown = [in_colours(palette, student, usual, pixels) for usual in (plain, other)]
    np.testing.assert_array_equal(*shown)
    other.std[1] = 9
    assert np.abs(in_colours(palette, student, other, pixels) - shown[0]).max() > 0.01


def test_the_range_of_colours_is_the_teacher_s_whatever_the_student_says():
    pixels = np.random.default_rng(0).integers(0, 256, (1, 56, 56, 3)).astype(np.uint8)
    palette = palette_of(tiny_vit(), [("0", Image.fromarray(pixels[0]))], 56)
    narrow = Palette(palette.pca, 0.01 * palette.scores)
    student = Follower(TINY, 48, torch.Generator().manual_seed(0)).eval()
    usual = Usual(torch.zeros(2, 48), torch.ones(2, 48))
    found = in_colours(narrow, student, usual, pixels)
    assert np.isin(found, (0, 1)).mean() > 0.8, "it says more than the teacher ever did"
