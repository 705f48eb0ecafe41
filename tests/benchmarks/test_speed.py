"""Where a photo's time goes: `make bench`.

Every group is one piece of work done in several ways; the figure in parentheses is the ratio to
the fastest of its group, which holds on other machines better than milliseconds do.
"""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from core import Device, Engine, RgbImage, read_image
from core.classifiers import ARCHITECTURES
from core.classifiers.architectures import EmotionNetwork, architecture_named
from core.config import PRESETS, Preset
from core.detectors import DETECTORS
from core.landmarks import LANDMARK_MODELS
from core.runtime import make_runner

pytestmark = pytest.mark.bench

INPUT_PX = 96
"""The smallest side all three networks are trained for."""


@pytest.fixture(scope="module")
def photo(astronaut):
    return RgbImage(np.ascontiguousarray(astronaut), "astronaut.png")


@pytest.mark.parametrize("engine", [Engine.OPENVINO, Engine.TORCH])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_classifying_one_face(benchmark, name, engine):
    benchmark.group = f"classify one face: {name}, {INPUT_PX} px"
    network = EmotionNetwork(architecture_named(name))
    runner = make_runner(network, input_px=INPUT_PX, engine=engine, device=Device.CPU)
    crop = np.random.default_rng(0).random((1, 3, INPUT_PX, INPUT_PX), dtype=np.float32)
    benchmark(runner.run, crop)


def detector(name, preset):
    return DETECTORS.get(name)(settings=PRESETS[preset], threshold=None, device=Device.CPU)


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("name", DETECTORS.names())
def test_finding_faces(benchmark, photo, name, preset):
    benchmark.group = "find the faces of a 512 px photo"
    benchmark(detector(name, preset).detect, photo)


def test_placing_landmarks(benchmark, photo):
    benchmark.group = "place the landmarks of one face"
    faces = detector("mtcnn", Preset.FAST).detect(photo)[:1]
    benchmark(LANDMARK_MODELS.get("face_mesh")().locate, photo, faces)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
def test_reading_a_photo(benchmark, photo, kind):
    benchmark.group = "read a photo of 12 megapixels"
    encoded = io.BytesIO()
    Image.fromarray(photo.pixels).resize((4000, 3000)).save(encoded, kind)
    benchmark(read_image, encoded.getvalue())
