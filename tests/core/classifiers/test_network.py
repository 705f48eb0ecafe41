"""One network as a classifier: mirrored views, batches, invalid outputs."""

from __future__ import annotations

import numpy as np
import pytest

from core import InferenceError, WeightsMissing
from core.calibration import softmax
from core.classifiers import ARCHITECTURES
from core.classifiers.network import BATCH, NetworkClassifier
from core.weights import read_spec


class Runner:
    """Return ``answer`` for each face and record the batches."""

    def __init__(self, answer):
        self.answer = answer
        self.batches = []

    def run(self, batch):
        self.batches.append(batch)
        return np.stack([self.answer(each) for each in batch]).astype(np.float32)


@pytest.fixture
def classifier(weights_dir):
    def make(answer):
        runner = Runner(answer)
        return NetworkClassifier(read_spec("mobilenet_v2", weights_dir), runner), runner

    return make


def left_of(face):
    """Return logits that depend only on the left half of the picture."""
    return np.array([face[0, :, :24].mean(), 0, 0, 1, 0, 0, 0])


def test_answer_is_the_mean_of_both_views(classifier, faces48):
    made, _ = classifier(left_of)
    inputs = made.spec.preprocessing(faces48)
    one = softmax(np.stack([left_of(each) for each in inputs]))
    other = softmax(np.stack([left_of(each[:, :, ::-1]) for each in inputs]))
    assert np.abs(one - other).max() > 0.05
    assert np.exp(made.logits(faces48)) == pytest.approx((one + other) / 2, abs=1e-6)


def test_network_sees_each_face_and_its_mirror_image_in_bounded_batches(classifier, faces48):
    made, runner = classifier(left_of)
    made.logits(np.repeat(faces48, 7, axis=0))  # 84 faces
    assert [len(batch) for batch in runner.batches] == [2 * BATCH, 2 * 20]
    batch = runner.batches[0]
    assert (batch[0] == batch[BATCH][..., ::-1]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_output_that_is_not_a_number_is_an_error(classifier, faces48, value):
    made, _ = classifier(lambda face: np.array([0, 0, value, 0, 0, 0, 0]))
    with pytest.raises(InferenceError, match="not a number"):
        made.logits(faces48)


def test_improbable_class_has_a_finite_logit(classifier, faces48):
    made, _ = classifier(lambda face: np.array([1e4, 0, 0, 0, 0, 0, -1e4]))
    rows = made.logits(faces48)
    assert np.isfinite(rows).all()
    assert (rows.argmax(axis=1) == 0).all()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_untrained_network_names_the_training_command(tmp_path, name):
    (tmp_path / "manifest.json").write_text('{"schema_version": 1, "models": {}}')
    with pytest.raises(WeightsMissing, match=f"{name} is not trained yet") as caught:
        read_spec(name, tmp_path)
    assert f"emotion train --model {name}" in caught.value.hint
