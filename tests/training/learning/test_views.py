"""Teachers that are asked once about a few views of each face."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from core.errors import ConfigError
from tests.fakes import png
from tests.training.learning.module_parts import PLAIN, make_batch, make_module, run_heads
from tests.training.learning.test_distillation import FixedTeachers
from tests.training.learning.test_loader import make_dataset
from training.learning import train
from training.learning.hardware import Hardware
from training.learning.precision import Precision
from training.learning.teachers import TeacherOutputs
from training.learning.train import TrainingOptions, train_model
from training.learning.views import FILE, teach_views

CPU = Hardware("cpu", Precision.FULL, devices=1, nodes=1)


class BrightnessTeachers:
    """Teachers whose answer shows which picture they saw."""

    digests = ("a",)

    def __init__(self):
        self.asked = 0
        self.formats = set()

    def to(self, device):
        pass

    def predict(self, grey, temperature):
        self.asked += len(grey)
        self.formats.add((grey @ grey).dtype)
        brightness = grey.mean(dim=(1, 2, 3))[:, None].expand(-1, 7)
        return TeacherOutputs(brightness, brightness * temperature, grey)


@pytest.fixture
def recipe(small_recipe):
    return small_recipe(**{**PLAIN, "votes_head": 0.5}, views=2, hints=0)


def test_views_take_turns(draw):
    faces = make_dataset(draw, views=2)
    for index in range(3):
        pictures = [faces[(epoch, index)][0].numpy() for epoch in range(4)]
        np.testing.assert_array_equal(pictures[0], pictures[2])
        np.testing.assert_array_equal(pictures[1], pictures[3])
        assert (pictures[0] != pictures[1]).any()


def test_every_view_comes_with_what_the_teachers_said_of_it(draw, recipe, tmp_path):
    faces, teachers = make_dataset(draw, views=2), BrightnessTeachers()
    teach_views(faces, teachers, recipe, tmp_path, hardware=CPU, workers=0)
    assert teachers.asked == 2 * len(faces)
    for key in ((0, 0), (1, 5), (2, 3), (7, 1)):
        picture, *_, taught = faces[key]
        brightness = picture.float().mean() / 255
        expected = torch.stack([brightness, brightness * recipe.distillation_temperature])
        torch.testing.assert_close(taught, expected[:, None].expand(2, 7))


@pytest.mark.parametrize(
    ("precision", "expected"),
    [(Precision.FULL, torch.float32), (Precision.BF16_MIXED, torch.bfloat16)],
)
def test_teachers_compute_in_the_number_format_of_the_run(
    draw, recipe, tmp_path, precision, expected
):
    faces, teachers = make_dataset(draw, views=2), BrightnessTeachers()
    hardware = Hardware("cpu", precision, devices=1, nodes=1)
    teach_views(faces, teachers, recipe, tmp_path, hardware=hardware, workers=0)
    assert teachers.formats == {expected}


def test_resumed_run_asks_nobody_and_another_run_asks_again(draw, recipe, tmp_path):
    teachers = BrightnessTeachers()
    first = make_dataset(draw, views=2)
    teach_views(first, teachers, recipe, tmp_path, hardware=CPU, workers=0)
    again = make_dataset(draw, views=2)
    teach_views(again, teachers, recipe, tmp_path, hardware=CPU, workers=0)
    assert teachers.asked == 2 * len(first)
    np.testing.assert_array_equal(again.taught, first.taught)
    other = dataclasses.replace(recipe, distillation_temperature=5)
    teach_views(again, teachers, other, tmp_path, hardware=CPU, workers=0)
    assert teachers.asked == 4 * len(first)
    (tmp_path / FILE).write_bytes(b"damaged")
    teach_views(again, teachers, recipe, tmp_path, hardware=CPU, workers=0)
    assert teachers.asked == 6 * len(first)


def test_student_learns_from_them_as_from_teachers_that_are_asked_now(small_recipe):
    values = {**PLAIN, "votes_head": 0.5, "hints": 0, "distillation": 0.7}
    teachers = FixedTeachers([0.4, *[0.1] * 6], [*[0.1] * 6, 0.4])
    batch = make_batch()
    taught = torch.stack([teachers.probabilities, teachers.crowd]).expand(len(batch[0]), 2, 7)
    expected = make_module(small_recipe(**values), teachers=teachers).loss(batch)
    module = make_module(small_recipe(**values))
    torch.testing.assert_close(module.loss((*batch[:4], taught)), expected)
    labels_only = module.loss((*batch[:4], taught[:, :1]))
    assert not torch.isclose(labels_only, expected)
    assert not torch.isclose(labels_only, module.loss(batch))


def test_mixed_faces_have_mixed_teachers(small_recipe):
    recipe = small_recipe(**{**PLAIN, "mixup_chance": 1, "mixup_alpha": 5}, distillation=1)
    module = make_module(recipe)
    one_hot = torch.eye(7)[:4, None]
    *_, taught = module._mix((module.normalise(make_batch()[0]), *make_batch()[1:4], one_hot))
    torch.testing.assert_close(taught.sum(dim=2), torch.ones(4, 1))
    assert not torch.equal(taught, one_hot)


def test_run_asks_its_teachers_before_it_starts(
    weights_copy, faces_dir, small_recipe, tmp_path, monkeypatch
):
    module = None

    def remember(*given, **named):
        nonlocal module
        module = original(*given, **named)
        return module

    original = train.EmotionModule
    monkeypatch.setattr(train, "EmotionModule", remember)
    options = TrainingOptions(
        "scratch", workers=0, teachers=[weights_copy / "mobilenet_v2.safetensors"]
    )
    recipe = small_recipe(epochs=2, views=1, hints=0)
    run = train_model(recipe, [faces_dir], tmp_path / "run", options)
    facts = json.loads((run.directory / "training.json").read_text())
    assert len(facts["teachers"]) == 1
    assert (tmp_path / "run" / FILE).is_file()
    assert module._teachers is None
    with pytest.raises(ConfigError, match="features are not kept"):
        train_model(small_recipe(views=1, hints=0.5), [faces_dir], tmp_path / "b", options)
    assert run_heads(module, make_batch()).hints is None


def test_unlabelled_faces_need_a_teacher_and_are_part_of_the_run(
    weights_copy, faces_dir, small_recipe, astronaut, tmp_path
):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.png").write_bytes(png(astronaut))
    recipe = small_recipe(epochs=1, views=1, hints=0)
    alone = TrainingOptions("scratch", workers=0, unlabelled=[photos])
    with pytest.raises(ConfigError, match="without a teacher"):
        train_model(recipe, [faces_dir], tmp_path / "run", alone)
    taught = dataclasses.replace(alone, teachers=[weights_copy / "mobilenet_v2.safetensors"])
    run = train_model(recipe, [faces_dir], tmp_path / "run", taught)
    facts = json.loads((run.directory / "training.json").read_text())
    assert (facts["unlabelled"], facts["unlabelled_files"]) == (1, ["photos"])
