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


class FixedCells:
    """A runner that returns the same cells for every picture and records its inputs."""

    def __init__(self, *cells):
        self.cells = np.array(cells, np.float32).reshape(-1, 5)
        self.shown = []

    def run(self, batch):
        self.shown.append(batch)
        return np.repeat(self.cells[None], len(batch), axis=0)


def cell(score, *box):
    """Return a cell's output: a logit, and a box in pixels of the network's input."""
    return [float(np.log(score / (1 - score))), *box]


def detector(runner, **changes):
    sizes = {"working_px": 640, "min_face_px": 16, **changes}
    return CompactDetector(runner, PresetSettings("compact", **sizes), threshold=0.5)


def image(width=100, height=60):
    return RgbImage(np.full((height, width, 3), 50, np.uint8))


def test_no_cell_above_the_threshold_gives_no_face():
    assert detector(FixedCells(cell(0.49, 10, 10, 50, 50))).detect(image()) == ()


def test_face_comes_with_its_score_and_without_landmarks():
    (face,) = detector(FixedCells(cell(0.75, 10, 10, 50, 50))).detect(image())
    assert (face.box.x1, face.box.y2, face.landmarks) == (10, 50, None)
    assert face.score == pytest.approx(0.75)
    assert type(face.score) is float


def test_better_of_two_boxes_on_one_face_is_kept():
    runner = FixedCells(
        cell(0.6, 12, 10, 52, 50), cell(0.9, 10, 10, 50, 50), cell(0.7, 60, 10, 90, 50)
    )
    faces = detector(runner).detect(image())
    assert [round(face.score, 2) for face in faces] == [0.9, 0.7]


def test_box_inside_a_better_one_is_dropped_and_one_beside_it_kept():
    face, eye, beside = [10, 10, 60, 60], [15, 20, 35, 40], [55, 10, 95, 50]
    runner = FixedCells(cell(0.9, *face), cell(0.8, *eye), cell(0.7, *beside))
    assert [face.box.x1 for face in detector(runner).detect(image())] == [10, 55]


def test_face_below_the_preset_s_smallest_size_is_dropped():
    runner = FixedCells(cell(0.9, 10, 10, 25, 50))
    assert detector(runner).detect(image()) == ()
    assert len(detector(runner, min_face_px=15).detect(image())) == 1


def test_large_picture_is_reduced_and_boxes_are_scaled_back():
    runner = FixedCells(cell(0.9, 100, 50, 200, 150))
    (face,) = detector(runner).detect(image(1920, 1280))
    assert runner.shown[0].shape == (1, 3, 512, 640)
    # 1280 becomes 427 pixels, not 426.67.
    assert (face.box.x1, face.box.x2) == (300.0, 600.0)
    assert face.box.y1 == pytest.approx(50 * 1280 / 427)


@pytest.mark.parametrize("size_wh", [(1, 1), (64, 64), (65, 64), (63, 129)])
def test_picture_is_padded_with_grey_to_multiples_of_64_px(size_wh):
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
def test_picture_is_padded_to_a_precompiled_size_if_one_is_near(size_wh, expected_wh):
    sizes = common_input_sizes(512)
    assert sizes == ((384, 512), (512, 384), (512, 512))
    filled = pad_image(np.zeros((size_wh[1], size_wh[0], 3), np.uint8), sizes)
    assert filled.shape[1::-1] == expected_wh


def test_precompiled_sizes_depend_on_the_working_size():
    assert common_input_sizes(640) == ((512, 640), (640, 512), (640, 640))
    assert max(common_input_sizes(1_000_000)[0]) == 8192


def test_output_that_is_not_a_number_is_refused():
    with pytest.raises(InferenceError, match="not a number"):
        detector(FixedCells([np.nan, 10, 10, 50, 50])).detect(image())


def test_pictures_of_one_size_share_a_call_and_keep_their_order():
    runner = FixedCells(cell(0.9, 10, 10, 50, 50))
    pictures = [image(), image(300, 200), image()]
    answers = detector(runner).detect_many(pictures)
    assert [len(batch) for batch in runner.shown] == [2, 1]
    assert [len(faces) for faces in answers] == [1, 1, 1]
    assert detector(runner).detect_many([]) == []


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """Weights of an untrained network, exported as after a training run."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    export_detector(CompactNetwork().eval(), folder, name="compact", training={})
    return folder


@pytest.mark.parametrize("size_wh", [(64, 64), (192, 128), (128, 320)])
def test_both_engines_agree_at_any_size(untrained, size_wh):
    network = compact_network(read_detector("compact", untrained))
    batch = np.random.default_rng(0).uniform(0, 255, (2, 3, size_wh[1], size_wh[0]))
    one, other = (
        runner_for(network, engine=engine, device=Device.CPU).run(batch.astype(np.float32))
        for engine in (Engine.TORCH, Engine.OPENVINO)
    )
    cells = sum(size_wh[0] * size_wh[1] // stride**2 for stride in STRIDES)
    assert one.shape == other.shape == (2, cells, 5)
    assert np.abs(one - other).max() < 0.01


def test_copy_compiled_for_one_size_gives_identical_outputs(untrained):
    network = compact_network(read_detector("compact", untrained))
    special = dataclasses.replace(network, usual_shapes=((1, 3, 128, 192),))
    one, other = (
        runner_for(each, engine=Engine.OPENVINO, device=Device.CPU) for each in (network, special)
    )
    draw = np.random.default_rng(0)
    for shape in ((1, 3, 128, 192), (2, 3, 128, 192), (1, 3, 64, 64)):
        batch = draw.uniform(0, 255, shape).astype(np.float32)
        assert (one.run(batch) == other.run(batch)).all()


def test_network_has_about_a_quarter_million_parameters(untrained):
    assert 200_000 < read_detector("compact", untrained).parameters < 300_000


def test_missing_weights_name_the_training_command(tmp_path):
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


def test_facts_have_the_checksum_of_the_detector_s_weights(untrained):
    stored = read_detector("compact", untrained)
    _, facts = load(AnalyzerConfig(detector="compact", weights_dir=untrained))
    assert facts.weights_sha256 == {"compact": stored.sha256}
    assert stored.file == Path(untrained) / "compact.safetensors"


def test_preset_decides_the_working_size(untrained):
    settings = dataclasses.replace(PRESETS[Preset.FAST], working_px=128)
    made = load_compact(settings=settings, device=Device.CPU, weights_dir=untrained)
    assert made._working_px == 128
    runner = FixedCells(cell(0.9, 10, 10, 50, 50))
    detector(runner, working_px=128).detect(image(1000, 500))
    assert runner.shown[0].shape == (1, 3, 64, 128)
