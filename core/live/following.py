"""Following faces in a video: detected every few frames, followed by their landmarks between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..pipeline import Analyzer, PreparedImage
from ..tracking import FaceTracker
from ..types import Box, Face, Float32Array, ImageAnalysis, RgbImage
from .cuts import CutDetector
from .video import Frame


@dataclass(slots=True)
class FaceFollower:
    """Analyzes the frames of one video in order; for a single thread.

    Detection takes most of the time and faces move little within a fifth of a second, so only
    every ``every``-th frame is searched. In the others the landmarks are placed again from where
    they were, and the box moves and grows with them. A face whose landmarks are lost is gone until
    the next search; one without landmarks keeps its place. Emotions are read in every frame and
    smoothed over time. At a cut faces are searched at once, and get new numbers unless they look as
    before.
    """

    analyzer: Analyzer
    tracker: FaceTracker = field(default_factory=FaceTracker)
    every: int = 5
    _cuts: CutDetector = field(default_factory=CutDetector)
    _count: int = 0
    _faces: tuple[Face, ...] = ()
    _unplaced: tuple[bool, ...] = ()
    """For each of ``_faces`` whether it has only the detector's landmarks, or none."""

    def notice_cut(self, frame: Frame) -> bool:
        """Return whether ``frame`` begins a new scene; for each frame once, in order."""
        return self._cuts.is_cut(frame.image)

    def answer(self, frame: Frame, *, cut: bool | None = None) -> ImageAnalysis:
        """Return the faces of ``frame``, with the number each keeps and smoothed emotions.

        ``cut`` is what :meth:`notice_cut` said of it, if that was called already.
        """
        cut = self.notice_cut(frame) if cut is None else cut
        (answer,) = self._answer_all([frame], [cut])
        return answer

    def answer_all(self, frames: Sequence[Frame]) -> tuple[ImageAnalysis, ...]:
        """Return the same for consecutive frames, whose faces are classified together, faster."""
        return self._answer_all(frames, list(map(self.notice_cut, frames)))

    def _answer_all(
        self, frames: Sequence[Frame], cuts: Sequence[bool]
    ) -> tuple[ImageAnalysis, ...]:
        images = [frame.image for frame in frames]
        answers = self.analyzer.classify(list(map(self._prepare, images, cuts)))
        return tuple(map(self._smooth, answers, frames, cuts))

    def _smooth(self, answer: ImageAnalysis, frame: Frame, cut: bool) -> ImageAnalysis:
        followed = self.tracker.update(answer.faces, frame.time_s, cut=cut)
        faces = tuple(
            replace(face, index=track.number, readings=track.readings, per_model=track.per_model)
            for face, track in zip(answer.faces, followed, strict=True)
        )
        return replace(answer, faces=faces)

    def _prepare(self, image: RgbImage, cut: bool) -> PreparedImage:
        self._count = 0 if cut else self._count
        searched = self._count % self.every == 0
        self._count += 1
        before = self.analyzer.detect(image) if searched else self._faces
        found = self.analyzer.prepare(image, before)
        placed = [
            now.landmarks is not face.landmarks
            for face, now in zip(before, found.faces, strict=True)
        ]
        if not searched:
            found, placed = self._carry_over(found, placed)
        self._faces, self._unplaced = found.faces, tuple(not each for each in placed)
        return found

    def _carry_over(
        self, found: PreparedImage, placed: Sequence[bool]
    ) -> tuple[PreparedImage, list[bool]]:
        """Return the faces of the last frame where they are now, without those that were lost."""
        kept = [
            number for number, unplaced in enumerate(self._unplaced) if placed[number] or unplaced
        ]
        moved = [
            replace(found.faces[number], box=_move_box(self._faces[number], found.faces[number]))
            for number in kept
        ]
        followed = replace(
            found,
            faces=tuple(moved),
            crops=tuple(found.crops[number] for number in kept),
            qualities=tuple(found.qualities[number] for number in kept),
        )
        return followed, [placed[number] for number in kept]


def _move_box(before: Face, now: Face) -> Box:
    """Return the box of ``before``, moved and scaled as the landmarks did."""
    box, old, new = before.box, before.landmarks, now.landmarks
    if old is None or new is None or old.points.shape != new.points.shape:
        return now.box
    move = new.points.mean(axis=0) - old.points.mean(axis=0)
    growth = _compute_spread(new.points) / max(_compute_spread(old.points), 1e-6)
    x = (box.x1 + box.x2) / 2 + float(move[0])
    y = (box.y1 + box.y2) / 2 + float(move[1])
    width, height = box.width * growth / 2, box.height * growth / 2
    return Box(x - width, y - height, x + width, y + height)


def _compute_spread(points: Float32Array) -> float:
    """Return the mean distance of points from their centre."""
    return float(np.linalg.norm(points - points.mean(axis=0), axis=1).mean())
