"""FER+ crowd votes (Barsoum et al. 2016): ten people labelled every FER-2013 image."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from core.errors import DataError
from core.files import read_text
from core.labels import EMOTIONS
from core.types import Float32Array

COLUMNS = (
    "anger",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
    "neutral",
    "contempt",
    "unknown",
    "NF",
)
"""Vote columns; the first seven are in our own order of emotions."""
VOTE_CLASSES = 8
"""Number of columns that name an expression: the seven emotions and contempt."""


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """Crowd votes for the images of one set."""

    counts: Float32Array
    """(N, 10) votes in the order of :data:`COLUMNS`; a row of zeros for an image without votes."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """(N,) whether at least one person named an expression."""
        return np.asarray(self.counts[:, :VOTE_CLASSES].sum(axis=1) > 0)

    @property
    def doubt(self) -> Float32Array:
        """(N,) shares of the people who could not tell the emotion or saw no face."""
        total = np.maximum(self.counts.sum(axis=1), 1.0)
        return np.asarray(self.counts[:, VOTE_CLASSES:].sum(axis=1) / total, np.float32)

    def distribution(self) -> Float32Array:
        """Return (N, 8) shares of the seven emotions and contempt; zeros where unknown."""
        return _divide_by_total(self.counts[:, :VOTE_CLASSES], minimum=0)

    def shares(self, minimum: int = 1) -> Float32Array:
        """Return the (N, 7) shares of the votes for one of the seven emotions.

        Zeros where fewer than ``minimum`` people named one of them.
        """
        return _divide_by_total(self.counts[:, : len(EMOTIONS)], minimum)


def _divide_by_total(votes: Float32Array, minimum: int) -> Float32Array:
    total = votes.sum(axis=1, keepdims=True)
    counts = (total > 0) & (total >= minimum)
    return np.divide(votes, total, out=np.zeros_like(votes), where=counts)


def read_votes(path: Path, names: Sequence[str]) -> Votes:
    """Return the votes on the images ``names``; zeros for images that are not in the file."""
    try:
        reader = csv.DictReader(StringIO(read_text(path), newline=""))
        if not {"image", *COLUMNS} <= set(reader.fieldnames or ()):
            raise ValueError("columns are missing")
        table = {row["image"]: [float(row[column]) for column in COLUMNS] for row in reader}
    except (OSError, csv.Error, ValueError, TypeError) as error:
        raise DataError(
            f"'{path.name}' is not a FER+ vote file.",
            hint=f"Needed: a CSV with the columns image, {', '.join(COLUMNS)}.",
        ) from error
    none = [0.0] * len(COLUMNS)
    return Votes(np.array([table.get(name, none) for name in names], dtype=np.float32))


def fold_contempt(votes: Votes, share: float) -> Votes:
    """Return the votes with ``share`` of those for contempt counted for disgust."""
    if not share:
        return votes
    counts = votes.counts.copy()
    contempt = COLUMNS.index("contempt")
    counts[:, COLUMNS.index("disgust")] += share * counts[:, contempt]
    counts[:, contempt] *= 1 - share
    return Votes(counts)


def fit_label_prior(votes: Votes, labels: NDArray[np.int64]) -> Float32Array:
    """Return (N, 7) P(label | votes), fitted on these same labels by logistic regression.

    Official labels and crowd often disagree; this is how often they do in which way. Rows
    without votes are the label itself, as are all rows where too few votes are known to fit.
    """
    shares = votes.counts / np.maximum(votes.counts.sum(axis=1, keepdims=True), 1.0)
    prior: Float32Array = np.eye(len(EMOTIONS), dtype=np.float32)[labels]
    known = votes.known
    if known.sum() < len(EMOTIONS) or len(np.unique(labels[known])) < 2:
        return prior
    model = LogisticRegression(C=10.0, max_iter=500).fit(shares[known], labels[known])
    rows = np.zeros((int(known.sum()), len(EMOTIONS)), dtype=np.float32)
    rows[:, model.classes_] = model.predict_proba(shares[known])
    prior[known] = rows
    return prior
