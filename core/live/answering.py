"""Answering the frames of a film or camera one after another, until someone stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..types import ImageAnalysis
from .following import FaceFollower
from .video import Frame, Video


@dataclass(frozen=True, slots=True)
class AnsweredFrame:
    """A frame and the faces in it."""

    frame: Frame
    """With its time, and the share of the film that is done."""
    analysis: ImageAnalysis


def answer_video(
    video: Video,
    follower: FaceFollower,
    *,
    seconds: float | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[AnsweredFrame]:
    """Yield each frame with its answer, in memory that does not grow with the film.

    Ends with the video, before the first frame at ``seconds`` or later, or when ``is_cancelled``
    says so between two frames. What could not be read stands in ``video.problems`` afterwards.
    """
    for frame in video.frames:
        if is_cancelled() or (seconds is not None and frame.time_s >= seconds):
            return
        yield AnsweredFrame(frame, follower.answer(frame))
        if is_cancelled():
            return
