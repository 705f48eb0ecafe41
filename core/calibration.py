"""From logits to calibrated probabilities, and the level of the "not sure" rule.

`training.evaluation.calibrate` fits both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .errors import InferenceError
from .labels import Reading
from .types import EmotionScores, Float32Array, is_certain

Real = TypeVar("Real", np.float32, np.float64)
LABEL_HEAD, CROWD_HEAD = 0, 1
"""Places of the two heads in logits of shape (N, 2, C)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted on validation data and stored with the weights."""

    temperature: float = 1.0
    """Divides the logits (Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 9)."""
    certain_from: float = 0.0
    """Answers whose top probability is lower are "not sure"."""
    coverage: float | None = None
    """Share of validation faces whose top probability reaches that level."""
    selective_accuracy: float | None = None
    """Accuracy on those faces."""
    smoothing: float = 0.0
    """Share of the uniform distribution that is removed before the temperature is applied.

    A network trained on smoothed and mixed labels is never surer than those, even of a plain face.
    One temperature cannot correct both its surest and its middling answers.
    """
    crowd_share: float = 0.0
    """Share of the crowd head in the weighted geometric mean of both heads; 0 is the label head."""

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be positive and finite, got {self.temperature}")
        if not 0 <= self.certain_from <= 1:
            raise ValueError(f"certain_from must lie between 0 and 1, got {self.certain_from}")
        if not 0 <= self.smoothing < 1:
            raise ValueError(f"smoothing must be at least 0 and below 1, got {self.smoothing}")
        if not 0 <= self.crowd_share <= 1:
            raise ValueError(f"crowd_share must lie between 0 and 1, got {self.crowd_share}")

    def probabilities(self, logits: Float32Array) -> NDArray[np.float64]:
        """Return (N, C) float64 probabilities whose rows sum to one.

        ``logits`` are (N, 2, C), those of the label head and of the crowd head, or (N, C) of a
        network with one head, which then answers in every reading. Raises InferenceError when a
        logit is not finite: NaN is never a label.
        """
        rows = blend_heads(require_finite(logits).astype(np.float64), self.crowd_share)
        if self.smoothing > 0:
            rows = _remove_smoothing(softmax(rows), self.smoothing)
        return softmax(rows / self.temperature)

    def is_certain(self, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return (N,) whether each row of (N, C) ``probabilities`` is a certain answer."""
        top: NDArray[np.float64] = probabilities.max(axis=1)
        return is_certain(top, self.certain_from)

    def scores(
        self, logits: Float32Array, reading: Reading, certain_from: float | None = None
    ) -> tuple[EmotionScores, ...]:
        """Return one :class:`EmotionScores` per row; ``certain_from`` replaces the stored level."""
        level = self.certain_from if certain_from is None else certain_from
        rows = self.probabilities(logits).tolist()
        return tuple(EmotionScores(tuple(row), level, reading) for row in rows)


def blend_heads(logits: NDArray[Real], crowd_share: float) -> NDArray[Real]:
    """Return (N, C) logits of the weighted geometric mean of both heads' probabilities.

    ``logits`` are as for :meth:`Calibration.probabilities`.
    """
    if logits.ndim == 2:
        return logits
    labels, crowd = logits[:, LABEL_HEAD], logits[:, CROWD_HEAD]
    if crowd_share == 0:
        return labels
    # A softmax ignores what is added to a whole row, so no normalisation is needed in between.
    return np.asarray((1 - crowd_share) * labels + crowd_share * crowd, logits.dtype)


def _remove_smoothing(probabilities: NDArray[np.float64], smoothing: float) -> NDArray[np.float64]:
    """Return the logarithm of ``probabilities`` (N, C) less ``smoothing`` / C each.

    A probability keeps at least a hundredth of itself, so that none becomes zero and the ranking
    stays.
    """
    share = smoothing / probabilities.shape[-1]
    left = np.maximum(probabilities - share, 0.01 * probabilities)
    return np.asarray(np.log(np.maximum(left, np.finfo(np.float64).tiny)))


def require_finite(logits: Float32Array) -> Float32Array:
    """Return ``logits``; InferenceError if one is NaN or infinite."""
    if not np.isfinite(logits).all():
        raise InferenceError(
            "The network gave a value that is not a number.",
            hint="Check the weights with `emotion doctor`.",
        )
    return logits


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the row-wise softmax in float64."""
    shifted = logits.astype(np.float64)
    shifted = shifted - shifted.max(axis=-1, keepdims=True, initial=-np.inf)
    exponentials = np.exp(shifted)
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))
