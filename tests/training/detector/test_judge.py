"""The hybrid detector's judge: what it learns from, and what comes of it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from core import AnalyzerConfig, DataError, RgbImage
from core.config import Device
from core.detectors import load
from core.detectors.area_windows import integral_image
from core.detectors.hybrid import JUDGE, Candidates, load_judge
from core.weights import SHIPPED_DIR, find_detector, read_detector
from training.detector import judge
from training.detector.judge import JudgeRecipe, JudgeSamples, train_and_export_judge, train_judge
from training.detector.photos import FaceBoxes
from training.detector.publish import publish_detector

BOXES = np.float32([[10, 10, 50, 50], [60, 60, 90, 90], [10, 12, 50, 70], [100, 10, 130, 40]])
SCORES = np.float32([0.9, 0.8, 0.7, 0.6])


class Proposes:
    """A hybrid detector with the given candidates, whose judge moves none."""

    def __init__(self, boxes=BOXES, scores=SCORES):
        self.boxes, self.scores = boxes, scores

    def find_candidates(self, _image):
        if not len(self.boxes):
            return None
        pixels = np.full((200, 200, 3), 90, np.uint8)
        return Candidates(pixels, integral_image(pixels), self.boxes, self.scores)

    def judge(self, found):
        return np.zeros((len(found.boxes), 15), np.float32)


def collect(truth, ignored=(), size=200):
    image = RgbImage(np.full((size, size, 3), 90, np.uint8))
    boxes = np.float32([*truth, *ignored]).reshape(-1, 4)
    kinds = np.array([False] * len(truth) + [True] * len(ignored))
    return judge._collect_one(Proposes(), image, FaceBoxes(boxes, kinds))


def test_candidates_on_a_face_are_right_and_doubtful_ones_are_left_out():
    crops, faces = collect([[10, 10, 50, 50]])
    # The third overlaps the face by two thirds too; the others by nothing.
    assert faces.tolist() == [True, True, False, False]
    assert crops.shape == (4, 3, 48, 48)
    _, faces = collect([[10, 26, 50, 66]])
    assert faces.tolist() == [True, False, False]  # the first overlaps it by .43: left out


def test_candidate_on_an_ignored_face_is_not_wrong():
    _, faces = collect([[10, 10, 50, 50]], ignored=[[55, 55, 95, 95]])
    assert faces.tolist() == [True, True, False]


def test_boxes_are_those_of_the_reduced_picture():
    _, faces = collect([[20, 20, 100, 100]], size=400)
    assert faces.tolist() == [True, True, False, False]


def test_only_the_best_wrong_candidates_are_kept(monkeypatch):
    monkeypatch.setattr(judge, "_WRONG_PER_PHOTO", 1)
    _, faces = collect([[10, 10, 50, 50]])
    assert faces.tolist() == [True, True, False]


def samples(count=64):
    """Bright crops are faces, dark ones are not."""
    draw = np.random.default_rng(0)
    faces = np.arange(count) % 2 == 0
    levels = np.where(faces, 180, 60)[:, None, None, None]
    crops = (levels + draw.integers(-20, 20, (count, 3, 48, 48))).astype(np.uint8)
    return JudgeSamples(crops, faces)


def answer(network, crops):
    with torch.no_grad():
        offsets, points, shares = network((torch.from_numpy(crops).float() - 127.5) / 128)
    return offsets, points, shares[:, 1].numpy()


@pytest.fixture(scope="module")
def trained():
    return train_judge(samples(), JudgeRecipe(epochs=10, learning_rate=2e-3))


def test_judge_learns_what_is_a_face_and_keeps_boxes_and_points(trained):
    given = samples()
    start = judge.build_output_network().eval()
    before, after = answer(start, given.crops), answer(trained, given.crops)
    assert after[2][given.faces].min() > 0.8
    assert after[2][~given.faces].max() < 0.2
    assert before[2].max() < 0.5  # the start takes none of them for a face
    assert (after[0] - before[0])[given.faces].abs().mean() < 0.05
    assert (after[1] - before[1])[given.faces].abs().mean() < 0.05


@pytest.fixture
def run(trained, tmp_path, monkeypatch):
    """A folder with a judge that was trained and exported."""
    monkeypatch.setattr(judge, "collect_candidates", lambda *_, **__: samples())
    monkeypatch.setattr(judge, "train_judge", lambda *_, **__: trained)
    train_and_export_judge(tmp_path / "photos.zip", tmp_path / "boxes.json", tmp_path / "run")
    return tmp_path / "run"


def test_exported_judge_gives_the_same_answers(run, trained):
    crops = samples(4).crops
    stored = read_detector(JUDGE, run)
    assert (stored.training["candidates"], stored.training["faces"]) == (64, 32)
    runner = load_judge(stored, Device.CPU)
    inputs = ((crops.astype(np.float32)) - 127.5) / 128
    offsets, _, shares = answer(trained, crops)
    result = runner.run(inputs)
    assert result[:, 0] == pytest.approx(shares, abs=0.01)
    assert result[:, 1:5] == pytest.approx(offsets.numpy(), abs=0.02)


def test_photos_without_candidates_of_both_kinds_are_refused(tmp_path, monkeypatch):
    one_kind = JudgeSamples(samples().crops, np.ones(64, np.bool_))
    monkeypatch.setattr(judge, "collect_candidates", lambda *_, **__: one_kind)
    with pytest.raises(DataError, match="both kinds"):
        train_and_export_judge(tmp_path, tmp_path, tmp_path / "run")


def test_analyzer_uses_the_folder_s_judge_and_the_shipped_proposals(run):
    _, facts = load(AnalyzerConfig(detector="hybrid", weights_dir=run))
    assert facts.weights_sha256 == {
        "compact": read_detector("compact").sha256,
        JUDGE: read_detector(JUDGE, run).sha256,
    }
    assert find_detector(JUDGE).sha256 != read_detector(JUDGE, run).sha256


def test_publishing_a_judge_takes_the_thresholds_of_the_hybrid(run, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    shutil.copy(SHIPPED_DIR / "manifest.json", folder)
    document = json.loads((SHIPPED_DIR / "detection.json").read_text(encoding="utf-8"))
    tuned = {**document, "detectors": {"hybrid": document["detectors"]["hybrid"]}}
    (run / "detection.json").write_text(json.dumps(tuned), encoding="utf-8")
    publish_detector(run, folder)
    assert find_detector(JUDGE, folder).sha256 == read_detector(JUDGE, run).sha256
    published = json.loads((folder / "detection.json").read_text(encoding="utf-8"))
    assert list(published["detectors"]) == ["hybrid"]
    assert "64 proposals" in (folder / "judge.md").read_text(encoding="utf-8")
    assert not (folder / "compact.md").exists()
