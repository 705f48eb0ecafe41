"""One training step of the check for covered eyes and mouths."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.faces.covered import PARTS
from core.faces.covered_network import CoveredNetwork
from core.types import UInt8Array

from ..learning.base_module import BaseModule
from .recipe import CoveredRecipe
from .samples import UNKNOWN

Batch = tuple[Tensor, Tensor]
"""(B, 1, 48, 48) uint8 faces; (B, 3) float32 targets, see :func:`.samples.draw_sample`."""

_COVERED_FROM = 0.5
"""Score from which a face on which nothing was drawn no longer counts as free."""


class CoveredModule(BaseModule):
    """Trains a :class:`CoveredNetwork`; the weight average is exported."""

    def __init__(
        self,
        recipe: CoveredRecipe,
        network: CoveredNetwork,
        *,
        steps: int,
        max_seconds: float | None,
        faces: int,
    ) -> None:
        super().__init__(recipe, network, steps=steps, max_seconds=max_seconds)
        self.network = network
        self.register_buffer("scores", torch.zeros(faces, len(PARTS)))
        self.scores: Tensor
        """How surely each part of each face looked covered at the last check, 0..1."""

    @property
    def trained_network(self) -> CoveredNetwork:
        """The network whose weights are averaged."""
        return self.network

    @property
    def final_network(self) -> CoveredNetwork:
        """The weight average, which is exported."""
        return cast("CoveredNetwork", self.average.module)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean cross-entropy over the known parts."""
        faces, targets = batch
        inputs = faces.float().contiguous(memory_format=torch.channels_last)
        logits = self.network(inputs).float()
        known = (targets != UNKNOWN).float()
        losses = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, targets.clamp(min=0), reduction="none"
        )
        return (losses * known).sum() / known.sum().clamp(min=1)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.make_optimizer(self.network)

    @torch.no_grad()
    def update_scores(self, faces: UInt8Array) -> None:
        """Measure ``scores`` of (N, 48, 48) ``faces`` with the weight average."""
        network = self.final_network.eval()
        for start in range(0, len(faces), 512):
            inputs = torch.from_numpy(faces[start : start + 512, None]).float().to(self.device)
            self.scores[start : start + 512] = network(inputs).sigmoid()

    @property
    def looks_covered(self) -> NDArray[np.bool_]:
        """(faces, parts) what looked covered at the last check, and so does not count as free."""
        return np.asarray(self.scores.cpu().numpy() >= _COVERED_FROM)
