"""Faces from frame to frame: found anew every few frames, followed by their landmarks between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..pipeline import Analyzer, Examined
from ..tracking import FaceTracker
from ..types import Box, Face, Float32Array, ImageAnalysis, RgbImage
from .video import Frame


@dataclass(slots=True)
class FaceFollower:
    """Answers the frames of one video in their order; not for several threads.

    Finding faces is most of a frame's work and they move little within a fifth of a second, so
    only every ``every``-th frame is searched. Between, the landmarks are placed anew from where
    each face was last, and its box moves and grows with them; a face that they lose is gone until
    the next search. Emotions are read in every frame and smoothed over time.
    """

    analyzer: Analyzer
    tracker: FaceTracker = field(default_factory=FaceTracker)
    every: int = 5
    _count: int = 0
    _faces: tuple[Face, ...] = ()

    def answer(self, frame: Frame) -> ImageAnalysis:
        """The faces of ``frame``, each under the number it keeps, their emotions smoothed."""
        searched = self._count % self.every == 0
        self._count += 1
        if searched:
            examined = self.analyzer.examine(frame.image)
        else:
            examined = self._followed(frame.image)
        (answer,) = self.analyzer.conclude([examined])
        self._faces = examined.faces
        followed = self.tracker.update(answer.faces, frame.time_s)
        faces = tuple(
            replace(face, index=track.number, emotions=track.emotions, per_model=track.per_model)
            for face, track in zip(answer.faces, followed, strict=True)
        )
        return replace(answer, faces=faces)

    def _followed(self, image: RgbImage) -> Examined:
        """The faces of the frame before, where they are now."""
        # Without their old landmarks: what has none afterwards was lost.
        bare = [replace(face, landmarks=None) for face in self._faces]
        found = self.analyzer.examine(image, bare)
        kept = [
            (replace(now, box=_moved(before, now)), crop, quality)
            for before, now, crop, quality in zip(
                self._faces, found.faces, found.crops, found.qualities, strict=True
            )
            if now.landmarks is not None
        ]
        faces, crops, qualities = zip(*kept, strict=True) if kept else ((), (), ())
        return replace(found, faces=faces, crops=crops, qualities=qualities)


def _moved(before: Face, now: Face) -> Box:
    """The box of ``before`` moved and grown as the landmarks did."""
    box, old, new = before.box, before.landmarks, now.landmarks
    if old is None or new is None or old.points.shape != new.points.shape:
        return now.box
    move = new.points.mean(axis=0) - old.points.mean(axis=0)
    growth = _spread(new.points) / max(_spread(old.points), 1e-6)
    x = (box.x1 + box.x2) / 2 + float(move[0])
    y = (box.y1 + box.y2) / 2 + float(move[1])
    width, height = box.width * growth / 2, box.height * growth / 2
    return Box(x - width, y - height, x + width, y + height)


def _spread(points: Float32Array) -> float:
    """How far points lie from their middle."""
    return float(np.linalg.norm(points - points.mean(axis=0), axis=1).mean())
