"""How much each network counts in the ensemble."""

from __future__ import annotations

import numpy as np
import pytest

from core.calibration import softmax
from training.evaluation.calibrate import LEAST, fit_ensemble_weights
from training.evaluation.metrics import encode_labels


def opinions_of(*noises: float, size: int = 3000, seed: int = 0):
    """Return the answers of networks with independent noise, and the labels."""
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(size, 7)) * 2
    labels = np.array([generator.choice(7, p=row) for row in softmax(truth)])
    seen = [softmax(truth + noise * generator.normal(size=truth.shape)) for noise in noises]
    return np.stack(seen), labels


def likelihood(shares, opinions, labels):
    mean = np.tensordot(shares, opinions, axes=1)
    return np.log(mean[np.arange(len(labels)), labels]).mean()


def test_better_networks_have_larger_shares_and_no_other_shares_fit_better():
    opinions, labels = opinions_of(0.6, 0.9, 1.2)
    shares = fit_ensemble_weights(opinions, encode_labels(labels))
    assert shares.sum() == pytest.approx(1)
    assert shares[0] > shares[1] > shares[2]
    best = likelihood(shares, opinions, labels)
    for index in range(3):
        other = shares.copy()
        other[index] += 0.03
        assert likelihood(other / other.sum(), opinions, labels) < best


def test_equally_good_networks_have_equal_shares():
    opinions, labels = opinions_of(1.0, 1.0, 1.0)
    np.testing.assert_array_equal(
        fit_ensemble_weights(opinions, encode_labels(labels)), np.full(3, 1 / 3)
    )


def test_network_that_knows_nothing_has_the_smallest_share():
    opinions, labels = opinions_of(0.5, 0.6)
    blind = np.full_like(opinions[:1], 1e-9)
    shares = fit_ensemble_weights(np.concatenate([opinions, blind]), encode_labels(labels))
    assert shares[2] == pytest.approx(LEAST, rel=0.02)


def test_shares_of_votes_count_as_that_many_labels():
    opinions, labels = opinions_of(0.6, 1.2)
    targets = encode_labels(labels)
    votes = 0.8 * targets + 0.2 * np.roll(targets, 1, axis=1)
    repeated = np.concatenate([targets] * 4 + [np.roll(targets, 1, axis=1)])
    np.testing.assert_allclose(
        fit_ensemble_weights(opinions, votes),
        fit_ensemble_weights(np.concatenate([opinions] * 5, axis=1), repeated),
    )
