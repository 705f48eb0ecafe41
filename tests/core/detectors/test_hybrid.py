"""Proposals of our network, verified by the last two networks of MTCNN."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from core import AnalyzerConfig, Device, RgbImage, WeightsMissing
from core.config import Preset, PresetSettings, get_settings
from core.detectors import load
from core.detectors.area_windows import integral_image
from core.detectors.compact import load_compact
from core.detectors.hybrid import HybridDetector, load_hybrid
from core.detectors.mtcnn import load_mtcnn
from core.weights import SHIPPED_DIR, read_detector
from tests.core.detectors.test_compact import FixedCells, cell

BOX = (20.0, 20.0, 60.0, 60.0)


class FixedScores:
    """A runner that gives every candidate the same output and counts them."""

    def __init__(self, score, values):
        self.answer = np.zeros(values, np.float32)
        self.answer[0] = score
        self.calls = 0

    def run(self, batch):
        self.calls += len(batch)
        return np.repeat(self.answer[None], len(batch), axis=0)


def detector(*cells, refinement=0.9, output=0.81, threshold=0.5, working_px=640):
    settings = PresetSettings("hybrid", working_px=working_px, min_face_px=16)
    runners = FixedCells(*cells), FixedScores(refinement, 5), FixedScores(output, 15)
    return HybridDetector(*runners, settings, threshold)


def image(width=100, height=100):
    return RgbImage(np.full((height, width, 3), 50, np.uint8))


def test_score_is_the_geometric_mean_of_both_networks():
    (face,) = detector(cell(0.64, *BOX)).detect(image())
    assert face.score == pytest.approx((0.64 * 0.81) ** 0.5, abs=1e-4)
    assert type(face.score) is float


@pytest.mark.parametrize("changes", [{"refinement": 0.1}, {"output": 0.2}])
def test_candidate_that_either_network_rejects_is_dropped(changes):
    assert detector(cell(0.9, *BOX), **changes).detect(image()) == ()


def test_proposal_that_cannot_reach_the_threshold_is_not_verified():
    unlikely = [cell(0.48, x, 100, x + 30, 130) for x in (0, 40, 80, 120)]
    made = detector(cell(0.5, *BOX), *unlikely, threshold=0.7)
    made.detect(image(200, 200))
    assert (
        made._refinement.calls == 4
    )  # one candidate in the smallest batch; five would need two batches


def test_no_proposals_give_no_faces():
    assert detector(cell(0.05, *BOX)).detect(image()) == ()


def test_candidates_are_verified_at_twice_the_working_size(monkeypatch):
    judged = []

    def seen(pixels):
        judged.append(pixels.shape)
        return integral_image(pixels)

    monkeypatch.setattr("core.detectors.hybrid.integral_image", seen)
    made = detector(cell(0.9, *BOX), working_px=100)
    (face,) = made.detect(image(800, 800))
    assert made._proposals._runner.shown[0].shape == (1, 3, 128, 128)
    assert judged == [(200, 200, 3)]
    assert (face.box.x1, face.box.x2) == pytest.approx((8 * 20, 8 * 60), abs=8)


def test_one_face_proposed_twice_is_found_once():
    inner = (24.0, 24.0, 56.0, 56.0)
    made = detector(cell(0.9, *BOX), cell(0.8, *inner))
    assert len(made.detect(image())) == 1


def test_box_agrees_with_mtcnn_and_compact(photo):
    def found(load, name, **more):
        settings = get_settings(Preset.BALANCED, name)
        (face,) = load(settings=settings, device=Device.CPU, **more).detect(photo)
        return face

    face, mtcnn = found(load_hybrid, "hybrid"), found(load_mtcnn, "mtcnn")
    compact = found(load_compact, "compact", threshold=0.4)
    ours = np.array([face.box.x1, face.box.y1, face.box.x2, face.box.y2])
    for other in (mtcnn, compact):
        theirs = np.array([other.box.x1, other.box.y1, other.box.x2, other.box.y2])
        assert np.abs(ours - theirs).max() < 0.15 * face.box.width
    assert np.abs(face.landmarks.points - mtcnn.landmarks.points).max() < 0.05 * face.box.width


def test_missing_weights_are_an_error(tmp_path):
    with pytest.raises(WeightsMissing):
        load_hybrid(settings=get_settings(Preset.BALANCED), weights_dir=tmp_path)


def test_folder_without_a_detector_uses_the_shipped_one(tmp_path):
    document = {"schema_version": 1, "models": {}}
    (tmp_path / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
    config = AnalyzerConfig(detector="compact", weights_dir=tmp_path)
    _, facts = load(config)
    assert facts.weights_sha256 == {"compact": read_detector("compact").sha256}
    shutil.copy(SHIPPED_DIR / "manifest.json", tmp_path)
    with pytest.raises(WeightsMissing):
        load(config)  # looks in the folder, whose manifest now lists a detector
