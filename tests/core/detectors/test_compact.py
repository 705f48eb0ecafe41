"""Our own detector: from the network's cells to faces in the photo."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from core import (
    AnalyzerConfig,
    Device,
    Engine,
    InferenceError,
    Preset,
    RgbImage,
    WeightsCorrupt,
    WeightsMissing,
)
from core.config import PRESETS, PresetSettings
from core.detectors import load
from core.detectors.compact import (
    PAD_TO,
    STRIDES,
    CompactDetector,
    common_input_sizes,
    compact_network,
    load_compact,
    pad_image,
)
from core.detectors.compact_network import CompactNetwork
from core.runtime import runner_for
from core.weights import read_detector
from training.learning.export import export_detector


class Says:
    """A runner that gives the same cells for every picture, and remembers what it was shown."""

    def __init__(self, *cells):
        self.cells = np.array(cells, np.float32).reshape(-1, 5)
        self.shown = []

    def run(self, batch):
        self.shown.append(batch)
        return np.repeat(self.cells[None], len(batch), axis=0)


def cell(score, *box):
    """The cell's answer: a logit and a box in pixels of what the network saw."""
    return [float(np.log(score / (1 - score))), *box]


def detector(runner, **changes):
    sizes = {"working_px": 640, "min_face_px": 16, **changes}
    return CompactDetector(runner, PresetSettings("compact", **sizes), threshold=0.5)


def image(width=100, height=60):
    return RgbImage(np.full((height, width, 3), 50, np.uint8))


def test_no_cell_above_the_threshold_is_no_face():
    assert detector(Says(cell(0.49, 10, 10, 50, 50))).detect(image()) == ()


def test_face_comes_with_its_score_and_without_landmarks():
    (face,) = detector(Says(cell(0.75, 10, 10, 50, 50))).detect(image())
    assert (face.box.x1, face.box.y2, face.landmarks) == (10, 50, None)
    assert face.score == pytest.approx(0.75)
    assert type(face.score) is float


def test_of_two_boxes_on_one_face_the_better_stays():
    says = Says(cell(0.6, 12, 10, 52, 50), cell(0.9, 10, 10, 50, 50), cell(0.7, 60, 10, 90, 50))
    faces = detector(says).detect(image())
    assert [round(face.score, 2) for face in faces] == [0.9, 0.7]


def test_box_within_a_better_one_goes_and_one_beside_it_stays():
    face, eye, beside = [10, 10, 60, 60], [15, 20, 35, 40], [55, 10, 95, 50]
    says = Says(cell(0.9, *face), cell(0.8, *eye), cell(0.7, *beside))
    assert [face.box.x1 for face in detector(says).detect(image())] == [10, 55]


def test_face_smaller_than_the_preset_looks_for_is_left_out():
    says = Says(cell(0.9, 10, 10, 25, 50))
    assert detector(says).detect(image()) == ()
    assert len(detector(says, min_face_px=15).detect(image())) == 1


def test_large_picture_is_reduced_and_its_boxes_lead_back():
    says = Says(cell(0.9, 100, 50, 200, 150))
    (face,) = detector(says).detect(image(1920, 1280))
    assert says.shown[0].shape == (1, 3, 512, 640)
    # 1280 becomes 427 pixels, not 426.67.
    assert (face.box.x1, face.box.x2) == (300.0, 600.0)
    assert face.box.y1 == pytest.approx(50 * 1280 / 427)


@pytest.mark.parametrize("size_wh", [(1, 1), (64, 64), (65, 64), (63, 129)])
def test_picture_is_padded_with_grey_to_what_the_network_takes(size_wh):
    filled = pad_image(np.zeros((size_wh[1], size_wh[0], 3), np.uint8))
    assert filled.shape[0] % PAD_TO == filled.shape[1] % PAD_TO == 0
    assert filled.shape[0] - size_wh[1] < PAD_TO > filled.shape[1] - size_wh[0]
    assert (filled[: size_wh[1], : size_wh[0]] == 0).all()
    assert (filled[size_wh[1] :] == 114).all()


@pytest.mark.parametrize(
    ("size_wh", "expected_wh"),
    [
        ((512, 341), (512, 384)),
        ((512, 288), (512, 384)),
        ((341, 512), (384, 512)),
        ((512, 512), (512, 512)),
        ((512, 256), (512, 256)),
        ((512, 400), (512, 512)),
        ((300, 200), (320, 256)),
        ((520, 340), (576, 384)),
    ],
)
def test_picture_gets_a_size_with_a_compiled_copy_where_that_is_near(size_wh, expected_wh):
    sizes = common_input_sizes(512)
    assert sizes == ((384, 512), (512, 384), (512, 512))
    filled = pad_image(np.zeros((size_wh[1], size_wh[0], 3), np.uint8), sizes)
    assert filled.shape[1::-1] == expected_wh


def test_sizes_with_a_compiled_copy_follow_the_working_size():
    assert common_input_sizes(640) == ((512, 640), (640, 512), (640, 640))
    assert max(common_input_sizes(1_000_000)[0]) == 8192


def test_value_that_is_no_number_is_never_a_face():
    with pytest.raises(InferenceError, match="not a number"):
        detector(Says([np.nan, 10, 10, 50, 50])).detect(image())


def test_pictures_of_one_size_are_shown_together_and_answered_in_order():
    says = Says(cell(0.9, 10, 10, 50, 50))
    pictures = [image(), image(300, 200), image()]
    answers = detector(says).detect_many(pictures)
    assert [len(batch) for batch in says.shown] == [2, 1]
    assert [len(faces) for faces in answers] == [1, 1, 1]
    assert detector(says).detect_many([]) == []


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """Weights of a network that was never taught, as a training run would leave them."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    export_detector(CompactNetwork().eval(), folder, name="compact", training={})
    return folder


@pytest.mark.parametrize("size_wh", [(64, 64), (192, 128), (128, 320)])
def test_both_engines_say_the_same_whatever_the_size(untrained, size_wh):
    network = compact_network(read_detector("compact", untrained))
    batch = np.random.default_rng(0).uniform(0, 255, (2, 3, size_wh[1], size_wh[0]))
    one, other = (
        runner_for(network, engine=engine, device=Device.CPU).run(batch.astype(np.float32))
        for engine in (Engine.TORCH, Engine.OPENVINO)
    )
    cells = sum(size_wh[0] * size_wh[1] // stride**2 for stride in STRIDES)
    assert one.shape == other.shape == (2, cells, 5)
    assert np.abs(one - other).max() < 0.01


def test_copy_for_one_size_gives_the_same_bits(untrained):
    network = compact_network(read_detector("compact", untrained))
    special = dataclasses.replace(network, usual_shapes=((1, 3, 128, 192),))
    one, other = (
        runner_for(each, engine=Engine.OPENVINO, device=Device.CPU) for each in (network, special)
    )
    draw = np.random.default_rng(0)
    for shape in ((1, 3, 128, 192), (2, 3, 128, 192), (1, 3, 64, 64)):
        batch = draw.uniform(0, 255, shape).astype(np.float32)
        assert (one.run(batch) == other.run(batch)).all()


def test_network_is_as_small_as_it_is_said_to_be(untrained):
    assert 200_000 < read_detector("compact", untrained).parameters < 300_000


def test_weights_that_are_absent_tell_how_to_get_them(tmp_path):
    (tmp_path / "manifest.json").write_text('{"schema_version": 1, "models": {}}')
    with pytest.raises(WeightsMissing, match="not trained") as caught:
        load_compact(settings=PRESETS[Preset.FAST], weights_dir=tmp_path)
    assert "emotion detector train" in caught.value.hint


def test_changed_byte_is_refused_before_anything_is_parsed(untrained, tmp_path):
    for file in untrained.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    file = tmp_path / "compact.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(WeightsCorrupt, match="differ"):
        load_compact(settings=PRESETS[Preset.FAST], weights_dir=tmp_path)


def test_detector_s_weights_are_told_by_their_checksum(untrained):
    stored = read_detector("compact", untrained)
    _, facts = load(AnalyzerConfig(detector="compact", weights_dir=untrained))
    assert facts.weights_sha256 == {"compact": stored.sha256}
    assert stored.file == Path(untrained) / "compact.safetensors"


def test_preset_decides_how_large_the_picture_is(untrained):
    settings = dataclasses.replace(PRESETS[Preset.FAST], working_px=128)
    made = load_compact(settings=settings, device=Device.CPU, weights_dir=untrained)
    assert made._working_px == 128
    runner = Says(cell(0.9, 10, 10, 50, 50))
    detector(runner, working_px=128).detect(image(1000, 500))
    assert runner.shown[0].shape == (1, 3, 64, 128)
