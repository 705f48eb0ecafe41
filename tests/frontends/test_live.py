"""How the fronts answer the frames of a browser's camera."""

from __future__ import annotations

import base64
from io import BytesIO

import pytest
from PIL import Image

from core import Emotion, FaceFollower, Frame, read_image
from frontends.live import MAX_FRAMES, Stream, answer_message
from frontends.wording import format_emotion, format_probability
from tests.fakes import FakeAnalyzer, FakeEnsemble, picture


def jpeg(*faces, **more):
    buffer = BytesIO()
    # Full chroma: the colours of the drawn faces must survive.
    Image.fromarray(picture(*faces, **more)).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


def address(data):
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def group(*pictures, number=1, run="a", began=0.0):
    """Return a message with a frame every 40 ms."""
    frames = [{"at": began + 40 * n, "jpeg": address(each)} for n, each in enumerate(pictures)]
    return {"number": number, "run": run, "frames": frames}


def faces_of(message, stream, analyzer):
    """Return the faces of the last frame."""
    return answer_message(message, stream, analyzer)["frames"][-1]["faces"]


def test_reply_has_place_emotion_and_number_of_each_face():
    result = answer_message(
        group(jpeg(Emotion.HAPPY, Emotion.SAD), number=7, began=50), Stream(), FakeAnalyzer()
    )
    assert (result["number"], result["run"]) == (7, "a")
    assert result["ms"] > 0
    [frame] = result["frames"]
    assert frame["at"] == pytest.approx(50)
    first, second = frame["faces"]
    assert first["label"] == "1 · Happy 90 %"
    assert second["label"] == "2 · Sad 90 %"
    assert first["certain"]
    # The square from (10, 10) to (70, 70) in 480 x 360.
    assert first["box"] == pytest.approx([10 / 480, 10 / 360, 70 / 480, 70 / 360], abs=0.01)


def test_votes_of_an_ensemble_are_counted():
    (face,) = faces_of(group(jpeg(Emotion.HAPPY)), Stream(), FakeEnsemble())
    assert face["label"] == "1 · Happy 90 % · 2 of 3"


def test_reply_says_not_sure():
    (face,) = faces_of(group(jpeg(unsure=[Emotion.SAD])), Stream(), FakeAnalyzer())
    assert not face["certain"]
    assert face["label"].startswith("1 · Not sure (sad?)")


def test_frames_in_groups_are_answered_like_a_video():
    pictures = [jpeg(each) for each in (Emotion.HAPPY, Emotion.HAPPY, Emotion.SAD, Emotion.SAD) * 3]
    stream, analyzer, result = Stream(), FakeAnalyzer(), []
    for number, size in enumerate((1, 5, 6)):
        began = 40.0 * len(result)
        some = pictures[len(result) : len(result) + size]
        result += answer_message(group(*some, number=number, began=began), stream, analyzer)[
            "frames"
        ]
    follower = FaceFollower(FakeAnalyzer())
    videos = [follower.answer(Frame(read_image(each), n / 25)) for n, each in enumerate(pictures)]
    labels = [face["label"] for frame in result for face in frame["faces"]]
    assert labels == [
        f"{face.index} · {format_emotion(face.emotions.top)} "
        f"{format_probability(face.emotions.ranked()[0][1])}"
        for video in videos
        for face in video.faces
    ]
    assert len(labels) == len(result) == 12
    assert len(analyzer.detector.seen) == 3  # of twelve


def test_answers_are_smoothed_across_groups_and_start_again_for_a_new_page():
    stream, analyzer = Stream(), FakeAnalyzer()
    happy, sad = jpeg(Emotion.HAPPY), jpeg(Emotion.SAD)
    faces_of(group(happy, began=5000), stream, analyzer)
    (face,) = faces_of(group(sad, began=5040), stream, analyzer)
    assert face["label"].split(" · ")[1].startswith(("Happy", "Not sure (happy"))
    (face,) = faces_of(group(sad, run="b", began=10), stream, analyzer)
    assert face["label"] == "1 · Sad 90 %"


def test_faces_keep_their_numbers_when_settings_change():
    stream, analyzer, happy = Stream(), FakeAnalyzer(), jpeg(Emotion.HAPPY)
    faces_of(group(happy), stream, analyzer)
    faces_of(group(*[jpeg()] * 10, began=1000), stream, analyzer)
    (second,) = faces_of(group(*[happy] * 5, began=5000), stream, analyzer)
    (still,) = faces_of(group(happy, began=5500), stream, FakeEnsemble())
    assert (second["label"][0], still["label"][0]) == ("2", "2")
    assert still["label"].endswith("2 of 3")


def test_pictures_older_than_the_last_ones_are_refused():
    stream, analyzer = Stream(), FakeAnalyzer()
    answer_message(group(jpeg(Emotion.SAD), began=100), stream, analyzer)
    result = answer_message(group(jpeg(Emotion.SAD), began=99), stream, analyzer)
    assert "old pictures" in result["problem"]


def one(**frame):
    return {"number": 1, "frames": [{"at": 0, "jpeg": address(jpeg()), **frame}]}


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "text",
        {"number": 1},
        {"number": 1, "frames": []},
        {"number": 1, "frames": "text"},
        {"number": 1, "frames": [5]},
        one(jpeg=5),
        one(jpeg="data:image/png;base64,AAAA"),
        one(jpeg="data:image/jpeg;base64,@@@"),
        one(jpeg="data:image/jpeg;base64,AAAA"),
        one(jpeg="data:image/jpeg;base64," + "A" * 4_000_000),
        one(at="now"),
        one(at=float("nan")),
        one(at=None),
        one(at=10**400),
        one(jpeg="data:image/jpeg;base64,é"),
        one(jpeg=address(jpeg(size_wh=(1400, 1000)))),
        group(*[jpeg()] * (MAX_FRAMES + 1)),
    ],
)
def test_message_without_a_picture_is_refused(sent):
    analyzer = FakeAnalyzer()
    result = answer_message(sent, Stream(), analyzer)
    assert result["problem"]
    assert "frames" not in result
    assert analyzer.detector.seen == []


def test_page_and_server_have_the_same_limit_of_frames(root):
    script = (root / "frontends" / "camera" / "camera.js").read_text(encoding="utf-8")
    assert f"const MAX_FRAMES = {MAX_FRAMES};" in script
