"""Options are checked on construction; the digest identifies options that change answers."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from pathlib import Path

import pytest

from core import AnalyzerConfig, ConfigError, Device, Engine, Preset, UnknownComponent
from core.config import PRESETS


def test_defaults_are_valid_and_frozen():
    config = AnalyzerConfig()
    assert (config.model, config.chosen_detector, config.landmarks) == (
        "mobilenet_v2",
        PRESETS[Preset.BALANCED].detector,
        "face_mesh",
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.model = "resnet50"


@pytest.mark.parametrize(
    ("field", "wrong", "meant"),
    [
        ("model", "resnet-50", "resnet50"),
        ("detector", "mtccn", "mtcnn"),
        ("landmarks", "facemesh", "face_mesh"),
        ("preset", "ballanced", "balanced"),
        ("operating_point", "precison", "precision"),
        ("engine", "open_vino", "openvino"),
        ("device", "CUDA", "cuda"),
    ],
)
def test_unknown_name_is_refused_with_a_suggestion(field, wrong, meant):
    with pytest.raises(UnknownComponent, match=f"'{wrong}'") as caught:
        AnalyzerConfig(**{field: wrong})
    assert f"Did you mean '{meant}'?" in caught.value.hint


def test_strings_become_enum_members():
    config = AnalyzerConfig(preset="fast", engine="torch", device="cpu")
    assert (config.preset, config.engine, config.device) == (
        Preset.FAST,
        Engine.TORCH,
        Device.CPU,
    )
    assert config.settings is PRESETS[Preset.FAST]


def test_member_of_another_enum_becomes_a_plain_name():
    name = StrEnum("Name", {"X": "resnet50"}).X
    assert type(AnalyzerConfig(model=name).model) is str
    assert AnalyzerConfig(model=name) == AnalyzerConfig(model="resnet50")


@pytest.mark.parametrize("field", ["detection_threshold", "certain_from"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf")])
def test_threshold_outside_of_0_to_1_is_refused(field, value):
    with pytest.raises(ConfigError, match=f"{field} must lie between 0 and 1"):
        AnalyzerConfig(**{field: value})


@pytest.mark.parametrize("value", [None, 0, 0.5, 1])
def test_threshold_from_0_to_1_is_accepted(value):
    assert AnalyzerConfig(detection_threshold=value).detection_threshold == value


def test_zero_threads_are_refused():
    with pytest.raises(ConfigError, match="threads must be at least 1"):
        AnalyzerConfig(threads=0)


def test_openvino_on_cuda_is_refused():
    with pytest.raises(ConfigError, match="OpenVINO does not run on a CUDA GPU"):
        AnalyzerConfig(engine=Engine.OPENVINO, device=Device.CUDA)


def test_presets_grow_from_fast_to_thorough():
    fast, balanced, thorough = (PRESETS[preset] for preset in Preset)
    assert fast.working_px < balanced.working_px < thorough.working_px
    shares = [each.min_face_px / each.working_px for each in (fast, balanced, thorough)]
    assert shares == sorted(shares, reverse=True)  # of a large photo's longer side


@pytest.mark.parametrize(
    "change",
    [
        {"model": "resnet50"},
        {"landmarks": "five_points"},
        {"preset": Preset.FAST},
        {"operating_point": "recall"},
        {"detection_threshold": 0.8},
        {"certain_from": 0.5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_digest_changes_with_each_option_that_changes_an_answer(change):
    assert AnalyzerConfig(**change).digest() != AnalyzerConfig().digest()


@pytest.mark.parametrize(
    "change",
    [{"engine": Engine.TORCH}, {"device": Device.CPU}, {"threads": 1}, {"weights_dir": Path("x")}],
    ids=lambda change: next(iter(change)),
)
def test_digest_ignores_options_that_do_not_change_answers(change):
    assert AnalyzerConfig(**change).digest() == AnalyzerConfig().digest()


def test_digest_is_the_same_for_the_same_number():
    one, other = AnalyzerConfig(certain_from=1), AnalyzerConfig(certain_from=1.0)
    assert one.digest() == other.digest()


def test_digest_covers_the_detector_and_every_later_field(monkeypatch):
    # A new field must be part of the digest, or a test must show that it changes no answer.
    fields = {field.name for field in dataclasses.fields(AnalyzerConfig)}
    changing = {
        "model",
        "detector",
        "landmarks",
        "reading",
        "preset",
        "operating_point",
        "detection_threshold",
        "certain_from",
    }
    assert fields == changing | {"engine", "device", "threads", "weights_dir"}


def test_digest_covers_the_numbers_behind_a_preset(monkeypatch):
    before = AnalyzerConfig().digest()
    changed = dataclasses.replace(PRESETS[Preset.BALANCED], min_face_px=25)
    monkeypatch.setitem(PRESETS, Preset.BALANCED, changed)
    assert AnalyzerConfig().digest() != before


def test_digest_covers_the_manifest_facts():
    config = AnalyzerConfig()
    assert config.digest({}) == config.digest()
    assert config.digest({"calibration": 1}) != config.digest()


def test_chosen_detector_does_not_depend_on_the_preset(monkeypatch):
    other = dataclasses.replace(PRESETS[Preset.FAST], detector="other")
    monkeypatch.setitem(PRESETS, Preset.FAST, other)
    assert AnalyzerConfig(detector="mtcnn", preset="fast").chosen_detector == "mtcnn"
    with pytest.raises(UnknownComponent, match="'other'"):
        AnalyzerConfig(preset="fast")


def test_default_detector_changes_with_the_preset(monkeypatch):
    config = AnalyzerConfig()
    changed = dataclasses.replace(config, preset=Preset.THOROUGH)
    assert changed.chosen_detector == PRESETS[Preset.THOROUGH].detector
    assert changed.detector is None
