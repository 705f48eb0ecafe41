"""The architecture of the check for covered eyes and mouths: seven convolutions, 90,000 weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

from .covered import PARTS

_WIDTHS = (16, 24, 32, 48, 64, 64)
_STRIDES = (2, 1, 2, 1, 2, 1)
_CELLS = 3
"""Side of the last map, coarse enough to forgive misplaced landmarks, fine enough to tell eyes from
mouth."""
_LEAST_CONTRAST = 8.0
"""Grey values of 255; a flatter face is not stretched to the usual contrast."""


class CoveredNetwork(nn.Module):
    """Computes from a face in FER-2013's frame what is covered."""

    def __init__(self) -> None:
        super().__init__()
        layers, inside = [], 1
        for width, stride in zip(_WIDTHS, _STRIDES, strict=True):
            layers.append(Conv2dNormActivation(inside, width, 3, stride))
            inside = width
        self.trunk = nn.Sequential(*layers)
        self.pool = nn.AvgPool2d(2)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(inside * _CELLS**2, len(PARTS))

    def forward(self, faces: Tensor) -> Tensor:
        """Map (N, 1, 48, 48) grey values of 0..255 to (N, 3) logits, in the order of PARTS."""
        centred = faces - faces.mean(dim=(2, 3), keepdim=True)
        spread = centred.square().mean(dim=(2, 3), keepdim=True).sqrt()
        features = self.pool(self.trunk(centred / spread.clamp(min=_LEAST_CONTRAST)))
        logits: Tensor = self.head(self.dropout(torch.flatten(features, 1)))
        return logits
