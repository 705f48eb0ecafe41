"""Model cards say what was measured, and nothing else."""

from __future__ import annotations

import pytest

from core.labels import EMOTIONS
from training.learning.export import read_entry, update_model
from training.reporting.model_card import write_card


@pytest.fixture
def figures():
    metrics = {"data": "FER-2013 PublicTest", "n": 3589, "deduplicated": None}
    for name, value in {
        "accuracy": 0.7012,
        "balanced_accuracy": 0.66,
        "macro_f1": 0.665,
        "nll": 0.85,
        "brier": 0.41,
        "ece": 0.021,
    }.items():
        metrics[name] = value
        metrics[f"{name}_interval"] = [value - 0.01, value + 0.02]
    return metrics


@pytest.fixture
def measured():
    matrix = [[0] * 7 for _ in EMOTIONS]
    matrix[0][3] = 77
    per_class = {
        str(emotion): {"precision": 0.5, "recall": 0.25, "f1": 1 / 3, "support": 467}
        for emotion in EMOTIONS
    }
    metrics = {
        "per_class": per_class,
        "confusion_matrix": matrix,
        "risk_coverage": {"aurc": 0.143, "accuracy_at": {"0.9": 0.741, "0.7": 0.812}},
        "conformal": {
            "alpha": 0.1,
            "coverage": 0.912,
            "coverage_interval": [0.902, 0.921],
            "mean_size": 2.32,
            "singletons": 0.145,
            "singleton_accuracy": 0.944,
        },
        "crowd": {
            "n": 3500,
            "answers_matching_plurality": 0.75,
            "labels_matching_plurality": 0.65,
            "errors": 1100,
            "errors_matching_plurality": 0.5,
        },
    }
    return {"split": "validation", "models": {"mobilenet_v2": metrics}}


@pytest.fixture
def card(weights_copy, figures, measured):
    def write(changes=None):
        entry = {
            "metrics": {"validation": figures},
            "calibration": {
                "temperature": 1.234,
                "certain_from": 0.55,
                "coverage": 0.7,
                "selective_accuracy": 0.81,
            },
            "calibrated_on": {"data": "FER-2013 PublicTest", "n": 3589, "target_accuracy": 0.8},
        }
        update_model(weights_copy, "mobilenet_v2", {**entry, **(changes or {})})
        return write_card(weights_copy, "mobilenet_v2", measured).read_text()

    return write


def test_headlines_have_their_intervals(card):
    text = card()
    assert "On 3,589 validation faces of FER-2013 PublicTest" in text
    assert "| accuracy | 70.1 (69.1 to 72.1) |" in text
    assert "| Brier score (0 to 2) | 0.410 (0.400 to 0.430) |" in text
    assert "near-copies" not in text


def test_figures_without_copies_are_beside_the_official_ones(card, figures):
    fresh = {**figures, "accuracy": 0.69, "accuracy_interval": [0.68, 0.7], "removed": 300}
    text = card({"metrics": {"test": {**figures, "deduplicated": fresh}}})
    assert "| | all | 300 near-copies of training faces left out |" in text
    assert "| accuracy | 70.1 (69.1 to 72.1) | 69.0 (68.0 to 70.0) |" in text


def test_emotions_and_confusion_are_tables(card):
    text = card()
    assert "| angry | 467 | 50.0 | 25.0 | 33.3 |" in text
    assert "| **angry** | 0 | 0 | 0 | 77 | 0 | 0 | 0 |" in text


def test_card_has_figures_about_doubt(card, measured):
    text = card()
    assert "74.1% on the most certain 90%, 81.2% on the most certain 70%" in text
    assert "contained it in 91.2% (90.2% to 92.1%) and name 2.32 emotions" in text
    assert "14.5% name one emotion, and 94.4% of those are right" in text
    assert "75.0% of the answers match" in text
    measured["models"]["mobilenet_v2"] |= {"conformal": None, "crowd": None}
    text = card()
    assert "Conformal" not in text
    assert "crowd votes of FER+ (" not in text


def test_card_lists_the_training_runs_in_their_order(card, weights_copy):
    facts = read_entry(weights_copy, "mobilenet_v2")["training"]
    first = {**facts, "init": "imagenet", "minutes": 82.5, "recipe_digest": "first"}
    first.pop("images_per_s")
    second = {**facts, "init": "mobilenet_v2.safetensors", "earlier_run": first, "minutes": 5.0}
    text = card({"training": {**second, "images_per_s": 1234.0, "waiting_share": 0.012}})
    assert "- Start: torchvision's ImageNet weights." in text
    assert "- Run 1: 2 of 2 epochs in 82.5 minutes on a CPU; AdamW" in text
    assert (
        "- Run 2: 2 of 2 epochs from the weights of the run before in 5 minutes on a CPU; "
        "1,234 faces a second, 1.2% of the time spent waiting for them; AdamW" in text
    )
    assert text.index("Run 1") < text.index("Run 2")


def test_calibration_names_level_coverage_and_accuracy(card):
    text = card()
    assert "temperature 1.234, fitted on 3,589 validation faces of FER-2013 PublicTest" in text
    assert "0.550" in text
    assert "at least 80% of the certain answers were right" in text
    assert "70.0% of them reached it, and 81.0%" in text


def test_network_that_is_never_certain_or_not_calibrated_says_so(card, weights_copy):
    hopeless = {
        "temperature": 1.0,
        "certain_from": 1.0,
        "coverage": 0.0,
        "selective_accuracy": None,
    }
    assert "no answer was above it" in card({"calibration": hopeless})
    assert "Not calibrated yet" in card({"calibrated_on": None})


def test_training_names_data_start_recipe_and_file(card, weights_copy):
    text = card()
    entry = read_entry(weights_copy, "mobilenet_v2")
    assert "28 of the 28,709 training faces of FER-2013 Training (angry 4, disgust 4" in text
    assert "Start: random weights." in text
    assert entry["training"]["recipe_digest"] in text
    assert entry["sha256"] in text
    assert "FER+" in text


def test_card_says_that_a_run_was_shortened_to_the_clock(card, weights_copy):
    training = read_entry(weights_copy, "mobilenet_v2")["training"]
    assert "2 of 2 epochs in" in card()
    text = card({"training": {**training, "epochs": 1}})
    assert "1 of 2 epochs (the schedule was fitted to the time) in" in text


@pytest.mark.parametrize(
    ("init", "start"),
    [
        ("imagenet", "torchvision's ImageNet weights"),
        ("mobilenet_v2_imagenet_trunk.safetensors", "Google's quantized MobileNetV2 1.0/224 (Apa"),
        ("own.safetensors", "`own.safetensors`"),
    ],
)
def test_start_is_cited(card, weights_copy, init, start):
    training = read_entry(weights_copy, "mobilenet_v2")["training"]
    assert start in card({"training": {**training, "init": init}})


def test_card_of_own_data_does_not_mention_fer2013_s_licence(card, weights_copy):
    training = read_entry(weights_copy, "mobilenet_v2")["training"]
    text = card({"training": {**training, "data": "faces.zip", "votes": None}})
    assert "28 training faces of faces.zip" in text
    assert "web image search" not in text
    assert "Crowd votes" not in text


def test_landmarks_are_named_if_they_were_learnt(card, weights_copy):
    training = read_entry(weights_copy, "mobilenet_v2")["training"]
    assert "face mesh" not in card().split("## Figures")[0]
    text = card({"training": {**training, "landmarks": True}})
    assert "- Landmarks: the face mesh's outlines" in text
    assert "task of weight 0.3." in text


def test_limits_and_uses_are_part_of_every_card(card):
    text = card()
    parts = (
        "## Intended use",
        "## Factors",
        "## Ethical considerations",
        "## Limits",
        "## Licence",
    )
    for part in (*parts, "web image search", "5(1)(f)"):
        assert part in text
