"""Supervised contrastive learning."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from training.learning.contrast import PROJECTION, TEMPERATURE, contrastive_loss, projection


def by_hand(projected, labels):
    """Khosla et al. 2020, equation 2, face by face."""
    directions = [row / row.norm() for row in projected]
    losses = []
    for i, anchor in enumerate(directions):
        others = [j for j in range(len(labels)) if j != i]
        whole = sum(math.exp(float(anchor @ directions[j]) / TEMPERATURE) for j in others)
        fellows = [j for j in others if labels[j] == labels[i]]
        if fellows:
            shares = [
                math.exp(float(anchor @ directions[j]) / TEMPERATURE) / whole for j in fellows
            ]
            losses.append(-sum(map(math.log, shares)) / len(fellows))
    return sum(losses) / len(losses)


def test_loss_is_the_published_one():
    projected = torch.randn(9, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    # The last face is alone in its class.
    labels = torch.tensor([0, 0, 1, 1, 1, 2, 2, 0, 3])
    assert contrastive_loss(projected, labels).item() == pytest.approx(
        by_hand(projected, labels), rel=1e-5
    )


def test_faces_of_one_emotion_side_by_side_cost_least():
    labels = torch.tensor([0, 0, 1, 1])
    together = functional.one_hot(labels, 4).float()
    mixed = functional.one_hot(torch.tensor([0, 1, 0, 1]), 4).float()
    assert contrastive_loss(together, labels) < 0.01 < contrastive_loss(mixed, labels)


def test_batch_of_strangers_costs_nothing_and_stays_finite():
    projected = torch.zeros(3, 4, requires_grad=True)
    loss = contrastive_loss(projected, torch.tensor([0, 1, 2]))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(projected.grad).all()


def test_projection_leads_to_the_space_of_comparison():
    assert projection(64)(torch.zeros(2, 64)).shape == (2, PROJECTION)
