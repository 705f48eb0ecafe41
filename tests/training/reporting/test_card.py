"""Model cards say what was measured, and nothing else."""

from __future__ import annotations

import pytest

from core.labels import EMOTIONS
from training.learning.export import read_entry, update_model
from training.reporting.model_card import write_card

PEOPLE = {
    "temperature": 0.987,
    "certain_from": 0.48,
    "coverage": 0.72,
    "selective_accuracy": 0.9,
    "smoothing": 0.03,
}


@pytest.fixture
def figures():
    people = {
        "n": 3400,
        "agreement": 0.832,
        "agreement_interval": [0.82, 0.844],
        "voters": 0.701,
        "voters_interval": [0.69, 0.71],
        "kl": 0.301,
        "share_error": 0.02,
        "crowd_head": {"agreement": 0.845, "agreement_interval": [0.83, 0.86]},
        "majority_of_eight": {"n": 2900, "accuracy": 0.86, "interval": [0.85, 0.87]},
    }
    metrics = {"data": "FER-2013 PublicTest", "n": 3589, "deduplicated": None, "people": people}
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
    people = {
        "certain": {"coverage": 0.71, "accuracy": 0.903},
        "per_class": {
            "angry": {"n": 321, "recall": 0.75, "precision": 0.8},
            "disgust": {"n": 0, "recall": None, "precision": None},
        },
    }
    metrics = {
        "people": people,
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
            "calibrations": {
                "people": {**PEOPLE, "crowd_share": 0.75},
                "fer2013": {
                    "temperature": 1.234,
                    "certain_from": 0.55,
                    "coverage": 0.7,
                    "selective_accuracy": 0.81,
                },
            },
            "calibrated_on": {
                "data": "FER-2013 PublicTest",
                "n": {"fer2013": 3589, "people": 3400},
                "photos": "natural.zip",
                "target_accuracy": {"fer2013": 0.8, "people": 0.9},
            },
        }
        update_model(weights_copy, "mobilenet_v2", {**entry, **(changes or {})})
        return write_card(weights_copy, "mobilenet_v2", measured).read_text()

    return write


def test_headlines_have_their_intervals(card):
    text = card()
    assert "FER-2013's label, on 3,589 validation faces of FER-2013 PublicTest" in text
    assert "| accuracy | 70.1 (69.1 to 72.1) |" in text
    assert "| Brier score (0 to 2) | 0.410 (0.400 to 0.430) |" in text
    assert "near-copies" not in text


def test_what_people_see_comes_first_and_has_its_own_emotions(card, figures, measured):
    text = card()
    assert text.index("| agrees with most people | 83.2 (82.0 to 84.4) |") < text.index(
        "| accuracy |"
    )
    assert "on the 3,400 of the validation faces of FER-2013 PublicTest on which five" in text
    assert "| of ten people who agree | 7.0 (6.9 to 7.1) |" in text
    assert "| crowd head alone: agrees with most people | 84.5 (83.0 to 86.0) |" in text
    assert "eight classes (2,900 faces) | 86.0 (85.0 to 87.0) |" in text
    assert "| angry | 321 | 80.0 | 75.0 |" in text
    assert "| disgust | 0 | – | – |" in text
    assert "71.0% of the answers on the validation faces are certain, and most people" in text
    measured["models"]["mobilenet_v2"]["people"] = None
    without = card({"metrics": {"validation": {**figures, "people": None}}}).split("## Figures")[1]
    assert "agrees with most people" not in without.split("## Calibration")[0]


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
    assert "75.0% of the answers in this reading match" in text
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


def test_calibration_names_level_coverage_and_accuracy_of_each_reading(card):
    people, label = card().split("## Calibration")[1].split("**FER-2013's label.**")
    assert "the crowd head has a share of 75%, the one with which the labels of natural" in people
    assert "3% is removed" in people
    assert "temperature 0.987, fitted on 3,400 validation faces of FER-2013 PublicTest" in people
    assert "at least 90% of the certain answers were what most people named" in people
    assert "72.0% of them reached it, and 90.0%" in people
    assert "temperature 1.234, fitted on 3,589 validation faces of FER-2013 PublicTest" in label
    assert "0.550" in label
    assert "at least 80% of the certain answers were the label" in label
    assert "70.0% of them reached it, and 81.0%" in label
    assert "geometric mean" not in label


def test_network_without_a_crowd_head_says_so(card):
    on = {"data": "x", "n": {"fer2013": 3589}, "photos": None, "target_accuracy": {"fer2013": 0.8}}
    text = card({"calibrated_on": on}).split("## Calibration")[1]
    assert "no head for the votes of people" in text
    assert "geometric mean" not in text
    assert "no head for the votes" not in card()


def test_network_that_is_never_certain_or_not_calibrated_says_so(card):
    hopeless = {
        "temperature": 1.0,
        "certain_from": 1.0,
        "coverage": 0.0,
        "selective_accuracy": None,
    }
    text = card({"calibrations": {"people": PEOPLE, "fer2013": hopeless}})
    assert text.count("no answer was above it") == 1
    assert "Not calibrated yet" in card({"calibrated_on": None})
    # As an earlier version stored it: for the label alone.
    earlier = {"data": "x", "n": 3589, "target_accuracy": 0.8}
    assert "Not calibrated yet" in card({"calibrated_on": earlier})


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
