"""Conformal prediction: sets of emotions that hold the label in nine of ten cases, by MAPIE."""

from __future__ import annotations

from typing import Any

import numpy as np
from mapie.classification import SplitConformalClassifier
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedKFold

from .intervals import share_with_interval
from .metrics import CLASSES, Labels, Probabilities

ALPHA = 0.1
"""Share of the sets that may miss the label."""
FEWEST = 200
"""With fewer faces, one half says too little about the other half."""


class _FixedProbabilities(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier, as MAPIE needs one, whose input is already the probabilities."""

    classes_ = np.arange(CLASSES)

    def fit(self, _rows: object, _labels: object = None) -> _FixedProbabilities:
        """Do nothing: there is nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, rows: Probabilities) -> Probabilities:
        """Return ``rows`` themselves."""
        return rows

    def predict(self, rows: Probabilities) -> Labels:
        """Return the most probable class of each row."""
        return np.asarray(rows.argmax(axis=1))


def measure_conformal_sets(
    probabilities: Probabilities, labels: Labels, *, seed: int = 0
) -> dict[str, Any] | None:
    """Return how often sets hold the label and how large they are; None for too few faces.

    Regularised adaptive prediction sets (Angelopoulos et al. 2021) at level 1 - ALPHA. The sets of
    each half of the faces are calibrated on the other half, so no face affects its own set.
    """
    if len(labels) < FEWEST or np.bincount(labels, minlength=CLASSES).max() == len(labels):
        return None
    sets = _predict_sets(probabilities, labels, seed)
    held = sets[np.arange(len(labels)), labels]
    sizes = sets.sum(axis=1)
    single = sizes == 1
    return {
        "method": "RAPS, each half of the faces calibrated on the other",
        "alpha": ALPHA,
        **share_with_interval("coverage", int(held.sum()), len(held)),
        "mean_size": float(sizes.mean()),
        "sizes": [int(count) for count in np.bincount(sizes, minlength=CLASSES + 1)],
        "singletons": float(single.mean()),
        "singleton_accuracy": float(held[single].mean()) if single.any() else None,
    }


def _predict_sets(probabilities: Probabilities, labels: Labels, seed: int) -> NDArray[np.bool_]:
    """Return (N, 7) whether each emotion is in each face's set."""
    sets = np.zeros(probabilities.shape, dtype=np.bool_)
    # Classes with a single face are allowed: it goes into one half or the other.
    halves = StratifiedKFold(2, shuffle=True, random_state=seed)
    for known, others in halves.split(probabilities, labels):
        conformal = SplitConformalClassifier(
            _FixedProbabilities(),
            confidence_level=1 - ALPHA,
            conformity_score="raps",
            prefit=True,
            random_state=seed,
        )
        conformal.conformalize(probabilities[known], labels[known])
        _, found = conformal.predict_set(
            probabilities[others], conformity_score_params={"include_last_label": "randomized"}
        )
        sets[others] = found[:, :, 0]
    return sets
