"""Temperature, the "not sure" level, and the data allowed for calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.calibration import Calibration, softmax
from core.errors import ConfigError, DataError, WeightsMissing
from core.labels import EMOTIONS, Reading
from core.weights import read_manifest, read_spec
from training.evaluation import calibrate
from training.evaluation.calibrate import (
    DEFAULT_CROWD_SHARE,
    CalibrationData,
    calibrate_model,
    find_certain_level,
    fit_calibration,
    fit_crowd_share,
    fit_temperature,
)
from training.evaluation.metrics import compute_calibration_error, encode_labels
from training.learning.export import read_entry, update_model
from training.learning.train import TrainingOptions, train_model


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
    assert fit_temperature(logits * np.float32(factor), encode_labels(labels)) == pytest.approx(
        factor, rel=0.06
    )


def test_temperature_has_the_least_negative_log_likelihood(drawn):
    logits, labels = drawn
    found = fit_temperature(logits * 2, encode_labels(labels))

    def loss(temperature):
        rows = softmax(logits * 2 / temperature)
        return -np.log(rows[np.arange(len(labels)), labels]).mean()

    assert loss(found) < min(loss(found * 1.02), loss(found / 1.02))


def test_calibration_lowers_the_loss_and_keeps_every_answer(drawn):
    logits, labels = drawn
    calibration = fit_calibration(logits * 3, encode_labels(labels))
    before, after = softmax(logits * 3), calibration.probabilities(logits * 3)
    rows = np.arange(len(labels))
    assert -np.log(after[rows, labels]).mean() < -np.log(before[rows, labels]).mean() - 0.1
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))


def test_temperature_is_usable_if_all_answers_are_right_or_all_are_alike():
    for logits in (np.eye(7, dtype=np.float32) * 5, np.zeros((7, 7), np.float32)):
        assert 0 < fit_calibration(logits, np.eye(7)).temperature <= 20.1


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
    calibration = fit_calibration(logits, encode_labels(labels), 0.8)
    rows = calibration.probabilities(logits)
    answered = rows.max(axis=1) >= calibration.certain_from
    assert 0 < calibration.coverage < 1
    assert calibration.coverage == answered.mean()
    assert calibration.selective_accuracy == (rows.argmax(axis=1) == labels)[answered].mean()
    assert calibration.selective_accuracy == pytest.approx(0.8, abs=0.01)


def test_network_that_never_reaches_the_target_is_never_certain():
    logits = np.eye(7, dtype=np.float32)
    calibration = fit_calibration(logits, np.roll(np.eye(7), 1, axis=1), 0.8)
    assert calibration == Calibration(calibration.temperature, 1.0, 0.0, None)


LOW = dict.fromkeys(Reading, 0.3)


def calibrated(faces, folder, votes=None, photos=None, **options):
    return calibrate_model(
        CalibrationData([faces], votes, photos),
        model="mobilenet_v2",
        weights_dir=folder,
        engine="torch",
        **options,
    )


def test_calibration_of_both_readings_is_stored_with_the_weights(
    faces_dir, votes_csv, weights_copy
):
    update_model(weights_copy, "mobilenet_v2", {"metrics": {"validation": {"n": 21}}})
    report = calibrated(faces_dir, weights_copy, votes_csv, target_accuracy=LOW)
    spec = read_spec("mobilenet_v2", weights_copy)
    for reading in Reading:
        result = report.readings[reading]
        assert spec.calibrations[reading] == result.calibration
        assert result.calibration.temperature != 1.0
        assert result.n == 21
        assert result.nll_after <= result.nll_before
    shares = [spec.calibrations[each].crowd_share for each in Reading]
    assert shares == [DEFAULT_CROWD_SHARE, 0]
    # Dropped, because it was measured with the old calibration.
    assert spec.metrics == {}
    assert read_entry(weights_copy, "mobilenet_v2")["calibrated_on"] == {
        "data": "FER-2013 PublicTest",
        "n": {"fer2013": 21, "people": 21},
        "votes": "votes.csv",
        "photos": None,
        "target_accuracy": {"fer2013": 0.3, "people": 0.3},
    }
    assert spec.load()


def test_network_with_a_crowd_head_needs_votes(faces_dir, weights_copy):
    before = (weights_copy / "manifest.json").read_bytes()
    with pytest.raises(ConfigError, match="only be calibrated with their votes"):
        calibrated(faces_dir, weights_copy)
    assert (weights_copy / "manifest.json").read_bytes() == before


def test_votes_on_other_faces_are_refused(faces_dir, votes_csv, weights_copy, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text(votes_csv.read_text().replace("PublicTest_", "Elsewhere_"))
    with pytest.raises(DataError, match="No face has 5 votes"):
        calibrated(faces_dir, weights_copy, other)


def test_network_with_one_head_has_one_calibration(faces_dir, small_recipe, tmp_path):
    train_model(
        small_recipe(epochs=1), [faces_dir], tmp_path, TrainingOptions("scratch", workers=0)
    )
    report = calibrated(faces_dir, tmp_path, target_accuracy=LOW)
    assert list(report.readings) == [Reading.FER2013]
    spec = read_spec("mobilenet_v2", tmp_path)
    assert spec.calibrations[Reading.PEOPLE] == spec.calibrations[Reading.FER2013]


def test_blend_is_fitted_to_natural_photos(faces_dir, votes_csv, weights_copy, monkeypatch):
    read = []

    def read_photo_faces(photos):
        read.append(photos)
        return np.zeros((7, 48, 48), np.uint8), np.arange(7)

    monkeypatch.setattr(calibrate, "read_photo_faces", read_photo_faces)
    monkeypatch.setattr(calibrate, "fit_crowd_share", lambda logits, labels: len(labels) / 10)
    calibrated(faces_dir, weights_copy, votes_csv, Path("natural.zip"))
    spec = read_spec("mobilenet_v2", weights_copy)
    assert spec.calibrations[Reading.PEOPLE].crowd_share == 0.7
    assert read == [Path("natural.zip")]


@pytest.mark.parametrize("better", [0, 1])
def test_share_of_the_crowd_is_that_of_the_head_that_is_right(drawn, better):
    logits, labels = drawn
    heads = np.random.default_rng(1).normal(size=(len(labels), 2, 7)).astype(np.float32)
    heads[:, better] = logits
    assert fit_crowd_share(heads, labels) == pytest.approx(better, abs=0.1)


def test_frequent_labels_count_as_often_as_in_life():
    """The crowd head is right on the neutral faces, the label head on just as many fearful ones."""
    labels = np.repeat([EMOTIONS.index("neutral"), EMOTIONS.index("fear")], 50)
    heads = np.zeros((100, 2, 7), np.float32)
    heads[:, 0, EMOTIONS.index("fear")] = 3
    heads[:, 1, EMOTIONS.index("neutral")] = 3
    assert fit_crowd_share(heads, labels) > 0.5


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
        calibrated(faces_dir, weights_copy, target_accuracy=dict.fromkeys(Reading, target))


def test_calibrated_weights_can_be_published(faces_dir, votes_csv, weights_copy, tmp_path):
    report = calibrated(faces_dir, weights_copy, votes_csv, publish_to=tmp_path / "shipped")
    spec = read_spec("mobilenet_v2", tmp_path / "shipped")
    assert spec.calibrations[Reading.PEOPLE] == report.readings[Reading.PEOPLE].calibration
    assert spec.load()


def test_untrained_network_asks_for_training(faces_dir, weights_copy):
    with pytest.raises(WeightsMissing, match="resnet50 is not trained") as raised:
        calibrate_model(CalibrationData([faces_dir]), model="resnet50", weights_dir=weights_copy)
    assert "emotion train" in raised.value.hint


def test_ensemble_of_missing_members_is_refused(faces_dir, weights_copy):
    with pytest.raises(WeightsMissing):
        calibrate_model(CalibrationData([faces_dir]), model="ensemble", weights_dir=weights_copy)
    assert set(read_manifest(weights_copy)) == {"mobilenet_v2"}
    with pytest.raises(ConfigError, match="no file to publish"):
        calibrate_model(
            CalibrationData([faces_dir]),
            model="ensemble",
            weights_dir=weights_copy,
            publish_to=weights_copy,
        )


def test_smoothing_of_the_answers_is_found_and_removed():
    generator = np.random.default_rng(0)
    true = softmax(generator.normal(size=(6000, 7)) * 4)
    labels = np.array([generator.choice(7, p=row) for row in true])
    smoothed = np.log(0.86 * true + 0.14 / 7).astype(np.float32)
    found = fit_calibration(smoothed, encode_labels(labels))
    assert found.smoothing == pytest.approx(0.14, abs=0.03)
    assert found.temperature == pytest.approx(1, abs=0.08)
    after = compute_calibration_error(found.probabilities(smoothed), labels)
    alone = Calibration(fit_temperature(smoothed, encode_labels(labels)))
    assert after < 0.6 * compute_calibration_error(alone.probabilities(smoothed), labels)


def test_no_smoothing_is_removed_if_there_is_none(drawn):
    logits, labels = drawn
    assert fit_calibration(logits, encode_labels(labels)).smoothing == 0
