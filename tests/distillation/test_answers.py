"""distillation/answers.py: asked once, kept by content and crop, the same in any company."""

import os
import sqlite3

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import tiny_vit

from dino_core.distillation.answers import AT_ONCE, Answers, answers_file, sweep
from dino_core.images import to_tensor
from dino_core.weights import load_backbone, save_backbone

SIZE = 42  # 3 x 3 patches
CROPS = np.random.default_rng(0).integers(0, 256, (AT_ONCE + 3, SIZE, SIZE, 3)).astype(np.uint8)
KEYS = [f"crop {i}".encode() for i in range(len(CROPS))]


@pytest.fixture
def answers(teacher):
    with Answers(load_backbone(weights=teacher), SIZE, (2, 2)) as found:
        yield found


def test_an_answer_is_the_teachers_tokens_averaged_to_the_students_grid(answers):
    said, new = answers.of(KEYS[:2], lambda i: CROPS[i])
    assert (said.shape, new) == ((2, 5, 48), 2)
    out = tiny_vit()(torch.stack([to_tensor(Image.fromarray(crop)) for crop in CROPS[:2]]))
    maps = out.patches.unflatten(1, (3, 3))
    for b in range(2):
        wanted = [out.cls[b]]
        for row in (slice(0, 2), slice(1, 3)):  # 3 patches onto 2: each the mean of 2, one shared
            for column in (slice(0, 2), slice(1, 3)):
                wanted.append(maps[b, row, column].mean((0, 1)))
        torch.testing.assert_close(said[b], torch.stack(wanted), atol=4e-3, rtol=1e-3)


def test_nobody_is_asked_twice(answers, teacher):
    asked = []

    def pixels(i):
        asked.append(i)
        return CROPS[i]

    first, new = answers.of([KEYS[0], KEYS[1], KEYS[0]], pixels)
    assert (asked, new) == ([0, 1], 2)
    assert torch.equal(first[0], first[2])
    with Answers(load_backbone(weights=teacher), SIZE, (2, 2)) as later:
        again, new = later.of([KEYS[1], KEYS[0]], pixels)
    assert (len(asked), new) == (2, 0)
    assert torch.equal(again, first[[1, 0]])


def test_an_answer_does_not_depend_on_who_is_asked_about_beside_it(answers):
    together, _ = answers.of(KEYS, lambda i: CROPS[i])
    alone = answers.ask(CROPS[AT_ONCE : AT_ONCE + 1])
    assert torch.equal(together[AT_ONCE], torch.from_numpy(alone[0]).float())


def test_another_size_grid_or_precision_is_another_file(teacher):
    backbone = load_backbone(weights=teacher)
    files = set()
    for size, grid, half in [(42, (2, 2), False), (56, (2, 2), False), (42, (3, 3), False),
                             (42, (2, 2), True)]:  # fmt: skip
        with Answers(backbone, size, grid, half) as found:
            files.add(found.path)
    assert len(files) == 4


def test_another_teacher_is_another_file(teacher, tmp_path):
    other = save_backbone(tiny_vit(seed=1), tmp_path / "other" / teacher.name)
    one, two = (load_backbone(weights=path) for path in (teacher, other))
    assert answers_file(one, SIZE, (2, 2)) != answers_file(two, SIZE, (2, 2))
    assert one.name == two.name, "though they are called the same"


def test_a_teacher_under_autocast_answers_in_half_precision(teacher):
    backbone = load_backbone(weights=teacher)
    with Answers(backbone, SIZE, (3, 3), bfloat16=True) as half:
        said = torch.from_numpy(half.ask(CROPS[:2])).float()
    images = torch.stack([to_tensor(Image.fromarray(crop)) for crop in CROPS[:2]])
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        out = backbone.vit(images)
    wanted = torch.cat([out.cls[:, None], out.patches], 1).float()
    assert (said - wanted).abs().max() < 2e-3
    with Answers(backbone, SIZE, (3, 3)) as whole:
        assert (said - torch.from_numpy(whole.ask(CROPS[:2])).float()).abs().max() > 2e-3


def test_answers_that_were_not_opened_for_longest_make_room(tmp_path):
    files = [tmp_path / f"t-answers-{i}.sqlite" for i in range(4)]
    for i, path in enumerate([*files, tmp_path / "features.sqlite"]):
        path.write_bytes(bytes(100))
        os.utime(path, (i, i))
    sweep(files[0], most=250)  # the oldest, but it is the one that is open
    assert [path.exists() for path in files] == [True, False, False, True]
    sweep(files[0], most=200)  # as many as there are
    assert [path.exists() for path in files] == [True, False, False, True]
    sweep(files[0], most=10)
    assert [path.exists() for path in files] == [True, False, False, False]
    assert (tmp_path / "features.sqlite").exists(), "other files are others' business"


def test_opening_answers_keeps_them_and_lets_others_go(answers, teacher, monkeypatch):
    monkeypatch.setattr("dino_core.distillation.answers.sweep.__defaults__", (0,))
    os.utime(answers.path, (1, 1))
    Answers(load_backbone(weights=teacher), SIZE, (2, 2))._base.close()
    assert answers.path.stat().st_mtime > 1, "it was opened just now"
    with Answers(load_backbone(weights=teacher), SIZE, (1, 1)) as newest:
        assert newest.path.exists()
        assert not answers.path.exists()


def test_damage_is_said_in_a_sentence(answers, teacher):
    answers.of(KEYS[:1], lambda i: CROPS[i])
    with sqlite3.connect(answers.path) as base:
        base.execute("UPDATE answers SET answer = x'00'")
    assert answers.of(KEYS[:1], lambda i: CROPS[i])[1] == 1  # a row that cannot be is asked anew
    answers._base.close()
    answers.path.write_bytes(b"no database, but long enough to be looked at" * 40)
    with pytest.raises(ValueError, match=r"is damaged .*Delete it\.$"):
        Answers(load_backbone(weights=teacher), SIZE, (2, 2))


def test_a_teacher_without_finite_answers_is_refused(answers):
    with torch.no_grad():
        answers.vit.norm.weight.fill_(float("inf"))
    with pytest.raises(ValueError, match="answers are not finite"):
        answers.of(KEYS[:1], lambda i: CROPS[i])
