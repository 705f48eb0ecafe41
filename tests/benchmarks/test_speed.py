"""Measure single steps of an answer: `make bench`.

A group does the same work in several ways. The number in parentheses is the ratio to the fastest
of the group, which holds on other machines better than the milliseconds do.
"""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from PIL import Image
from torch.nn.functional import interpolate

from core import Device, Engine, IsolatedReader, RgbImage, read_image
from core.classifiers import ARCHITECTURES
from core.classifiers.architectures import EmotionNetwork, find_architecture
from core.config import Preset, get_settings
from core.detectors import DETECTORS
from core.detectors.area_windows import crop_windows, integral_image
from core.detectors.compact import compact_network
from core.detectors.mtcnn import load_networks
from core.faces.reduce import shrink_to_fit
from core.landmarks.face_mesh import FaceMeshLandmarks, crop_square
from core.landmarks.mesh_networks import MeshNetworks
from core.reading.reader import read_in_process
from core.runtime import runner_for
from core.weights import read_detector
from tests.core.landmarks.mediapipe_graph import meshes_of_mediapipe
from tests.core.runtime.torch_modules import make_network

pytestmark = pytest.mark.bench

INPUT_PX = 96
"""The smallest input with which all three networks can be trained."""


@pytest.fixture(scope="module")
def photo(astronaut):
    return RgbImage(np.ascontiguousarray(astronaut), "astronaut.png")


@pytest.mark.parametrize("engine", [Engine.OPENVINO, Engine.TORCH])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_one_face_is_classified(benchmark, name, engine):
    benchmark.group = f"classify one face: {name}, {INPUT_PX} px"
    network = EmotionNetwork(find_architecture(name))
    described = make_network(lambda: network, (-1, 3, INPUT_PX, INPUT_PX))
    runner = runner_for(described, engine=engine, device=Device.CPU)
    crop = np.random.default_rng(0).random((1, 3, INPUT_PX, INPUT_PX), dtype=np.float32)
    benchmark(runner.run, crop)


def detector(name, preset):
    return DETECTORS.get(name)(
        settings=get_settings(preset, name), threshold=None, device=Device.CPU, weights_dir=None
    )


def test_faces_are_found_with_facenet_pytorch(benchmark, photo):
    benchmark.group = "find the faces in a 512 px photo"
    network = MTCNN(
        min_face_size=get_settings(Preset.BALANCED, "mtcnn").min_face_px, keep_all=True
    ).eval()
    benchmark(network.detect, photo.pixels)


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("name", DETECTORS.names())
def test_faces_are_found(benchmark, photo, name, preset):
    benchmark.group = "find the faces in a 512 px photo"
    benchmark(detector(name, preset).detect, photo)


@pytest.mark.parametrize("way", ["from one integral image", "one by one in torch"])
def test_candidates_are_cropped(benchmark, photo, way):
    benchmark.group = "crop 600 candidates to 24 px each"
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 460, (600, 2))
    windows = np.stack([corners, corners + rng.integers(20, 50, (600, 1))], axis=2)
    windows = windows.reshape(600, 4)
    if way == "from one integral image":
        benchmark(lambda: crop_windows(integral_image(photo.pixels), windows, 24))
        return
    pixels = torch.from_numpy(photo.pixels.copy()).permute(2, 0, 1)[None].float()
    benchmark(
        lambda: torch.cat(
            [
                interpolate(pixels[:, :, y1:y2, x1:x2], size=(24, 24), mode="area")
                for y1, y2, x1, x2 in windows
            ]
        )
    )


@pytest.mark.parametrize("way", ["cached network", "compiled again"])
def test_detector_is_loaded(benchmark, way, tmp_path, monkeypatch):
    benchmark.group = "load MTCNN, torch already imported"
    monkeypatch.setenv("PHOTO_EMOTION_CACHE", str(tmp_path) if way.startswith("cached") else "")
    load_networks(Device.CPU)
    benchmark.pedantic(load_networks, (Device.CPU,), rounds=5)


@pytest.mark.parametrize("way", ["compiled for any size", "for this size too"])
def test_faces_are_proposed(benchmark, way):
    benchmark.group = "propose faces in 512 x 384 px"
    shape = (1, 3, 384, 512)
    network = compact_network(read_detector("compact", None))
    usual = replace(network, usual_shapes=(shape,) if way.startswith("for") else ())
    runner = runner_for(usual, engine=Engine.OPENVINO, device=Device.CPU)
    benchmark(runner.run, np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32))


@pytest.mark.parametrize("way", ["MediaPipe's graph", "OpenVINO"])
def test_face_mesh_runs(benchmark, photo, way):
    benchmark.group = "run the face mesh on one face"
    (face, *_) = detector("mtcnn", Preset.FAST).detect(photo)
    square, _, _ = crop_square(photo, face.box)
    benchmark(meshes_of_mediapipe() if way != "OpenVINO" else MeshNetworks().find_meshes, square)


@pytest.mark.parametrize("way", ["by the detector's points", "by its own finder"])
def test_face_mesh_is_placed(benchmark, photo, way):
    benchmark.group = "crop a face and run the face mesh on it"
    (face, *_) = detector("mtcnn", Preset.FAST).detect(photo)
    known = face if way.startswith("by the d") else replace(face, landmarks=None)
    benchmark(FaceMeshLandmarks().locate, photo, [known])


@pytest.mark.parametrize("way", ["halved, then sampled", "each pixel a mean"])
@pytest.mark.parametrize("size", [(1536, 1024), (4000, 3000)])
def test_photo_is_reduced(benchmark, photo, size, way):
    benchmark.group = f"reduce a photo of {size[0]} x {size[1]} to 1024 px"
    pixels = cv2.resize(photo.pixels, size)
    if way.startswith("halved"):
        benchmark(shrink_to_fit, pixels, 1024)
    else:
        small = (1024, round(1024 * size[1] / size[0]))
        benchmark(cv2.resize, pixels, small, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
@pytest.mark.parametrize("read", [read_in_process, read_image])
def test_photo_is_read(benchmark, photo, kind, read):
    benchmark.group = f"read a {kind} of 12 megapixels, in this process or a separate one"
    encoded = io.BytesIO()
    Image.fromarray(photo.pixels).resize((4000, 3000)).save(encoded, kind)
    benchmark(read, encoded.getvalue())


@pytest.mark.parametrize("way", ["keeps freed memory", "returns freed memory"])
def test_photos_are_read_one_after_another(benchmark, photo, way, monkeypatch):
    benchmark.group = "read a JPEG of 1024 x 768 in a process that ..."
    encoded = io.BytesIO()
    Image.fromarray(photo.pixels).resize((1024, 768)).save(encoded, "JPEG")
    if way == "returns freed memory":
        monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", str(128 * 1024))  # the default of glibc
    with IsolatedReader(1) as reader:
        benchmark(reader.read, encoded.getvalue())
