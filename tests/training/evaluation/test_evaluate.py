"""Evaluation from data to metrics.json, predictions, plots and model card."""

from __future__ import annotations

import csv
import json

import cv2
import numpy as np
import pytest

from core.calibration import LABEL_HEAD, softmax
from core.catalog import model_catalog
from core.classifiers.network import load_network
from core.config import Device, Engine
from core.errors import DataError, UnknownComponent, WeightsMissing
from core.labels import EMOTIONS, Reading
from core.weights import read_models, read_spec
from training.data.faces import read_faces
from training.data.splits import Split
from training.evaluation.calibrate import CalibrationData, calibrate_model
from training.learning.train import TrainingOptions, train_model
from training.reporting.comparison import (
    build_comparison_rows,
    build_pair_rows,
    format_comparison_table,
)
from training.reporting.evaluation import evaluate_models

HEADLINES = ("accuracy", "balanced_accuracy", "macro_f1", "nll", "brier", "ece")


def evaluated(faces, weights, out, **options):
    options = {"split": "validation", "weights_dir": weights, "engine": "torch", **options}
    return evaluate_models([faces], directory=out, **options)


@pytest.fixture(scope="module")
def measured(faces_dir, votes_csv, finished_run, tmp_path_factory):
    """metrics.json of the finished run on its validation faces, calibrated and recorded."""
    run, _ = finished_run
    folder = tmp_path_factory.mktemp("measured")
    weights = folder / "weights"
    calibrate_model(
        CalibrationData([faces_dir], votes_csv),
        model="mobilenet_v2",
        weights_dir=_copied(run.directory, weights),
        engine="torch",
        target_accuracy=dict.fromkeys(Reading, 0.2),
    )
    evaluated(faces_dir, weights, folder / "out", votes=votes_csv, record=True)
    return folder, json.loads((folder / "out" / "metrics.json").read_text())


def _copied(source, destination):
    destination.mkdir()
    for name in ("manifest.json", "mobilenet_v2.safetensors"):
        (destination / name).write_bytes((source / name).read_bytes())
    return destination


def test_document_names_the_data_and_the_models(measured):
    _, document = measured
    assert document["schema_version"] == 1
    assert document["data"] == "FER-2013 PublicTest"
    assert (document["split"], document["votes"]) == ("validation", "votes.csv")
    assert document["classes"] == list(EMOTIONS)
    assert list(document["models"]) == ["mobilenet_v2"]


def test_every_headline_is_a_number_with_its_interval(measured):
    result = measured[1]["models"]["mobilenet_v2"]
    assert result["n"] == 21
    for name in HEADLINES:
        assert isinstance(result[name], float), name
        low, high = result[f"{name}_interval"]
        assert low <= high, name
    assert result["seconds"] > 0


def test_figures_match_the_network_s_answers(measured, faces_dir):
    folder, document = measured
    result = document["models"]["mobilenet_v2"]
    faces = read_faces([faces_dir], Split.VALIDATION)
    spec = read_spec("mobilenet_v2", folder / "weights")
    network = load_network(spec, engine=Engine.TORCH, device=Device.CPU)
    both = network.logits(faces.images)
    rows = network.spec.calibrations[Reading.FER2013].probabilities(both)
    logits = both[:, LABEL_HEAD]
    right = rows.argmax(axis=1) == faces.labels
    assert result["accuracy"] == pytest.approx(right.mean())
    picked = rows[np.arange(21), faces.labels]
    assert result["nll"] == pytest.approx(-np.log(picked).mean())
    plain = softmax(logits)[np.arange(21), faces.labels]
    assert result["nll_uncalibrated"] == pytest.approx(-np.log(plain).mean())
    assert result["nll"] < result["nll_uncalibrated"]
    assert result["weights_sha256"] == {"mobilenet_v2": network.spec.sha256}
    assert sum(map(sum, result["confusion_matrix"])) == 21


def test_people_are_asked_whether_they_agree(measured):
    """Eight of eight votes are the label, so people and labels agree."""
    folder, document = measured
    result = document["models"]["mobilenet_v2"]["people"]
    stored = read_spec("mobilenet_v2", folder / "weights")
    calibration = stored.calibrations[Reading.PEOPLE]
    assert result["n"] == 21
    assert result["crowd_share"] == calibration.crowd_share == 0.75
    assert result["certain"] == {
        "from": calibration.certain_from,
        "coverage": pytest.approx(calibration.coverage),
        "accuracy": pytest.approx(calibration.selective_accuracy),
    }
    for figures in (result, result["crowd_head"]):
        assert figures["agreement"] == figures["voters"]
        for name in ("agreement", "voters", "kl"):
            low, high = figures[f"{name}_interval"]
            assert low <= figures[name] <= high
    assert result["majority_of_eight"]["n"] == 21
    assert result["majority_of_eight"]["accuracy"] == pytest.approx(result["agreement"])
    assert 0 <= result["share_error"] <= 1
    recorded = stored.metrics["validation"]["people"]
    assert recorded["agreement"] == result["agreement"]
    assert "per_class" not in recorded


def test_certain_answers_use_the_stored_level(measured):
    folder, document = measured
    result = document["models"]["mobilenet_v2"]["certain"]
    stored = read_spec("mobilenet_v2", folder / "weights").calibrations[Reading.FER2013]
    assert result == {
        "from": stored.certain_from,
        "coverage": pytest.approx(stored.coverage),
        "accuracy": pytest.approx(stored.selective_accuracy),
    }


def test_predictions_have_one_line_for_each_face(measured, faces_dir):
    folder, document = measured
    with (folder / "out" / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["reading"] == "fer2013"]
    faces = read_faces([faces_dir], Split.VALIDATION)
    assert [row["name"] for row in rows] == list(faces.names)
    assert [row["label"] for row in rows] == [EMOTIONS[label] for label in faces.labels]
    right = sum(row["top"] == row["label"] for row in rows) / 21
    assert right == pytest.approx(document["models"]["mobilenet_v2"]["accuracy"])
    for row in rows:
        shares = {emotion: float(row[emotion]) for emotion in EMOTIONS}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert shares[row["top"]] == max(shares.values())
        assert row["certain"] in {"0", "1"}


@pytest.mark.parametrize(
    "name",
    [
        "reliability_people_mobilenet_v2.png",
        "reliability_mobilenet_v2.png",
        "confusion_mobilenet_v2.png",
        "risk_coverage.png",
    ],
)
def test_plots_are_not_blank(measured, name):
    picture = cv2.imread(str(measured[0] / "out" / name))
    assert min(picture.shape[:2]) > 400
    assert picture.std() > 20


def test_crowd_figures_exist_only_with_votes(measured, faces_dir, tmp_path):
    folder, document = measured
    crowd = document["models"]["mobilenet_v2"]["crowd"]
    assert (crowd["n"], crowd["labels_matching_plurality"]) == (21, 1.0)
    evaluated(faces_dir, folder / "weights", tmp_path)
    result = json.loads((tmp_path / "metrics.json").read_text())
    assert result["models"]["mobilenet_v2"]["crowd"] is None


def test_second_figures_leave_out_near_copies_of_training_faces(
    measured, faces_dir, tmp_path, draw, save_png
):
    folder = tmp_path / "faces"
    for name, emotion, seed in (
        ("Training_1.png", 2, 5),
        ("PublicTest_2.png", 2, 5),
        ("PublicTest_3.png", 3, 6),
    ):
        save_png(folder / EMOTIONS[emotion] / name, draw(emotion, seed))
    result = evaluated(folder, measured[0] / "weights", tmp_path / "out").models["mobilenet_v2"]
    assert result["n"] == 2
    assert (result["deduplicated"]["removed"], result["deduplicated"]["n"]) == (1, 1)
    assert len(result["deduplicated"]["accuracy_interval"]) == 2
    # Without training faces, copies are unknown.
    alone = evaluated(faces_dir / "validation", measured[0] / "weights", tmp_path / "alone")
    assert alone.models["mobilenet_v2"]["deduplicated"] is None


def test_no_second_figures_if_all_faces_are_copies(measured, tmp_path, draw, save_png):
    for name in ("Training_1.png", "PublicTest_2.png"):
        save_png(tmp_path / "faces" / "fear" / name, draw(2, 5))
    result = evaluated(tmp_path / "faces", measured[0] / "weights", tmp_path / "out", record=False)
    assert result.models["mobilenet_v2"]["deduplicated"] == {"removed": 1, "n": 0}


def test_recorded_figures_are_in_the_manifest_beside_other_splits(measured, faces_dir, tmp_path):
    weights = _copied(measured[0] / "weights", tmp_path / "weights")
    result = evaluated(faces_dir, weights, tmp_path / "out", split="test", record=True)
    metrics = read_spec("mobilenet_v2", weights).metrics
    assert list(metrics) == ["validation", "test"]
    document = measured[1]["models"]["mobilenet_v2"]
    assert metrics["validation"]["data"] == "FER-2013 PublicTest"
    assert metrics["test"]["data"] == "FER-2013 PrivateTest"
    assert metrics["test"]["n"] == 7
    for name in HEADLINES:
        assert metrics["validation"][name] == document[name]
        assert metrics["validation"][f"{name}_interval"] == document[f"{name}_interval"]
    assert result.cards == (weights / "mobilenet_v2.md",)
    assert "7 test faces of FER-2013 PrivateTest" in result.cards[0].read_text()


def test_figures_are_recorded_only_on_request(measured, faces_dir, tmp_path):
    weights = _copied(measured[0] / "weights", tmp_path / "weights")
    before = (weights / "manifest.json").read_bytes()
    assert evaluated(faces_dir, weights, tmp_path / "out").cards == ()
    assert (weights / "manifest.json").read_bytes() == before
    assert not (weights / "mobilenet_v2.md").exists()


def test_openvino_gives_the_same_figures(measured, faces_dir, tmp_path):
    result = evaluated(faces_dir, measured[0] / "weights", tmp_path, engine="openvino")
    here, there = result.models["mobilenet_v2"], measured[1]["models"]["mobilenet_v2"]
    assert here["confusion_matrix"] == there["confusion_matrix"]
    assert here["nll"] == pytest.approx(there["nll"], abs=1e-3)


def test_speed_is_measured_recorded_and_plotted_on_request(measured, faces_dir, tmp_path):
    weights = _copied(measured[0] / "weights", tmp_path / "weights")
    result = evaluated(faces_dir, weights, tmp_path / "out", record=True, speed=True)
    speed = result.models["mobilenet_v2"]["speed"]
    for each in ("torch", "openvino"):
        engine = speed["engines"][each]
        # A face takes no longer in a batch than alone; with a margin for busy machines.
        assert engine["faces_per_s"] > 0.5 * 1000 / engine["ms_per_face"]
    assert 0 < speed["photos_per_s"] < engine["faces_per_s"]
    assert speed["machine"]["threads"] == 1
    assert read_spec("mobilenet_v2", weights).speed == speed
    assert cv2.imread(str(tmp_path / "out" / "pareto.png")).std() > 5
    again = evaluated(faces_dir, weights, tmp_path / "again", record=True)
    assert "speed" not in again.models["mobilenet_v2"]
    assert read_spec("mobilenet_v2", weights).speed == speed


def test_wrong_requests_are_refused(measured, faces_dir, tmp_path):
    weights = measured[0] / "weights"
    with pytest.raises(WeightsMissing, match="resnet50"):
        evaluated(faces_dir, weights, tmp_path, models=["resnet50"])
    with pytest.raises(WeightsMissing, match="ensemble"):
        evaluated(faces_dir, weights, tmp_path, models=["ensemble"])
    with pytest.raises(UnknownComponent, match="vgg"):
        evaluated(faces_dir, weights, tmp_path, models=["vgg"])
    with pytest.raises(DataError, match="No test faces"):
        evaluated(faces_dir / "train", weights, tmp_path, split="test")
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "manifest.json").write_text('{"schema_version": 1, "models": {}}')
    with pytest.raises(WeightsMissing, match="No network is trained"):
        evaluated(faces_dir, tmp_path / "none", tmp_path)


def test_all_three_architectures_go_from_training_to_their_ensemble(
    measured, faces_dir, votes_csv, small_recipe, tmp_path
):
    weights = _copied(measured[0] / "weights", tmp_path / "weights")
    data = CalibrationData([faces_dir], votes_csv)
    for model, side in (("resnet50", 32), ("inception_v3", 75)):
        recipe = small_recipe(model, input_px=side, epochs=1, batch=14)
        out = tmp_path / model
        train_model(recipe, [faces_dir], out, TrainingOptions("scratch", votes_csv, workers=0))
        report = calibrate_model(
            data,
            model=model,
            weights_dir=out,
            publish_to=weights,
            engine="torch",
            target_accuracy=dict.fromkeys(Reading, 0.2),
        )
        for result in report.readings.values():
            assert result.nll_after <= result.nll_before
    calibrate_model(data, model="ensemble", weights_dir=weights, engine="torch")
    shown = evaluated(faces_dir, weights, tmp_path / "out", votes=votes_csv, record=True)
    result = shown.models
    assert list(result) == ["mobilenet_v2", "resnet50", "inception_v3", "ensemble"]
    for figures in result.values():
        assert figures["n"] == 21
        assert np.isfinite(figures["nll"])
    assert len(result["ensemble"]["weights_sha256"]) == 3
    pairs = json.loads((tmp_path / "out" / "metrics.json").read_text())["pairs"]
    assert len(pairs) == 6
    for pair in pairs:
        first, second = result[pair["first"]], result[pair["second"]]
        gap = pair["differences"]["accuracy"]["value"]
        assert gap == pytest.approx(first["accuracy"] - second["accuracy"])
        assert 21 * gap == pytest.approx(pair["only_first_right"] - pair["only_second_right"])
        people = pair["people"]["agreement"]["value"]
        agreement = (each["people"]["agreement"] for each in (first, second))
        assert people == pytest.approx(next(agreement) - next(agreement))
    assert read_models(weights)["ensemble"].metrics["validation"]["n"] == 21
    catalog = model_catalog(weights)
    assert shown.table == build_comparison_rows(catalog)
    assert shown.pairs == build_pair_rows(catalog)
    assert len(shown.pairs) == 1 + len(pairs)
    table = format_comparison_table(catalog)
    for name in ("mobilenet_v2", "resnet50", "inception_v3"):
        assert (
            f"## Compared with the other models\n\n{table}\n## "
            in (weights / f"{name}.md").read_text()
        )
    assert "## Compared" not in (measured[0] / "weights" / "mobilenet_v2.md").read_text()
    alone = evaluated(faces_dir, weights, tmp_path / "alone", models=["ensemble"])
    assert (list(alone.models), alone.pairs) == (["ensemble"], [])
    assert alone.models["ensemble"]["nll"] == result["ensemble"]["nll"]
