"""The ensemble: all networks are needed; each is calibrated and weighted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core import AnalyzerConfig, Device, Engine, WeightsCorrupt, WeightsMissing
from core.calibration import softmax
from core.classifiers.model import load_model


@pytest.fixture
def changed(weights_dir, tmp_path):
    """Copy the folder's manifest with a change and link the weight files."""

    def change(edit):
        document = json.loads((weights_dir / "manifest.json").read_text(encoding="utf-8"))
        edit(document)
        (tmp_path / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
        for file in weights_dir.glob("*.safetensors"):
            (tmp_path / file.name).symlink_to(file)
        return tmp_path

    return change


def load(folder):
    return load_model(
        AnalyzerConfig(model="ensemble", weights_dir=folder, engine=Engine.TORCH, device=Device.CPU)
    )


@pytest.mark.parametrize("missing", [["resnet50"], ["mobilenet_v2", "inception_v3"]])
def test_missing_members_are_named(changed, missing):
    def edit(document):
        document.pop("ensemble")
        for name in missing:
            document["models"].pop(name)

    with pytest.raises(WeightsMissing, match=f"not trained yet: {', '.join(missing)}") as caught:
        load(changed(edit))
    assert f"emotion train --model {missing[0]}" in caught.value.hint


def test_uncalibrated_ensemble_names_the_calibration_command(changed):
    with pytest.raises(WeightsMissing, match="not calibrated yet") as caught:
        load(changed(lambda document: document.pop("ensemble")))
    assert "emotion calibrate --model ensemble" in caught.value.hint


def test_members_with_different_frames_are_refused(changed):
    def edit(document):
        document["models"]["resnet50"]["frame"]["mouth"] = [24.0, 40.0]

    with pytest.raises(WeightsCorrupt, match="framed differently"):
        load(changed(edit))


def test_each_head_is_the_weighted_mean_of_the_members(weights_dir, faces48):
    ensemble = load(weights_dir)
    assert list(ensemble.members) == ["mobilenet_v2", "resnet50", "inception_v3"]
    expected = np.zeros((len(faces48), 2, 7))
    for (name, member), share in zip(ensemble.members.items(), (0.5, 0.3, 0.2), strict=True):
        temperature = {"mobilenet_v2": 1.0, "resnet50": 1.25, "inception_v3": 1.5}[name]
        rows = member.classifier.logits(faces48)
        # Only label heads have a temperature of their own.
        expected += share * softmax(rows / np.array([temperature, 1.0])[:, None])
    logits = ensemble.logits(faces48)
    assert logits.dtype == np.float32
    assert np.exp(logits) == pytest.approx(expected, abs=1e-5)


def test_shares_need_not_sum_to_one(weights_dir, faces48):
    ensemble = load(weights_dir)
    rows = ensemble.member_logits(faces48)
    more = {name: 10 * share for name, share in ensemble.shares.items()}
    expected = ensemble.combine(rows)
    assert replace(ensemble, shares=more).combine(rows) == pytest.approx(expected, abs=1e-5)
