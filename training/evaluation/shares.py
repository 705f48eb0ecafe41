"""How much each network's opinion counts in their ensemble."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .metrics import Labels

_ROUNDS = 300
"""Of expectation maximisation; on thousands of faces it stands still long before."""
LEAST = 0.01
"""No member is left out altogether: the others' mistakes would then look unanimous."""


def fit_shares(opinions: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """(M,) shares, summing to one, with which (M, N, C) ``opinions`` explain the labels best.

    The likelihood of a mixture is concave in its shares, so that expectation maximisation
    (Dempster et al. 1977) finds the one best mean. Equal shares stay unless the gain is more
    than so many further parameters must bring (Schwarz 1978).
    """
    members, size = opinions.shape[:2]
    equal = np.full(members, 1 / members)
    given = np.maximum(opinions[:, np.arange(size), labels], np.finfo(np.float64).tiny)
    shares = equal
    for _ in range(_ROUNDS):
        parts = shares[:, None] * given
        shares = (parts / parts.sum(axis=0)).mean(axis=1)
    shares = np.maximum(shares, LEAST)
    shares /= shares.sum()
    gain = float((np.log(shares @ given) - np.log(equal @ given)).mean())
    return shares if gain > (members - 1) * math.log(size) / (2 * size) else equal
