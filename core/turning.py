"""Which way up a picture is, judged by the faces in it.

Scans and some phone photos lie on their side or upside down, and say nothing of it. Faces in them
are missed, or found and misread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from .types import Face, Float32Array, Landmarks, RgbImage

QUARTERS = (90, 270, 180)
"""Degrees clockwise that are tried, the most common first."""
UPRIGHT_FROM = 8.0
"""Logit of the face mesh from which a face is upright: of faces in natural photos it is 20 in the
middle, and 1 if the photo is upside down."""
SURE_FROM = 0.6
"""Score of the detector from which a face counts in a picture that had to be turned for it."""
_JUDGED = 3
"""Faces that are judged, the largest."""


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
    is upright, or if no turn shows a face that is.
    """
    judge = judge if isinstance(judge, TurnJudge) else None
    if not faces:
        return _find_turn_with_faces(image, detect, judge)
    pairs = zip(faces, located, strict=True)
    largest = sorted(pairs, key=lambda pair: -pair[0].box.area)[:_JUDGED]
    if judge is None or any(_is_upright(points) for _, points in largest):
        return 0
    votes = np.mean([judge.judge_turns(image, face) for face, _ in largest], axis=0)
    turns = int(votes.argmax())
    if votes[turns] < max(UPRIGHT_FROM, votes[0] + UPRIGHT_FROM):
        return 0
    found = detect(image.turn_to(image.turned + 90 * turns))
    now = max(face.score for face in faces)
    return 90 * turns if max((face.score for face in found), default=0.0) >= now else 0


def _is_upright(landmarks: Landmarks | None) -> bool:
    if landmarks is None:
        return False
    return landmarks.confidence is None or landmarks.confidence >= UPRIGHT_FROM


def _find_turn_with_faces(
    image: RgbImage, detect: Callable[[RgbImage], Sequence[Face]], judge: TurnJudge | None
) -> int:
    """Return the turn that shows the surest face, 0 if none shows one that is sure enough."""
    best, chosen = 0.0, 0
    for degrees in QUARTERS:
        turned = image.turn_to(image.turned + degrees)
        face = max(detect(turned), key=lambda face: face.score, default=None)
        if face is None or face.score <= max(best, SURE_FROM):
            continue
        if judge is None or judge.judge_turns(turned, face)[0] >= UPRIGHT_FROM:
            best, chosen = face.score, degrees
    return chosen
