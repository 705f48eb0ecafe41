"""What the fronts make of the frames that a browser's camera sends."""

from __future__ import annotations

import base64
from io import BytesIO

import pytest
from PIL import Image

from core import Emotion, FaceTracker
from frontends.live import answered
from tests.fakes import FakeAnalyzer, FakeEnsemble, picture


def frame(*faces, number=1, **more):
    buffer = BytesIO()
    # Full chroma: the colours of the drawn faces must survive.
    Image.fromarray(picture(*faces, **more)).save(buffer, "JPEG", quality=95, subsampling=0)
    data = base64.b64encode(buffer.getvalue()).decode()
    return {"number": number, "run": "a", "jpeg": f"data:image/jpeg;base64,{data}"}


def test_faces_are_told_with_their_place_word_and_number():
    told = answered(frame(Emotion.HAPPY, Emotion.SAD, number=7), FaceTracker(), FakeAnalyzer())
    assert (told["number"], told["run"]) == (7, "a")
    assert told["ms"] > 0
    first, second = told["faces"]
    assert first["label"] == "1 · Happy 90 %"
    assert second["label"] == "2 · Sad 90 %"
    assert first["certain"]
    # The square from (10, 10) to (70, 70) in 480 x 360.
    assert first["box"] == pytest.approx([10 / 480, 10 / 360, 70 / 480, 70 / 360], abs=0.01)


def test_votes_of_an_ensemble_are_counted():
    (face,) = answered(frame(Emotion.HAPPY), FaceTracker(), FakeEnsemble())["faces"]
    assert face["label"] == "1 · Happy 90 % · 2 of 3"


def test_doubt_is_told():
    (face,) = answered(frame(unsure=[Emotion.SAD]), FaceTracker(), FakeAnalyzer())["faces"]
    assert not face["certain"]
    assert face["label"].startswith("1 · Not sure (sad?)")


def test_answers_are_smoothed_from_frame_to_frame():
    tracker, analyzer = FaceTracker(smoothing_s=1000), FakeAnalyzer()
    answered(frame(Emotion.HAPPY), tracker, analyzer)
    (face,) = answered(frame(Emotion.SAD), tracker, analyzer)["faces"]
    assert face["label"].startswith("1 · Happy")


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "text",
        {"number": 1},
        {"number": 1, "jpeg": 5},
        {"number": 1, "jpeg": "data:image/png;base64,AAAA"},
        {"number": 1, "jpeg": "data:image/jpeg;base64,@@@"},
        {"number": 1, "jpeg": "data:image/jpeg;base64,AAAA"},
        {"number": 1, "jpeg": "data:image/jpeg;base64," + "A" * 2_000_000},
    ],
)
def test_what_is_no_picture_is_told_and_not_answered(sent):
    analyzer = FakeAnalyzer()
    told = answered(sent, FaceTracker(), analyzer)
    assert told["problem"]
    assert "faces" not in told
    assert analyzer.detector.seen == []
