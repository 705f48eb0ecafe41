"""What a film showed of each face, in memory that does not grow with the film."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..labels import EMOTIONS, Emotion, Reading
from ..types import Float32Array, ImageAnalysis
from .video import Frame

_MOST_POINTS = 2000
"""Of one curve; twice as many as a plot is wide. Of more, neighbours are averaged."""
_MOST_BANDS = 240
"""Of one face; more than a screen shows. Of more, the shorter one of two neighbours is dropped."""
_USUAL_FRAME_S = 1 / 25

Answer = Emotion | None
"""The certain answer for a face; None if it is "not sure"."""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of a film in which a face was seen and its answer did not change."""

    start_s: float
    end_s: float
    answer: Answer

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


@dataclass(slots=True)
class FaceSummary:
    """One face over the whole film."""

    number: int
    first_s: float
    last_s: float
    """When its last frame began."""
    frames: Counter[Answer] = field(default_factory=Counter)
    """In how many frames each answer was given."""
    seconds: Counter[Answer] = field(default_factory=Counter)
    """For how long each answer was shown."""
    bands: list[Band] = field(default_factory=list)
    """In order of time; where there is none, the face was not seen."""
    times: array[float] = field(default_factory=lambda: array("d"))
    probabilities: array[float] = field(default_factory=lambda: array("f"))
    """One for each emotion and each of ``times``."""
    _every: int = 1
    """How many frames each point stands for."""
    _waiting: int = 0

    @property
    def seen_s(self) -> float:
        """For how long the face was seen."""
        return float(sum(self.seconds.values()))

    @property
    def shares(self) -> dict[Answer, float]:
        """The share of that time for each answer, the longest first; they add up to 1."""
        total = self.seen_s
        longest = sorted(self.seconds.items(), key=lambda item: -item[1])
        return {answer: seconds / total for answer, seconds in longest if seconds > 0}

    @property
    def curves(self) -> Float32Array:
        """The probability of each emotion at each of ``times``, (N, 7) float32."""
        return np.asarray(self.probabilities, np.float32).reshape(-1, len(EMOTIONS))

    def add_frame(self, time_s: float, answer: Answer, probabilities: Sequence[float]) -> None:
        """Add what was read in one frame."""
        self.last_s = time_s
        self.frames[answer] += 1
        self._waiting += 1
        if self._waiting < self._every:
            return
        self._waiting = 0
        self.times.append(time_s)
        self.probabilities.extend(probabilities)
        if len(self.times) == _MOST_POINTS:
            self._halve_curves()

    def add_time(self, start_s: float, end_s: float, answer: Answer) -> None:
        """Add how long that frame was shown."""
        self.seconds[answer] += end_s - start_s  # type: ignore[assignment]
        last = self.bands[-1] if self.bands else None
        if last is not None and last.end_s == start_s and last.answer == answer:
            self.bands[-1] = Band(last.start_s, end_s, answer)
            return
        self.bands.append(Band(start_s, end_s, answer))
        if len(self.bands) > _MOST_BANDS:
            self.bands = _merge_neighbours(self.bands)

    def _halve_curves(self) -> None:
        times = np.asarray(self.times).reshape(-1, 2).mean(axis=1)
        rows = self.curves.reshape(-1, 2, len(EMOTIONS)).mean(axis=1)
        self.times, self.probabilities = array("d", times), array("f", rows.ravel())
        self._every *= 2


@dataclass(slots=True)
class FilmSummary:
    """The emotions of every face over time; no images."""

    reading: Reading
    """What the answers are about."""
    faces: dict[int, FaceSummary] = field(default_factory=dict)
    """By number, in the order in which they appeared."""
    duration_s: float = 0.0
    """How much of the film was answered; complete after :meth:`finish`."""
    frames: int = 0
    _shown: dict[int, Answer] = field(default_factory=dict)
    """The faces of the newest frame."""
    _shown_s: float = 0.0
    _frame_s: float = _USUAL_FRAME_S

    def add(self, frame: Frame, analysis: ImageAnalysis) -> None:
        """Add the answers of one frame; frames come in order of time."""
        if self.frames:
            self._close_frame(frame.time_s)
        self.frames += 1
        self._shown, self._shown_s = {}, frame.time_s
        for face in analysis.faces:
            emotions = face.emotions
            answer = emotions.top if emotions.certain else None
            summary = self.faces.setdefault(
                face.index, FaceSummary(face.index, frame.time_s, frame.time_s)
            )
            summary.add_frame(frame.time_s, answer, emotions.probabilities)
            self._shown[face.index] = answer

    def finish(self) -> None:
        """Say that there is no further frame: the last one counts as long as the one before."""
        if self.frames:
            self._close_frame(self._shown_s + self._frame_s)
        self._shown = {}

    def list_longest(self, most: int) -> list[FaceSummary]:
        """Return the faces seen in the most frames, those first."""
        return sorted(self.faces.values(), key=lambda face: -face.frames.total())[:most]

    def _close_frame(self, end_s: float) -> None:
        if end_s > self._shown_s:
            self._frame_s = end_s - self._shown_s
        for number, answer in self._shown.items():
            self.faces[number].add_time(self._shown_s, end_s, answer)
        self.duration_s = end_s


def describe_film(summary: FilmSummary) -> dict[str, Any]:
    """Return what a film showed as JSON-ready values, times in seconds; "not sure" is an answer."""
    return {
        "reading": str(summary.reading),
        "duration_s": round(summary.duration_s, 3),
        "frames": summary.frames,
        "faces": [
            {
                "number": face.number,
                "first_s": round(face.first_s, 3),
                "last_s": round(face.last_s, 3),
                "seen_s": round(face.seen_s, 3),
                "shares": {_name(each): round(share, 4) for each, share in face.shares.items()},
                "bands": [
                    {
                        "start_s": round(band.start_s, 3),
                        "end_s": round(band.end_s, 3),
                        "answer": _name(band.answer),
                    }
                    for band in face.bands
                ],
            }
            for face in summary.faces.values()
        ],
    }


def _name(answer: Answer) -> str:
    return str(answer) if answer is not None else "not sure"


def _merge_neighbours(bands: Sequence[Band]) -> list[Band]:
    """Return about half as many bands: of two that touch, the shorter one gives way."""
    merged: list[Band] = []
    for band in bands:
        before = merged[-1] if merged else None
        if before is None or before.end_s != band.start_s:
            merged.append(band)
        elif before.answer == band.answer or len(merged) % 2:
            longer = max(before, band, key=lambda each: each.seconds)
            merged[-1] = Band(before.start_s, band.end_s, longer.answer)
        else:
            merged.append(band)
    return merged
