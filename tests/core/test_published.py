"""The networks of other projects are those that their packages contain."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from core import WeightsCorrupt, WeightsMissing
from core import weights as weights_module
from core.detectors.mtcnn import mtcnn_network
from core.landmarks.mesh_networks import MeshNetworks, find_published_file
from core.weights import MANIFEST_NAME, SHIPPED_DIR, read_published


def packaged(package, path):
    return Path(find_spec(package).submodule_search_locations[0], path)


@pytest.mark.parametrize("name", ["pnet", "rnet", "onet"])
def test_weights_of_mtcnn_are_those_of_facenet_pytorch(name):
    expected = torch.load(packaged("facenet_pytorch", f"data/{name}.pt"))
    shipped = read_published(name).load()
    assert shipped.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.equal(shipped[key], value)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("face_finder", "modules/face_detection/face_detection_short_range.tflite"),
        ("face_mesh", "modules/face_landmark/face_landmark.tflite"),
    ],
)
def test_networks_of_the_face_mesh_are_those_of_mediapipe(name, path):
    assert find_published_file(name).read_bytes() == packaged("mediapipe", path).read_bytes()


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder that is taken for the shipped one and holds only the manifest."""
    (tmp_path / MANIFEST_NAME).write_bytes((SHIPPED_DIR / MANIFEST_NAME).read_bytes())
    monkeypatch.setattr(weights_module, "SHIPPED_DIR", tmp_path)
    return tmp_path


@pytest.mark.parametrize("load", [MeshNetworks, lambda: mtcnn_network("rnet")])
def test_missing_file_is_named(elsewhere, load):
    with pytest.raises(WeightsMissing, match=r"face_finder|rnet") as caught:
        load()
    assert "git checkout" in caught.value.hint


@pytest.mark.parametrize(
    ("file", "load"),
    [("face_finder.tflite", MeshNetworks), ("rnet.safetensors", lambda: mtcnn_network("rnet"))],
)
def test_changed_file_is_refused(elsewhere, file, load):
    data = bytearray((SHIPPED_DIR / file).read_bytes())
    data[len(data) // 2] ^= 1
    (elsewhere / file).write_bytes(data)
    with pytest.raises(WeightsCorrupt, match="differ from the ones that were measured"):
        load()
