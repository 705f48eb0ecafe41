"""Natural photos, on which nobody poses: their faces, and how often each emotion occurs there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.config import AnalyzerConfig
from core.errors import DataError, InputError
from core.labels import EMOTIONS, Emotion
from core.pipeline import Analyzer
from core.reading.reader import read_in_process
from core.types import UInt8Array

from ..data.classes import map_to_emotion
from ..data.image_files import iter_image_files
from .metrics import Labels

NATURAL_COUNTS = {
    Emotion.ANGRY: 252,
    Emotion.DISGUST: 208,
    Emotion.FEAR: 21,
    Emotion.HAPPY: 5696,
    Emotion.SAD: 268,
    Emotion.SURPRISE: 368,
    Emotion.NEUTRAL: 6868,
}
"""Photos of each label in the whole of muxspace/facial_expressions, from which the natural photos
are a selection with other shares: in life half of the faces are neutral, two fifths are happy."""


def weigh_by_natural_shares(labels: Labels, power: float = 1.0) -> NDArray[np.float64]:
    """Return (N,) weights that sum to one, with which each label counts as often as in life.

    With a ``power`` below 1 rare labels count more than that; with 0 every label counts alike.
    Labels that do not occur in ``labels`` are left out.
    """
    present, counts = np.unique(labels, return_counts=True)
    natural = np.array([NATURAL_COUNTS[EMOTIONS[label]] for label in present]) ** power
    by_label = np.zeros(len(EMOTIONS))
    by_label[present] = natural / natural.sum() / counts
    return np.asarray(by_label[labels])


def read_photo_faces(photos: Path) -> tuple[UInt8Array, Labels]:
    """Return the (N, 48, 48) largest faces of labelled ``photos``, and their labels.

    ``photos`` is a folder or zip of folders named by emotion. Photos without a face and those that
    cannot be read are left out; DataError if no face is left.
    """
    analyzer = Analyzer.from_config(AnalyzerConfig())
    crops, labels = [], []
    for path, read in iter_image_files(photos):
        try:
            emotion = map_to_emotion(path.parent.name, None)
            image = read_in_process(read(), name=path.name)
        except (DataError, InputError):
            continue
        found = analyzer.prepare(image)
        if found.faces:
            areas = [face.box.area for face in found.faces]
            crops.append(found.crops[int(np.argmax(areas))].pixels)
            labels.append(EMOTIONS.index(emotion))
    if not crops:
        raise DataError(
            f"No photo in {photos.name} with a face lies in a folder named by an emotion.",
            hint="Put them into folders named " + ", ".join(EMOTIONS) + ".",
        )
    return np.stack(crops), np.array(labels, np.int64)
