"""How much each network counts in the ensemble."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .metrics import Labels

_ROUNDS = 300
"""Of expectation maximisation; on thousands of faces it converges much earlier."""
LEAST = 0.01
"""The smallest weight: if a member were left out, the others' mistakes would look unanimous."""


def fit_ensemble_weights(probabilities: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """Return (M,) weights of the members that make the labels most likely; they sum to one.

    ``probabilities`` are (M, N, C), those of each member.

    The likelihood of a mixture is concave in its weights, so expectation maximisation (Dempster
    et al. 1977) finds the best ones. The weights are equal unless other ones raise the likelihood
    by more than the additional parameters must (Schwarz 1978).
    """
    members, size = probabilities.shape[:2]
    equal = np.full(members, 1 / members)
    given = np.maximum(probabilities[:, np.arange(size), labels], np.finfo(np.float64).tiny)
    shares = equal
    for _ in range(_ROUNDS):
        parts = shares[:, None] * given
        shares = (parts / parts.sum(axis=0)).mean(axis=1)
    shares = np.maximum(shares, LEAST)
    shares /= shares.sum()
    gain = float((np.log(shares @ given) - np.log(equal @ given)).mean())
    return shares if gain > (members - 1) * math.log(size) / (2 * size) else equal
