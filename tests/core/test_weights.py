"""Weights are described in the manifest and verified before they are parsed."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save

from core import EMOTIONS, Reading, WeightsCorrupt, WeightsMissing
from core.calibration import Calibration
from core.faces.alignment import FaceFrame
from core.faces.preprocess import Preprocessing
from core.weights import read_manifest, read_models, read_spec


def small_file(seed=0):
    """Return a safetensors file of about a kilobyte."""
    values = np.random.default_rng(seed).normal(size=(16, 32)).astype(np.float16)
    return save({"layer.weight": values})


def entry(data, name="resnet50", **changes):
    return {
        "file": f"{name}.safetensors",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "architecture": name,
        "parameters": 512,
        "classes": list(EMOTIONS),
        "preprocessing": {"input_px": 96, "mean": 0.5, "std": 0.25},
        "frame": {"left_eye": [15.2, 19.0], "right_eye": [33.0, 18.8], "mouth": [24.3, 36.7]},
        "calibrations": {
            "people": {"temperature": 1.1, "certain_from": 0.4, "crowd_share": 0.75},
            "fer2013": {"temperature": 1.3, "certain_from": 0.5},
        },
        "metrics": {"validation": {"accuracy": 0.7}},
        "training": {},
        **changes,
    }


def write(directory, models, **more):
    document = {"schema_version": 2, "models": models, **more}
    (directory / "manifest.json").write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """A folder with one intact model, ``resnet50``."""
    data = small_file()
    (tmp_path / "resnet50.safetensors").write_bytes(data)
    write(tmp_path, {"resnet50": entry(data)})
    return tmp_path


@pytest.fixture
def parsed(monkeypatch):
    """Record the data passed to safetensors' parser."""
    import safetensors.torch

    given = []
    load = safetensors.torch.load
    monkeypatch.setattr(safetensors.torch, "load", lambda data: given.append(data) or load(data))
    return given


def test_entry_is_read_completely(folder):
    spec = read_spec("resnet50", folder)
    assert spec.file == folder / "resnet50.safetensors"
    assert spec.preprocessing == Preprocessing(96, 0.5, 0.25)
    assert spec.frame == FaceFrame()
    assert spec.calibrations == {
        Reading.PEOPLE: Calibration(1.1, 0.4, crowd_share=0.75),
        Reading.FER2013: Calibration(1.3, 0.5),
    }
    assert (spec.parameters, spec.metrics) == (512, {"validation": {"accuracy": 0.7}})


def test_intact_file_is_loaded_in_its_own_precision(folder, parsed):
    state = read_spec("resnet50", folder).load()
    assert {key: (tuple(value.shape), str(value.dtype)) for key, value in state.items()} == {
        "layer.weight": ((16, 32), "torch.float16")
    }
    assert len(parsed) == 1


def test_three_shipped_networks_together_take_less_than_110_mb(root):
    specs = read_manifest(root / "weights")
    assert set(specs) == {"mobilenet_v2", "resnet50", "inception_v3"}
    assert sum(spec.file.stat().st_size for spec in specs.values()) < 110e6


def test_manifest_without_models_is_valid(tmp_path):
    write(tmp_path, {})
    assert read_manifest(tmp_path) == {}
    assert read_models(tmp_path) == {}


def test_missing_manifest_says_how_to_restore_it(tmp_path):
    for read in (read_manifest, read_models):
        with pytest.raises(WeightsMissing, match=r"no manifest\.json") as caught:
            read(tmp_path)
        assert "git checkout" in caught.value.hint


def test_untrained_model_names_the_training_command_and_the_trained_models(folder):
    with pytest.raises(WeightsMissing, match="inception_v3 is not trained yet") as caught:
        read_spec("inception_v3", folder)
    assert "emotion train --model inception_v3" in caught.value.hint
    assert "or use resnet50." in caught.value.hint


def test_model_of_another_project_has_no_weights_here(folder):
    with pytest.raises(
        WeightsMissing, match="registered_elsewhere is not a model of this"
    ) as caught:
        read_spec("registered_elsewhere", folder)
    assert "mobilenet_v2" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"schema_version": 1}',
        b'{"schema_version": 1, "models": []}',
        b'{"schema_version": 3, "models": {}}',
        b'{"schema_version": 1, "models": {"resnet50": 5}}',
        b'{"schema_version": 1, "models": {"resnet50": {}}}',
        b"\xff\xfe\x00",
    ],
)
def test_manifest_that_cannot_be_understood_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_bytes(text)
    with pytest.raises(WeightsCorrupt, match=r"manifest\.json cannot be understood"):
        read_manifest(tmp_path)


def test_folder_in_place_of_the_manifest_is_refused(tmp_path):
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(WeightsCorrupt, match=r"manifest\.json cannot be read"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": list(EMOTIONS)[::-1]},
        {"classes": list(EMOTIONS)[:6]},
        {"bytes": "many"},
        {"bytes": None},
        {"architecture": "mobilenet_v2"},
        {"preprocessing": {"input_px": 96, "mean": 0.5}},
        {"preprocessing": {"input_px": "96", "mean": 0.5, "std": 0.25}},
        {"preprocessing": {"input_px": 96.5, "mean": 0.5, "std": 0.25}},
        {"preprocessing": {"input_px": 0, "mean": 0.5, "std": 0.25}},
        {"preprocessing": {"input_px": 96, "mean": 0.5, "std": 0.0}},
        {"frame": {"left_eye": [1, 2]}, "extra": 1} | {"frame": {"nose": [1, 2]}},
        {"frame": {"left_eye": [1, 2, 3]}},
        {"calibrations": {"people": {}, "fer2013": {"temperature": 0}}},
        {"calibrations": {"people": {"temperature": "warm"}, "fer2013": {}}},
        {"calibrations": {"people": {"temperature": 1, "certain_from": 2}, "fer2013": {}}},
        {"calibrations": {"people": {"crowd_share": 1.5}, "fer2013": {}}},
        {"calibrations": {"people": {}}},
        {"file": 5},
    ],
    ids=lambda changes: json.dumps(changes)[:40],
)
def test_entry_that_makes_no_sense_is_refused(tmp_path, changes):
    write(tmp_path, {"resnet50": entry(small_file(), **changes)})
    with pytest.raises(WeightsCorrupt, match=r"manifest\.json cannot be understood"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "file",
    [
        "../outside.safetensors",
        "/etc/passwd",
        "sub/inside.safetensors",
        "..\\outside.safetensors",
        "..",
        "",
        ".",
        "resnet50.pt",
        "resnet50.safetensors\n",
        "resnet50\0.safetensors",
    ],
)
def test_file_outside_the_manifest_s_folder_is_refused(tmp_path, file):
    folder = tmp_path / "weights"
    folder.mkdir()
    data = small_file()
    (tmp_path / "outside.safetensors").write_bytes(data)
    write(folder, {"resnet50": entry(data, file=file)})
    with pytest.raises(WeightsCorrupt, match=r"expected a \.safetensors file beside the manifest"):
        read_spec("resnet50", folder)


def test_missing_file_is_reported(folder, parsed):
    (folder / "resnet50.safetensors").unlink()
    with pytest.raises(WeightsMissing, match="weights of resnet50 are missing"):
        read_spec("resnet50", folder).load()


def test_folder_in_place_of_the_file_is_refused(folder, parsed):
    file = folder / "resnet50.safetensors"
    file.unlink()
    file.mkdir()
    size = file.stat().st_size
    write(folder, {"resnet50": entry(b"", bytes=size)})
    with pytest.raises(WeightsCorrupt, match="cannot be read"):
        read_spec("resnet50", folder).load()


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_cut_off_file_is_refused_before_it_is_parsed(folder, parsed, length):
    file = folder / "resnet50.safetensors"
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(WeightsCorrupt, match="bytes instead of"):
        read_spec("resnet50", folder).load()
    assert parsed == []


def test_longer_file_is_refused_before_it_is_parsed(folder, parsed):
    with (folder / "resnet50.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsCorrupt, match="bytes instead of"):
        read_spec("resnet50", folder).load()
    assert parsed == []


def test_every_changed_byte_is_refused_before_it_is_parsed(folder, parsed):
    file = folder / "resnet50.safetensors"
    whole = file.read_bytes()
    spec = read_spec("resnet50", folder)
    rng = np.random.default_rng(0)
    header = 8 + int.from_bytes(whole[:8], "little")
    places = [*range(8), *rng.integers(8, header, 40), *rng.integers(header, len(whole), 80)]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= int(rng.integers(1, 256))
        file.write_bytes(changed)
        with pytest.raises(WeightsCorrupt, match="differ from the ones that were measured"):
            spec.load()
    assert parsed == []
    file.write_bytes(whole)
    assert spec.load()


def test_swapped_files_are_refused_before_they_are_parsed(tmp_path, parsed):
    one, other = small_file(1), small_file(2)
    assert len(one) == len(other)
    write(tmp_path, {"resnet50": entry(one), "inception_v3": entry(other, "inception_v3")})
    (tmp_path / "resnet50.safetensors").write_bytes(other)
    (tmp_path / "inception_v3.safetensors").write_bytes(one)
    for name in ("resnet50", "inception_v3"):
        with pytest.raises(WeightsCorrupt, match=f"weights of {name} differ"):
            read_spec(name, tmp_path).load()
    assert parsed == []


class Exploding:
    """An object whose unpickling runs code."""

    ran = False

    def __reduce__(self):
        return (setattr, (Exploding, "ran", True))


def torch_archive(payload):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", payload)
        archive.writestr("archive/version", "3")
    return file.getvalue()


@pytest.mark.parametrize("wrap", [bytes, torch_archive], ids=["pickle", "torch file"])
def test_pickle_with_another_name_and_a_right_checksum_is_never_unpickled(tmp_path, wrap):
    data = wrap(pickle.dumps(Exploding()))
    (tmp_path / "resnet50.safetensors").write_bytes(data)
    write(tmp_path, {"resnet50": entry(data)})
    with pytest.raises(WeightsCorrupt, match="not a safetensors file"):
        read_spec("resnet50", tmp_path).load()
    assert not Exploding.ran


def test_header_with_a_wrong_length_is_refused(tmp_path):
    data = (2**62).to_bytes(8, "little") + b"{}"
    (tmp_path / "resnet50.safetensors").write_bytes(data)
    write(tmp_path, {"resnet50": entry(data)})
    with pytest.raises(WeightsCorrupt, match="not a safetensors file"):
        read_spec("resnet50", tmp_path).load()


def test_weights_of_another_network_are_refused(folder):
    from core.classifiers.network import load_network

    with pytest.raises(WeightsCorrupt, match="belong to another network"):
        load_network(read_spec("resnet50", folder))


ENSEMBLE = {
    "weights": {"resnet50": 1.0},
    "calibrations": {"people": {"temperature": 3.0}, "fer2013": {"temperature": 2.0}},
}


def test_ensemble_is_read_once_all_networks_are_trained(folder):
    models = {"resnet50": entry(small_file())}
    write(folder, models, ensemble=ENSEMBLE)
    assert list(read_models(folder)) == ["resnet50"]
    models |= {name: entry(small_file(), name) for name in ("mobilenet_v2", "inception_v3")}
    write(folder, models, ensemble=ENSEMBLE)
    ensemble = read_models(folder)["ensemble"]
    temperatures = [ensemble.calibrations[each].temperature for each in Reading]
    assert (ensemble.shares, temperatures) == ({"resnet50": 1.0}, [3.0, 2.0])
    assert (list(ensemble.members), ensemble.metrics) == (["resnet50"], {})


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": {}},
        {"weights": {"resnet50": 0}},
        {"weights": {"resnet50": -1}},
        {"weights": {"resnet50": float("nan")}},
        {"weights": {"unknown": 1}},
        {"weights": [1]},
        {"calibrations": {"people": {}, "fer2013": {"temperature": -1}}},
        {"calibrations": 5},
    ],
    ids=lambda changes: json.dumps(changes)[:40],
)
def test_ensemble_that_makes_no_sense_is_refused(folder, changes):
    write(folder, {"resnet50": entry(small_file())}, ensemble=ENSEMBLE | changes)
    with pytest.raises(WeightsCorrupt, match=r"manifest\.json cannot be understood"):
        read_models(folder)


def test_manifest_with_one_calibration_serves_both_readings(folder):
    old = entry(small_file())
    del old["calibrations"]
    old["calibration"] = {"temperature": 1.3, "certain_from": 0.5}
    document = {"schema_version": 1, "models": {"resnet50": old}}
    (folder / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
    spec = read_spec("resnet50", folder)
    assert spec.calibrations == dict.fromkeys(Reading, Calibration(1.3, 0.5))
