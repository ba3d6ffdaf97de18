"""scenes/step.py: the screen shows the recorded step."""

import json

import numpy as np
import pytest
import torch
from tiny_steps import SMALL, small_pictures

from dino_core.draw.colours import crop_colour
from dino_core.scenes.packing import packed, plain
from dino_core.scenes.pairs import OpenPair
from dino_core.scenes.step import VIEWS, step_scene
from dino_core.slow_motion import Choices, Session
from dino_core.slow_motion.recorded import WATCHED
from dino_core.student_teacher import StudentTeacher


def made(choices: Choices):
    pair = StudentTeacher(SMALL, generator=torch.Generator().manual_seed(1))
    opened = OpenPair(pair.eval(), SMALL, SMALL.crops, "Small", "small.safetensors")
    session = Session(pair, SMALL, small_pictures(), choices)
    drawn = session.draw()
    recorded = session.step(drawn)
    return step_scene(opened, session, recorded, drawn), recorded, drawn


@pytest.fixture(scope="module")
def step():
    return made(Choices(seed=2))


def test_numbers_of_the_picture_are_those_of_the_step(step) -> None:
    scene, recorded, drawn = step
    assert (scene.number, scene.pictures, scene.seed) == (0, 3, 2)
    np.testing.assert_array_equal(scene.dino, recorded.result.dino_terms[..., 0].numpy())
    assert scene.koleo == recorded.result.koleo_terms[:, 0].tolist()
    masks = recorded.batch.masks
    np.testing.assert_array_equal(scene.masks.reshape(2, -1), masks[[0, 3]].numpy())
    assert ((scene.ibot >= 0) == (scene.masks > 0)).all()
    first = int(masks[:3].sum())  # terms of the second crops begin there
    own = recorded.result.ibot_terms[first : first + int(masks[3].sum())]
    assert scene.ibot[1][scene.masks[1] > 0].tolist() == own.tolist()
    assert scene.masked_crops == 3
    for shown, crop in zip(scene.pixels, drawn.crops, strict=True):
        np.testing.assert_array_equal(shown, crop.pixels)
    np.testing.assert_array_equal(scene.targets, recorded.targets.cls[:, 0, scene.columns].numpy())
    assert scene.student.shape == (4, len(scene.columns))
    assert (scene.student.sum(1) <= 1 + 1e-6).all()
    np.testing.assert_allclose(scene.shares.sum(1), 1, atol=1e-6)
    assert sum(scene.before.values()) == pytest.approx(recorded.result.loss, rel=1e-6)


def test_every_field_is_what_was_recorded(step) -> None:
    scene, recorded, drawn = step
    gradients, moved, loss = recorded.gradients, recorded.moved, recorded.config.loss
    arrays = {
        "gradient_norms": recorded.gradient_norms,
        "term_norms": gradients.norms,
        "shares": gradients.shares,
        "cosines": gradients.cosines,
        "weight_norms": moved.weights,
        "student_moved": moved.student,
        "teacher_moved": moved.teacher,
        "apart": moved.apart,
        "teacher": recorded.teacher.logits[:, 0, scene.columns],
        "student": (recorded.student.logits[:, 0] / 0.1).softmax(-1)[:, scene.columns],
    }
    for name, wanted in arrays.items():
        np.testing.assert_allclose(getattr(scene, name), wanted, rtol=1e-4, atol=1e-7, err_msg=name)
    assert len({tuple(wanted.flatten().tolist()) for wanted in arrays.values()}) == len(arrays)
    values = {
        "title": "Small",
        "file": "small.safetensors",
        "companions": [],
        "prototypes": (12, 10),
        "grid": (4, 4),
        "targets_by": "centering",
        "student_temperature": 0.1,
        "weights": {"dino": loss.dino_weight, "ibot": loss.ibot_weight, "koleo": loss.koleo_weight},
        "clip": 3.0,
        "before": recorded.result.terms,
        "after": recorded.terms_after,
        "norms": recorded.result.gradient_norms,
        "kept": recorded.clipped,
        "values": vars(recorded.values),
        "trained_rate": recorded.values.learning_rate,
        "trained_temperature": recorded.values.teacher_temperature,
        "terms": list(gradients.terms),
        "layers": list(recorded.layers),
        "colours": [crop_colour(crop.kind, crop.index) for crop in drawn.crops],
        "crops": [
            {"name": f"{kind} {index}", "size": size, "kind": kind}
            for kind, index, size in (
                *(("global", 0, 16), ("global", 1, 16)),
                *(("local", 0, 8), ("local", 1, 8)),
            )
        ],
    }
    for name, value in values.items():
        assert getattr(scene, name) == value, name
    best = set(recorded.targets.cls[:, 0].topk(4).indices.flatten().tolist())
    best |= set(recorded.student.logits[:, 0].topk(4).indices.flatten().tolist())
    assert scene.columns.tolist() == sorted(best)


def test_each_line_has_something_drawn_beside_it(step) -> None:
    scene, recorded, _ = step
    assert {visit["view"] for visit in scene.visits} == {
        view for views in VIEWS.values() for _, view in views
    }
    assert {one.__name__ for one in WATCHED} | {"targets_of"} == set(VIEWS)
    assert len(scene.visits) == len(recorded.visits)
    assert scene.visits[0]["view"] == "batch"
    assert scene.visits[-1]["view"] == "after"
    begins = [visit["view"] for visit in scene.visits if visit["depth"] == 0]
    assert begins == [
        *("batch", "batch", "teacher", "targets", "student", "losses", "gradients", "after")
    ]


def test_scene_is_sent_whole_and_has_its_charts(step) -> None:
    scene, _, _ = step
    for form in ("page", "npz"):
        assert len(packed(scene, form)[0]) > 1000
    charts = json.loads(packed(scene, "chart-dark")[0])
    assert list(charts) == ["after", "gradients", "shares", "moved"]
    json.dumps(plain(scene, ("shares",)), allow_nan=False)


def test_losses_without_weight_leave_their_places_empty() -> None:
    scene, _, _ = made(Choices(koleo_weight=0, ibot_weight=0, targets="sinkhorn_knopp"))
    assert (scene.koleo, scene.targets_by) == ([], "sinkhorn_knopp")
    assert (scene.ibot == -1).all()
    assert not scene.shares[:, 2:].any()
