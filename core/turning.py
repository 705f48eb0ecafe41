"""Which way up a picture is, judged by the faces in it.

Scans and some phone photos lie on their side or upside down, and say nothing of it. Faces in them
are missed, or found and misread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from .faces.quality import head_pose
from .types import Face, Float32Array, Landmarks, RgbImage

QUARTERS = (90, 270, 180)
"""Degrees clockwise that are tried, the most common first."""
UPRIGHT_FROM = 10.0
"""Logit of the face mesh from which a face surely is upright. For faces in natural photos the
median is 17, and 1 if the photo is upside down."""
_UPRIGHT_ROLL = 60.0
"""Degrees by which an upright face may tilt; the mesh follows a face that lies on its side."""
SURE_FROM = 0.6
"""Score of the detector from which a face counts in a picture that had to be turned for it."""
_SCORE_WEIGHT, _LEAST_GAIN = 80.0, 12.0
"""A turn is judged by the mesh's logit plus this many times the detector's score, and must gain
this much. docs/detection.md has the shares of photos that are turned upright, or wrongly."""
_HIGH_SCORE = 0.95
"""Few faces have a higher score. A turn that could not gain enough with it is not tried, because
searching a photo again takes longest."""
_SMALLEST_PX = 24
"""Shorter side of the largest face below which the mesh cannot tell."""
_JUDGED = 3
"""Faces that are judged, the largest."""
_NOTES = {90: "a quarter to the right", 180: "upside down", 270: "a quarter to the left"}


@runtime_checkable
class TurnJudge(Protocol):
    """A landmark model that sees whether a face is upright."""

    def judge_turns(self, image: RgbImage, face: Face) -> Float32Array:
        """Return (4,) logits that ``face`` is upright after 0 to 3 clockwise quarter turns."""
        ...


def find_turn(
    image: RgbImage,
    faces: Sequence[Face],
    located: Sequence[Landmarks | None],
    *,
    detect: Callable[[RgbImage], Sequence[Face]],
    judge: object,
) -> int:
    """Return the degrees clockwise by which ``image`` must be turned to stand upright.

    ``faces`` and their landmarks were found in it as it is. It stays as it is if any of the largest
    is upright, or if no turn shows faces clearly better. Without a :class:`TurnJudge` only an image
    without faces is turned.
    """
    judge = judge if isinstance(judge, TurnJudge) else None
    if not faces:
        return _find_turn_with_faces(image, detect, judge)
    pairs = zip(faces, located, strict=True)
    largest = sorted(pairs, key=lambda pair: -pair[0].box.area)[:_JUDGED]
    if judge is None or any(_is_upright(points) for _, points in largest):
        return 0
    if min(largest[0][0].box.width, largest[0][0].box.height) < _SMALLEST_PX:
        return 0
    score_now = max(face.score for face in faces)
    # The largest face first: most photos need no more.
    logits = judge.judge_turns(image, largest[0][0])
    if not _list_promising(logits, score_now):
        return 0
    logits = np.mean([logits, *(judge.judge_turns(image, f) for f, _ in largest[1:])], axis=0)
    as_it_is = _SCORE_WEIGHT * score_now + logits[0]
    gains = {0: 0.0}
    for degrees in _list_promising(logits, score_now):
        found = detect(image.turn_to(image.turned + degrees))
        if found:
            score = max(face.score for face in found)
            gains[degrees] = _SCORE_WEIGHT * score + logits[degrees // 90] - as_it_is
    best = max(gains, key=gains.__getitem__)
    return best if gains[best] >= _LEAST_GAIN else 0


def _list_promising(logits: Float32Array, score_now: float) -> list[int]:
    """Return the turns that could gain enough if the detector then scored :data:`_HIGH_SCORE`."""
    missing = _LEAST_GAIN - _SCORE_WEIGHT * (_HIGH_SCORE - score_now)
    return [degrees for degrees in QUARTERS if logits[degrees // 90] - logits[0] >= missing]


def describe_turn(degrees: int) -> str:
    """Return the remark about a photo that was turned by 90, 180 or 270 degrees clockwise."""
    return f"The photo was turned {_NOTES[degrees]} so that its faces are upright."


def _is_upright(landmarks: Landmarks | None) -> bool:
    if landmarks is None:
        return False
    if landmarks.confidence is not None and landmarks.confidence < UPRIGHT_FROM:
        return False
    roll = head_pose(landmarks)[2]
    return roll is None or abs(roll) <= _UPRIGHT_ROLL


def _find_turn_with_faces(
    image: RgbImage, detect: Callable[[RgbImage], Sequence[Face]], judge: TurnJudge | None
) -> int:
    """Return the turn that shows the surest face, 0 if none shows one that is sure enough."""
    best, chosen = SURE_FROM, 0
    for degrees in QUARTERS:
        turned = image.turn_to(image.turned + degrees)
        face = max(detect(turned), key=lambda face: face.score, default=None)
        if face is None or face.score < best:
            continue
        # Another way up must not look better, as it does for things that are no faces.
        if judge is None or not judge.judge_turns(turned, face).argmax():
            best, chosen = face.score, degrees
    return chosen
