"""Covered eyes and mouths are noticed, and what is said of a face depends on that face alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from core import (
    Analyzer,
    AnalyzerConfig,
    Box,
    Engine,
    Face,
    InferenceError,
    RgbImage,
    WeightsCorrupt,
    WeightsMissing,
)
from core.faces.covered import PARTS, CoverCheck, cover_network, load_cover_check
from core.types import FacePart
from core.weights import MANIFEST_NAME, SHIPPED_DIR, CheckWeights, read_check
from tests.core.conftest import FACE_XYXY
from tests.core.pipeline_parts import FixedDetector, FixedLandmarks, analyzer, five_points

SKIN, CLOTH, BLACK = (190, 140, 120), (150, 195, 225), (15, 15, 15)


class FixedLogits:
    """A runner that gives every face the same logits and records its batches."""

    def __init__(self, *logits):
        self.logits = np.array(logits, np.float32)
        self.seen = []

    def run(self, batch):
        self.seen.append(batch)
        return np.tile(self.logits, (len(batch), 1))


def stored(**thresholds):
    levels = {str(part): thresholds.get(part, 0.5) for part in PARTS}
    return CheckWeights("covered", Path("covered"), 1, "cd" * 32, 1, {}, {}, levels)


def check(*logits, **thresholds):
    return CoverCheck(stored(**thresholds), FixedLogits(*logits))


CROP = np.arange(48 * 48, dtype=np.uint32).astype(np.uint8).reshape(48, 48)


@pytest.mark.parametrize(
    ("logits", "found"),
    [
        ((-3, -3, -3), ()),
        ((3, -3, -3), (FacePart.EYES,)),
        ((-3, 3, -3), (FacePart.MOUTH,)),
        ((-3, -3, 3), (FacePart.ONE_EYE,)),
        ((3, 3, 3), (FacePart.EYES, FacePart.MOUTH)),
        ((-3, 3, 3), (FacePart.MOUTH, FacePart.ONE_EYE)),
    ],
)
def test_parts_above_their_level_are_covered_and_one_eye_only_if_not_both_are(logits, found):
    assert check(*logits).find_covered(CROP) == found


def test_each_part_has_its_own_level():
    assert check(0.5, 0.5, -3, eyes=0.9).find_covered(CROP) == (FacePart.MOUTH,)


def test_a_face_is_judged_with_its_mirror_image_and_alone():
    runner = FixedLogits(0, 0, 0)
    CoverCheck(stored(), runner).score(CROP)
    (batch,) = runner.seen
    assert batch.shape == (2, 1, 48, 48)
    assert (batch[0, 0] == CROP).all()
    assert (batch[1, 0] == CROP[:, ::-1]).all()


def test_a_value_that_is_not_a_number_is_an_error():
    with pytest.raises(InferenceError):
        check(np.nan, 0, 0).find_covered(CROP)


def make_analyzer(cover_check, *faces, landmarks):
    plain = analyzer()
    return Analyzer(
        AnalyzerConfig(),
        detector=FixedDetector(*faces),
        landmarks=FixedLandmarks(landmarks),
        model=plain._model,
        cover_check=cover_check,
    )


@pytest.mark.parametrize(
    ("logits", "reason"),
    [
        ((3, -3, -3), "The eyes seem to be covered."),
        ((-3, 3, -3), "The mouth seems to be covered."),
        ((-3, -3, 3), "One eye seems to be covered."),
    ],
)
def test_covered_face_says_so_and_is_never_a_certain_answer(photo, logits, reason):
    face = Face(Box(*FACE_XYXY), 0.99)
    points = five_points(190, 70, 1.5)
    answer = make_analyzer(check(*logits), face, landmarks=points).analyze(photo).faces[0]
    assert answer.quality.reasons[0] == reason
    assert answer.quality.unreadable == reason
    assert not answer.emotions.certain
    assert not any(scores.certain for scores in answer.per_model.values())


def test_face_that_is_not_located_is_not_checked(photo):
    made = make_analyzer(check(3, 3, 3), Face(Box(*FACE_XYXY), 0.99), landmarks=None)
    (answer,) = made.analyze(photo).faces
    assert answer.quality.covered == ()
    assert "could not be located" in answer.quality.unreadable


def test_weights_and_levels_are_part_of_the_provenance(photo):
    one, other = (
        make_analyzer(each, landmarks=None).provenance
        for each in (check(0, 0, 0), check(0, 0, 0, mouth=0.7))
    )
    assert one.weights_sha256["covered"] == "cd" * 32
    assert one.config_digest != other.config_digest


# From here on with the shipped network.


@pytest.fixture(scope="module")
def shipped():
    return Analyzer.from_config(AnalyzerConfig())


def cover_mouth(pixels):
    corners = np.array([(182, 122), (224, 116), (268, 124), (258, 160), (226, 186), (192, 160)])
    cv2.fillPoly(pixels, [corners], CLOTH, cv2.LINE_AA)


def cover_eyes(pixels):
    for centre in ((204, 103), (244, 105)):
        cv2.ellipse(pixels, centre, (19, 13), 0, 0, 360, BLACK, -1, cv2.LINE_AA)
    cv2.line(pixels, (220, 100), (230, 100), BLACK, 3)


def draw_glasses(pixels):
    for centre in ((204, 103), (244, 105)):
        cv2.ellipse(pixels, centre, (18, 13), 0, 0, 360, (40, 30, 30), 2, cv2.LINE_AA)
    cv2.line(pixels, (221, 102), (227, 102), (40, 30, 30), 2)


def look(shipped, astronaut, draw):
    pixels = astronaut.copy()
    draw(pixels)
    (answer,) = shipped.analyze(RgbImage(pixels)).faces
    return answer


def test_drawn_mask_is_noticed(shipped, astronaut):
    answer = look(shipped, astronaut, cover_mouth)
    assert answer.quality.covered == (FacePart.MOUTH,)
    assert not answer.emotions.certain


def test_drawn_sunglasses_are_noticed(shipped, astronaut):
    answer = look(shipped, astronaut, cover_eyes)
    assert answer.quality.covered == (FacePart.EYES,)
    assert not answer.emotions.certain


@pytest.mark.parametrize("draw", [lambda _: None, draw_glasses], ids=["nothing", "glasses"])
def test_face_with_free_eyes_and_mouth_is_not_called_covered(shipped, astronaut, draw):
    assert look(shipped, astronaut, draw).quality.covered == ()


def test_no_bit_of_the_answer_depends_on_the_faces_beside_it(shipped, astronaut):
    (face,) = shipped.detect(RgbImage(astronaut))
    crop = shipped.crop(RgbImage(astronaut), face, None).pixels
    cover_check = load_cover_check()
    alone = cover_check.score(crop)
    cover_check.score(CROP)
    assert cover_check.score(crop) == alone


def test_both_engines_give_the_same_scores(faces48):
    checks = [load_cover_check(engine=engine) for engine in (Engine.OPENVINO, Engine.TORCH)]
    for crop in faces48:
        one, other = (list(each.score(crop).values()) for each in checks)
        assert one == pytest.approx(other, abs=1e-4)


def test_changed_weights_are_refused_before_they_are_parsed(tmp_path, monkeypatch):
    shutil.copy(SHIPPED_DIR / MANIFEST_NAME, tmp_path)
    spec = read_check("covered")
    data = bytearray(spec.file.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / spec.file.name).write_bytes(data)
    monkeypatch.setattr("safetensors.torch.load", lambda _: pytest.fail("parsed"))
    # Without building anything: a compiled copy may be cached.
    with pytest.raises(WeightsCorrupt, match="covered"):
        cover_network(read_check("covered", tmp_path))


def test_folder_without_a_check_uses_the_shipped_one(weights_dir):
    assert read_check("covered", weights_dir).file.parent == SHIPPED_DIR


def test_unknown_check_is_missing():
    with pytest.raises(WeightsMissing, match="sharpness"):
        read_check("sharpness")
