"""distillation/views.py: a batch is a function of seed and step; boxes follow from the content."""

import hashlib
import shutil
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_distillations import FOLLOW, RUN, found, maker
from tiny_runs import files, picture

from dino_core.distillation.views import asked_about, student_images
from dino_core.images import to_tensor


def test_two_processes_share_the_batch_of_one(data):
    whole = maker(data).make(3)
    parts = [maker(data, rank=rank, world=2).make(3) for rank in (0, 1)]
    assert whole.views == parts[0].views + parts[1].views
    np.testing.assert_array_equal(whole.pixels, np.concatenate([one.pixels for one in parts]))


def test_every_crop_of_every_picture_comes_once_in_as_many_passes(data):
    made = maker(data)
    assert made.crops == 4
    keys = [made.view_at(place, {}).key for place in range(80)]
    assert len(set(keys)) == 40
    assert set(keys[:40]) == set(keys[40:])
    # the first pass is of whole pictures: 24 x 20 px without 2 columns at each side
    assert {made.view_at(place, {}).box for place in range(10)} == {(2, 0, 22, 20)}


def test_boxes_follow_from_the_content_and_not_from_seed_or_name(data, tmp_path):
    other = tmp_path / "renamed"
    other.mkdir()
    for path in data.iterdir():
        shutil.copy(path, other / f"another-{path.name}")
    keys = {maker(data).view_at(place, {}).key for place in range(40)}
    again = maker(other, replace(RUN, seed=7))
    assert {again.view_at(place, {}).key for place in range(40)} == keys


def test_more_pictures_than_answers_are_thinned_out_evenly(data):
    pictures, crops = asked_about(found(data), 4)
    assert (crops, pictures.names) == (1, ("00.png", "02.png", "05.png", "07.png"))


def test_what_the_student_sees_is_the_crop_turned_and_brightened(data):
    made = maker(data)
    raw = made.make(2)
    images = student_images(raw)
    assert {view.flipped for view in raw.views} == {False, True}
    for image, view in zip(images, raw.views, strict=True):
        source = found(data).picture(view.index)
        crop = source.resize((16, 16), Image.Resampling.BICUBIC, view.box)
        wanted = torch.from_numpy(np.asarray(crop).copy()).float().permute(2, 0, 1) / 255
        wanted = view.gain * wanted + view.offset
        if view.flipped:
            wanted = wanted.flip(2)
        grey = to_tensor(Image.new("RGB", (16, 16)))  # 0 -> -mean / std
        white = to_tensor(Image.new("RGB", (16, 16), "white"))
        torch.testing.assert_close(image, grey + wanted * (white - grey), atol=1e-5, rtol=0)


def test_a_broken_picture_is_named_and_the_next_one_taken(tmp_path):
    contents = {f"{i}.png": picture(i) for i in range(4)}
    folder = files(tmp_path / "some", {**contents, "2.png": picture(2)[:60]})
    made = maker(folder, replace(RUN, follow=replace(FOLLOW, answers=4)))
    raw = made.make(0)
    assert [name for name, _ in raw.broken] == ["2.png"]
    assert {made.pictures.names[view.index] for view in raw.views} == {"0.png", "1.png", "3.png"}


@pytest.mark.parametrize("answers", [1, 10, 25])
def test_crops_are_never_more_than_was_allowed(data, answers):
    pictures, crops = asked_about(found(data), answers)
    assert len(pictures) * crops <= answers


def test_the_teacher_is_asked_about_crops_that_stand_upright(data):
    made = maker(data)
    view = next(v for v in (made.view_at(place, {}) for place in range(40)) if v.flipped)
    upright = made.pixels(view, 16, upright=True)
    np.testing.assert_array_equal(upright, made.pixels(replace(view, flipped=False), 16))
    np.testing.assert_array_equal(upright[:, ::-1], made.pixels(view, 16))
    assert (upright != upright[:, ::-1]).any()


def test_crops_become_brighter_and_darker(data):
    follow = replace(FOLLOW, gain=0.2, offset=0.1)
    made = maker(data, replace(RUN, follow=follow))
    views = [made.view_at(place, {}) for place in range(40)]
    for numbers, middle, most in (
        ([view.gain for view in views], 1.0, 0.2),
        ([view.offset for view in views], 0.0, 0.1),
    ):
        assert middle - most <= min(numbers) < middle - most / 2
        assert middle + most / 2 < max(numbers) <= middle + most


def test_the_middle_square_lies_in_the_middle_of_either_side(data):
    made = maker(data)
    assert made.box(0, Image.new("RGB", (30, 20)), 0) == (5, 0, 25, 20)
    assert made.box(0, Image.new("RGB", (20, 30)), 0) == (0, 5, 20, 25)


def test_crops_are_as_large_as_the_recipe_says(data):
    made = maker(data, replace(RUN, follow=replace(FOLLOW, crop_scale=(0.1, 0.12))))
    for number in range(1, 9):
        left, top, right, bottom = made.box(0, Image.new("RGB", (200, 160)), number)
        assert 0.095 < (right - left) * (bottom - top) / (200 * 160) < 0.125


def test_an_answer_is_kept_under_the_whole_digest_of_the_file(data):
    made = maker(data)
    view = made.view_at(3, {})
    digest = hashlib.blake2b(found(data).read(view.index), digest_size=16).digest()
    assert view.key == digest + struct.pack("<4i", *view.box)
