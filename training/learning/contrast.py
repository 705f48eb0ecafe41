"""Faces of one emotion belong together: supervised contrastive learning (Khosla et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

PROJECTION = 128
"""Values of the space in which faces are compared."""
TEMPERATURE = 0.1


def projection(features: int) -> nn.Module:
    """Features to the space in which faces are compared; thrown away after training."""
    return nn.Sequential(
        nn.Linear(features, features // 4), nn.ReLU(), nn.Linear(features // 4, PROJECTION)
    )


def contrastive_loss(projected: Tensor, labels: Tensor) -> Tensor:
    """How far faces of one label are from being each other's only neighbours, in nats.

    Of (N, D) places and (N,) labels; a face alone in its class adds nothing.
    """
    directions = functional.normalize(projected.float(), dim=1)
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    likeness = (directions @ directions.T / TEMPERATURE).masked_fill(itself, -torch.inf)
    log_share = functional.log_softmax(likeness, dim=1).masked_fill(itself, 0.0)
    together = (labels[:, None] == labels) & ~itself
    fellows = together.sum(dim=1)
    each = -(log_share * together).sum(dim=1) / fellows.clamp(min=1)
    return each.sum() / (fellows > 0).sum().clamp(min=1)
