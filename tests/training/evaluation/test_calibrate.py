"""Temperature, the "not sure" level, and the data allowed for calibration."""

from __future__ import annotations

import numpy as np
import pytest

from core.calibration import Calibration, softmax
from core.errors import ConfigError, DataError, WeightsMissing
from core.weights import read_manifest, read_spec
from training.evaluation.calibrate import (
    calibrate_model,
    find_certain_level,
    fit_calibration,
    fit_temperature,
)
from training.evaluation.metrics import compute_calibration_error
from training.learning.export import read_entry, update_model


@pytest.fixture(scope="module")
def drawn():
    """Logits whose labels were drawn from their own softmax: temperature 1 is right for them."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(4000, 7)).astype(np.float32) * 2
    labels = np.array([generator.choice(7, p=row) for row in softmax(logits)])
    return logits, labels


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_temperature_that_scaled_the_logits_is_found(drawn, factor):
    logits, labels = drawn
    assert fit_temperature(logits * np.float32(factor), labels) == pytest.approx(factor, rel=0.06)


def test_temperature_has_the_least_negative_log_likelihood(drawn):
    logits, labels = drawn
    found = fit_temperature(logits * 2, labels)

    def loss(temperature):
        rows = softmax(logits * 2 / temperature)
        return -np.log(rows[np.arange(len(labels)), labels]).mean()

    assert loss(found) < min(loss(found * 1.02), loss(found / 1.02))


def test_calibration_lowers_the_loss_and_keeps_every_answer(drawn):
    logits, labels = drawn
    calibration = fit_calibration(logits * 3, labels)
    before, after = softmax(logits * 3), calibration.probabilities(logits * 3)
    rows = np.arange(len(labels))
    assert -np.log(after[rows, labels]).mean() < -np.log(before[rows, labels]).mean() - 0.1
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))


def test_temperature_is_usable_if_all_answers_are_right_or_all_are_alike():
    for logits in (np.eye(7, dtype=np.float32) * 5, np.zeros((7, 7), np.float32)):
        assert 0 < fit_calibration(logits, np.arange(7)).temperature <= 20.1


@pytest.mark.parametrize(
    ("top", "correct", "target", "level"),
    [
        # Accuracy from the top: 1, 1/2, 2/3, 3/4, 3/5.
        ([0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 1, 0], 0.75, 0.6),
        ([0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 1, 0], 0.5, 0.5),
        ([0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 1, 0], 0.8, 0.9),
        # The order of the faces does not matter.
        ([0.6, 0.5, 0.9, 0.7, 0.8], [1, 0, 1, 1, 0], 0.75, 0.6),
        # A level includes all equal probabilities.
        ([0.9, 0.6, 0.6], [1, 1, 0], 0.8, 0.9),
        ([0.9, 0.6, 0.6], [1, 0, 1], 0.6, 0.6),
        # Nothing reaches the target.
        ([0.9, 0.8], [0, 0], 0.5, 1.0),
    ],
)
def test_certain_level_is_the_smallest_that_reaches_the_target(top, correct, target, level):
    assert find_certain_level(np.array(top), np.array(correct, dtype=bool), target) == level


def test_coverage_and_accuracy_are_stored_with_the_level(drawn):
    logits, labels = drawn
    calibration = fit_calibration(logits, labels, 0.8)
    rows = calibration.probabilities(logits)
    answered = rows.max(axis=1) >= calibration.certain_from
    assert 0 < calibration.coverage < 1
    assert calibration.coverage == answered.mean()
    assert calibration.selective_accuracy == (rows.argmax(axis=1) == labels)[answered].mean()
    assert calibration.selective_accuracy == pytest.approx(0.8, abs=0.01)


def test_network_that_never_reaches_the_target_is_never_certain():
    logits = np.eye(7, dtype=np.float32)
    calibration = fit_calibration(logits, (np.arange(7) + 1) % 7, 0.8)
    assert calibration == Calibration(calibration.temperature, 1.0, 0.0, None)


def calibrated(faces, folder, **options):
    return calibrate_model(
        [faces], model="mobilenet_v2", weights_dir=folder, engine="torch", **options
    )


def test_calibration_is_stored_with_the_weights(faces_dir, weights_copy):
    update_model(weights_copy, "mobilenet_v2", {"metrics": {"validation": {"n": 21}}})
    report = calibrated(faces_dir, weights_copy, target_accuracy=0.3)
    spec = read_spec("mobilenet_v2", weights_copy)
    assert spec.calibration == report.calibration
    assert spec.calibration.temperature != 1.0
    assert report.n == 21
    assert report.nll_after <= report.nll_before
    # Dropped, because it was measured with the old calibration.
    assert spec.metrics == {}
    assert read_entry(weights_copy, "mobilenet_v2")["calibrated_on"] == {
        "data": "FER-2013 PublicTest",
        "n": 21,
        "target_accuracy": 0.3,
    }
    assert spec.load()


@pytest.mark.parametrize("split", ["test", "train"])
def test_calibration_refuses_faces_of_other_splits(faces_dir, weights_copy, split):
    before = (weights_copy / "manifest.json").read_bytes()
    with pytest.raises(ConfigError, match=f"not the {split} split"):
        calibrated(faces_dir, weights_copy, split=split)
    with pytest.raises(DataError, match="No validation faces"):
        calibrated(faces_dir / split, weights_copy)
    assert (weights_copy / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("target", [0, -0.1, 1.1, float("nan")])
def test_impossible_target_is_refused(faces_dir, weights_copy, target):
    with pytest.raises(ConfigError, match="between 0 and 1"):
        calibrated(faces_dir, weights_copy, target_accuracy=target)


def test_calibrated_weights_can_be_published(faces_dir, weights_copy, tmp_path):
    report = calibrated(faces_dir, weights_copy, publish_to=tmp_path / "shipped")
    spec = read_spec("mobilenet_v2", tmp_path / "shipped")
    assert spec.calibration == report.calibration
    assert spec.load()


def test_untrained_network_asks_for_training(faces_dir, weights_copy):
    with pytest.raises(WeightsMissing, match="resnet50 is not trained") as raised:
        calibrate_model([faces_dir], model="resnet50", weights_dir=weights_copy)
    assert "emotion train" in raised.value.hint


def test_ensemble_of_missing_members_is_refused(faces_dir, weights_copy):
    with pytest.raises(WeightsMissing):
        calibrate_model([faces_dir], model="ensemble", weights_dir=weights_copy)
    assert set(read_manifest(weights_copy)) == {"mobilenet_v2"}
    with pytest.raises(ConfigError, match="no file to publish"):
        calibrate_model(
            [faces_dir], model="ensemble", weights_dir=weights_copy, publish_to=weights_copy
        )


def test_smoothing_of_the_answers_is_found_and_removed():
    generator = np.random.default_rng(0)
    true = softmax(generator.normal(size=(6000, 7)) * 4)
    labels = np.array([generator.choice(7, p=row) for row in true])
    smoothed = np.log(0.86 * true + 0.14 / 7).astype(np.float32)
    found = fit_calibration(smoothed, labels)
    assert found.smoothing == pytest.approx(0.14, abs=0.03)
    assert found.temperature == pytest.approx(1, abs=0.08)
    after = compute_calibration_error(found.probabilities(smoothed), labels)
    alone = Calibration(fit_temperature(smoothed, labels))
    assert after < 0.6 * compute_calibration_error(alone.probabilities(smoothed), labels)


def test_no_smoothing_is_removed_if_there_is_none(drawn):
    logits, labels = drawn
    assert fit_calibration(logits, labels).smoothing == 0
