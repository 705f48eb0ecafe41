"""The release gate, and that the shipped weights pass it."""

from __future__ import annotations

import json

import pytest

from core import ProjectError, model_catalog
from core.errors import ConfigError, DataError
from training.evaluation.release_gate import GATE_FILE, RESULTS_FILE, check_release, read_limits

DIGEST = "ab" * 32


@pytest.fixture
def report(weights_copy, tmp_path):
    """A report that passes on the weights copied here; a test spoils it and asks again."""
    digest = json.loads((weights_copy / "manifest.json").read_text())["models"]["mobilenet_v2"][
        "sha256"
    ]
    row = {
        "group": "1 of 5",
        "n": 700,
        "overconfidence": 0.02,
        "gap": {"value": -0.05, "q": 0.001},
    }
    result = {
        "weights_sha256": {"mobilenet_v2": digest},
        "overall": {"per_class": {"disgust": {"recall": 0.45, "support": 56}}},
        "slices": {name: [dict(row)] for name in read_limits().slicings},
    }
    document = {"models": {"mobilenet_v2": result}}

    def check():
        file = tmp_path / "robustness.json"
        file.write_text(json.dumps(document))
        return check_release(file, weights_dir=weights_copy)

    return document, result, check


def test_weights_within_all_limits_pass(report):
    assert report[2]() == ()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"gap": {"value": -0.2, "q": 0.01}}, "gap at brightness: 1 of 5"),
        ({"overconfidence": 0.2}, "overconfidence at brightness: 1 of 5"),
        ({"overconfidence": -0.2}, "overconfidence at brightness: 1 of 5"),
    ],
)
def test_group_beyond_a_limit_is_named(report, change, what):
    _, result, check = report
    result["slices"]["brightness"][0] |= change
    assert [each.what for each in check()] == [what]


@pytest.mark.parametrize(
    "change",
    [{"gap": {"value": -0.2, "q": 0.3}}, {"n": 40, "gap": {"value": -0.9, "q": 0.0}}],
    ids=["by chance", "too few"],
)
def test_insignificant_gap_does_not_stop_a_release(report, change):
    _, result, check = report
    result["slices"]["brightness"][0] |= change
    assert check() == ()


def test_emotion_that_is_seldom_found_is_named(report):
    _, result, check = report
    result["overall"]["per_class"]["disgust"]["recall"] = 0.1
    (breach,) = check()
    assert (breach.model, breach.what, breach.measured) == (
        "mobilenet_v2",
        "recall of disgust",
        0.1,
    )


def test_report_on_other_weights_is_refused(report):
    document, result, check = report
    result["weights_sha256"] = {"mobilenet_v2": DIGEST}
    with pytest.raises(DataError, match="not measured on these weights of mobilenet_v2"):
        check()
    document["models"] = {}
    with pytest.raises(DataError, match="not measured on these weights"):
        check()


@pytest.mark.parametrize("content", [None, "{", "{}", '{"models": {"a": {}}}'])
def test_file_that_is_not_a_report_is_refused(weights_copy, tmp_path, content):
    file = tmp_path / "robustness.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(DataError, match="not a report") as raised:
        check_release(file, weights_dir=weights_copy)
    assert "emotion study robustness" in raised.value.hint


@pytest.mark.parametrize("change", [("worst_gap", "gap"), ("0.15", "'far'"), ("100", "[1]")])
def test_invalid_limits_are_refused(tmp_path, change):
    file = tmp_path / "gate.toml"
    file.write_text(GATE_FILE.read_text(encoding="utf-8").replace(*change))
    with pytest.raises(ConfigError, match="limits of a release gate"):
        read_limits(file)


def test_shipped_weights_pass():
    try:
        trained = [info.name for info in model_catalog() if info.trained]
    except ProjectError as error:
        pytest.skip(f"needs the shipped weights: {error.message}")
    if not RESULTS_FILE.exists():
        pytest.skip(f"needs {RESULTS_FILE.name}: emotion study robustness, then copy it there")
    measured = json.loads(RESULTS_FILE.read_text(encoding="utf-8"))["models"]
    assert set(trained) == set(measured)
    assert check_release() == ()
