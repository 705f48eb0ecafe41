"""Answering the frames of a film or camera one after another, until someone stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from ..types import ImageAnalysis
from .following import FaceFollower
from .sampling import READS_PER_S, FilmSampler
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
    reads_per_s: float = READS_PER_S,
    is_cancelled: Callable[[], bool] = lambda: False,
    take_turn: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Iterator[AnsweredFrame]:
    """Yield each frame with its answer, in memory that does not grow with the film.

    The networks read at most ``reads_per_s`` frames of a second, each within ``take_turn()``; see
    :class:`.sampling.FilmSampler` for those in between. Ends with the video, before the first frame
    at ``seconds`` or later, or when ``is_cancelled`` says so between two frames. What could not be
    read stands in ``video.problems`` afterwards.
    """
    sampler = FilmSampler(follower, reads_per_s, take_turn)
    for frame in video.frames:
        if is_cancelled() or (seconds is not None and frame.time_s >= seconds):
            break
        for answered in sampler.add(frame):
            yield AnsweredFrame(*answered)
        if is_cancelled():
            break
    for answered in sampler.finish():
        yield AnsweredFrame(*answered)
