"""What a network learns from its teachers in one training step."""

from __future__ import annotations

import torch
from torch.nn import functional

from tests.training.learning.module_parts import PLAIN, make_batch, make_module, run_heads
from training.learning.teachers import TeacherOutputs


class FixedTeachers:
    """Teachers with the same outputs for every face, which remember their input."""

    width = 5

    def __init__(self, probabilities, crowd=None):
        self.probabilities = torch.tensor(probabilities)
        self.crowd = crowd and torch.tensor(crowd)
        self.features = torch.arange(5.0) - 2
        self.inputs = None

    def predict(self, grey, temperature):
        self.inputs = (grey, temperature)
        rows = len(grey)
        return TeacherOutputs(
            self.probabilities.expand(rows, -1),
            None if self.crowd is None else self.crowd.expand(rows, -1),
            self.features.expand(rows, -1),
        )


def test_teachers_add_their_divergence_at_their_temperature(small_recipe):
    teachers = FixedTeachers([0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    recipe = small_recipe(**PLAIN, distillation=0.7, distillation_temperature=2, hints=0)
    module = make_module(recipe, teachers=teachers)
    batch = make_batch()
    logits, *_ = run_heads(module, batch)
    predicted = torch.softmax(logits / 2, dim=1)
    taught = teachers.probabilities
    divergence = (taught * (taught / predicted).log()).sum(dim=1).mean()
    expected = 0.3 * functional.cross_entropy(logits, batch[1]) + 0.7 * 4 * divergence
    torch.testing.assert_close(module.loss(batch), expected)
    grey, temperature = teachers.inputs
    assert temperature == 2
    torch.testing.assert_close(grey[:, 0], batch[0].float() / 255)


def test_teachers_teach_the_crowd_head_too(small_recipe):
    crowd = [0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1]
    teachers = FixedTeachers([1 / 7] * 7, crowd)
    values = {**PLAIN, "votes_head": 0.5, "label_head": 0, "hints": 0}
    recipe = small_recipe(**values, distillation=0.7, distillation_temperature=2)
    module = make_module(recipe, teachers=teachers)
    batch = make_batch()
    logits = run_heads(module, batch).crowd
    divergence = (teachers.crowd * (teachers.crowd / torch.softmax(logits / 2, 1)).log()).sum(1)
    by_votes = functional.cross_entropy(logits, batch[2][:, :7])
    expected = 0.5 * (0.3 * by_votes + 0.7 * 4 * divergence.mean())
    torch.testing.assert_close(module.loss(batch), expected)


def test_hints_add_the_error_in_predicting_the_teachers_features(small_recipe):
    teachers = FixedTeachers([1 / 7] * 7)
    module = make_module(small_recipe(**PLAIN, distillation=0, hints=0.5), teachers=teachers)
    batch = make_batch()
    result = run_heads(module, batch)
    assert result.hints.shape == (4, 5)
    gap = ((result.hints - teachers.features) ** 2).mean()
    expected = functional.cross_entropy(result.emotions, batch[1]) + 0.5 * gap
    torch.testing.assert_close(module.loss(batch), expected)


def test_teachers_see_the_mixed_faces_that_the_student_sees(small_recipe):
    teachers = FixedTeachers([1 / 7] * 7)
    recipe = small_recipe(**{**PLAIN, "mixup_chance": 1, "mixup_alpha": 5}, distillation=0.5)
    module = make_module(recipe, teachers=teachers)
    seen = []
    module.headed.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    batch = make_batch()
    module.loss(batch)
    grey, _ = teachers.inputs
    torch.testing.assert_close(grey * 2 - 1, seen[0][:, :1])
    assert not torch.allclose(grey[:, 0], batch[0].float() / 255, atol=0.1)
