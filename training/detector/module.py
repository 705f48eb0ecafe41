"""One training step of our detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from core.detectors.compact import STRIDES
from core.detectors.compact_network import CompactNetwork, cell_centres

from ..learning.base_module import BaseModule
from .assignment import Grid, assign_cells, detection_loss
from .loader import Batch
from .recipe import DetectorRecipe


class DetectorModule(BaseModule):
    """Trains a :class:`CompactNetwork`; the weight average is exported."""

    def __init__(
        self,
        recipe: DetectorRecipe,
        network: CompactNetwork,
        *,
        steps: int,
        max_seconds: float | None,
        negatives: int = 0,
    ) -> None:
        super().__init__(recipe, network, steps=steps, max_seconds=max_seconds)
        self.recipe = recipe
        self.network = network
        self.register_buffer("hardness", torch.zeros(negatives, dtype=torch.float64))
        self.hardness: Tensor
        """Highest score in each photo without a face at the last check."""

    @property
    def trained_network(self) -> CompactNetwork:
        """The network whose weights are averaged."""
        return self.network

    @property
    def final_network(self) -> CompactNetwork:
        """The weight average, which is exported."""
        return cast("CompactNetwork", self.average.module)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of scores and boxes, with the best cells of each face as targets."""
        pictures, boxes, kinds = batch
        inputs = pictures.float().contiguous(memory_format=torch.channels_last)
        outputs = self.network(inputs).float()
        logits, found = outputs[..., 0], outputs[..., 1:]
        grid = make_grid(inputs.shape[-1], inputs.device)
        wanted = assign_cells(logits.sigmoid(), found, grid, boxes, kinds)
        return detection_loss(logits, found, wanted, box_weight=self.recipe.box)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.make_optimizer(self.network)

    @torch.no_grad()
    def update_hardness(self, negatives: Sequence[Tensor]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Measure ``hardness`` with the weight average: (3, H, W) uint8 pictures without a face."""
        network = self.final_network.eval()
        for index, picture in enumerate(negatives):
            outputs = network(picture[None].float().to(self.device))
            self.hardness[index] = float(outputs[..., 0].max().sigmoid())
        return self.hardness.cpu().numpy()


def make_grid(side: int, device: torch.device) -> Grid:
    """Return the network's cells for a square picture."""
    middles = [cell_centres(side // stride, side // stride, stride) for stride in STRIDES]
    strides = [torch.full((len(each),), float(s)) for s, each in zip(STRIDES, middles, strict=True)]
    return Grid(torch.cat(middles).to(device), torch.cat(strides).to(device))
