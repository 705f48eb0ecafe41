"""Weight files and their manifest: written atomically, read back unchanged, verified."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch

from core.calibration import Calibration
from core.classifiers.architectures import (
    EmotionNetwork,
    build_network,
    find_architecture,
)
from core.errors import WeightsCorrupt, WeightsMissing
from core.faces.alignment import FaceFrame
from core.faces.preprocess import Preprocessing
from core.files import atomic_write
from core.labels import Reading
from core.weights import read_manifest, read_spec
from training.learning.export import (
    export_network,
    publish,
    read_entry,
    update_model,
)


@pytest.fixture
def network():
    torch.manual_seed(3)
    network = EmotionNetwork(find_architecture("mobilenet_v2"))
    # Statistics that differ from those of a new network.
    network.train()(torch.randn(4, 3, 32, 32))
    return network.eval()


def export(network, folder):
    return export_network(
        network,
        folder,
        name="mobilenet_v2",
        preprocessing=Preprocessing(32, 0.4, 0.3),
        frame=FaceFrame((15, 19), (33, 19), (24, 37)),
        training={"init": "scratch"},
    )


def test_exported_network_gives_the_same_answers(network, tmp_path):
    export(network, tmp_path)
    spec = read_spec("mobilenet_v2", tmp_path)
    loaded = build_network("mobilenet_v2", spec.load())
    faces = torch.randn(3, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(faces), network(faces), atol=2e-3, rtol=0)
    for key, value in network.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(loaded.state_dict()[key], value.half().float()), key


def test_manifest_has_everything_that_the_file_needs(network, tmp_path):
    file = export(network, tmp_path)
    entry, spec = read_entry(tmp_path, "mobilenet_v2"), read_spec("mobilenet_v2", tmp_path)
    data = file.read_bytes()
    assert (entry["bytes"], entry["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert entry["architecture"] == "mobilenet_v2"
    assert spec.parameters == sum(values.numel() for values in network.parameters())
    assert spec.preprocessing == Preprocessing(32, 0.4, 0.3)
    assert spec.frame == FaceFrame((15, 19), (33, 19), (24, 37))
    assert spec.calibrations == dict.fromkeys(Reading, Calibration())
    assert (spec.metrics, spec.training) == ({}, {"init": "scratch"})


@pytest.mark.parametrize("change", ["flipped", "cut"])
def test_changed_file_is_refused(network, tmp_path, change):
    file = export(network, tmp_path)
    data = bytearray(file.read_bytes())
    if change == "cut":
        del data[-1]
    else:
        data[-1] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(WeightsCorrupt):
        read_spec("mobilenet_v2", tmp_path).load()
    with pytest.raises(WeightsCorrupt):
        publish("mobilenet_v2", tmp_path, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_publishing_copies_file_and_entry_beside_others(network, tmp_path):
    export(network, tmp_path / "run")
    other = {**read_entry(tmp_path / "run", "mobilenet_v2"), "architecture": "resnet50"}
    update_model(tmp_path / "shipped", "resnet50", other)
    publish("mobilenet_v2", tmp_path / "run", tmp_path / "shipped")
    assert set(read_manifest(tmp_path / "shipped")) == {"resnet50", "mobilenet_v2"}
    spec = read_spec("mobilenet_v2", tmp_path / "shipped")
    assert spec.read_verified() == (tmp_path / "run" / "mobilenet_v2.safetensors").read_bytes()


def test_publishing_an_untrained_model_is_refused(network, tmp_path):
    export(network, tmp_path)
    with pytest.raises(WeightsMissing):
        publish("resnet50", tmp_path, tmp_path / "elsewhere")


def test_entries_are_merged_key_by_key(network, tmp_path):
    export(network, tmp_path)
    before = read_entry(tmp_path, "mobilenet_v2")
    update_model(tmp_path, "mobilenet_v2", {"metrics": {"validation": {"n": 1}}})
    after = read_entry(tmp_path, "mobilenet_v2")
    assert after == {**before, "metrics": {"validation": {"n": 1}}}


def test_new_weights_or_calibration_remove_the_ensemble(network, tmp_path):
    export(network, tmp_path)
    ensemble = {
        "weights": {"mobilenet_v2": 1.0},
        "calibrations": {"people": {}, "fer2013": {"temperature": 2.0}},
    }
    update_model(tmp_path, "ensemble", ensemble)
    update_model(tmp_path, "mobilenet_v2", {"metrics": {}})
    manifest = tmp_path / "manifest.json"
    assert json.loads(manifest.read_text())["ensemble"] == ensemble
    update_model(
        tmp_path, "mobilenet_v2", {"calibrations": {"people": {}, "fer2013": {"temperature": 1.5}}}
    )
    assert "ensemble" not in json.loads(manifest.read_text())


def test_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "manifest.json"
    atomic_write(path, b"old")

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("core.files.os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_manifest_is_readable_json(network, tmp_path):
    export(network, tmp_path)
    text = (tmp_path / "manifest.json").read_text()
    assert json.loads(text)["schema_version"] == 2
    assert text.startswith("{\n  ")
    assert text.endswith("}\n")
