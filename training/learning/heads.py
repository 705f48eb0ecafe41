"""The network with the heads that exist only during training."""

from __future__ import annotations

from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.classifiers.architectures import EmotionNetwork, architecture_named
from core.labels import EMOTIONS

from ..data.shapes import SHAPE
from ..data.votes import VOTE_CLASSES
from .contrast import projection
from .recipe import Recipe


class Outputs(NamedTuple):
    """What the network and the heads of training say of N faces."""

    emotions: Tensor
    """(N, 7) logits."""
    opinions: Tensor
    """(N, 8) logits."""
    shapes: Tensor | None
    """(N, 184)."""
    hints: Tensor | None
    """(N, width of the teachers' features)."""
    compared: Tensor | None
    """(N, 128), the space of contrastive learning."""
    auxiliary: Tensor | None
    """(N, 7) logits."""


class HeadedNetwork(nn.Module):
    """The network with the heads that exist only during training."""

    def __init__(
        self, network: EmotionNetwork, recipe: Recipe, *, shapes: bool = False, hints: int = 0
    ) -> None:
        super().__init__()
        self.network = network
        architecture = architecture_named(recipe.model)
        self.opinions = nn.Linear(architecture.features, VOTE_CLASSES)
        self.shapes = nn.Linear(architecture.features, SHAPE) if shapes else None
        self.hints = nn.Linear(architecture.features, hints) if hints else None
        contrasts = recipe.contrast_share > 0
        self.compared = projection(architecture.features) if contrasts else None
        self.auxiliary: nn.Linear | None = None
        self._middle: Tensor | None = None
        self.frozen = False
        if architecture.auxiliary and recipe.auxiliary > 0:
            module, channels = architecture.auxiliary
            self.auxiliary = nn.Linear(channels, len(EMOTIONS))
            network.trunk.get_submodule(module).register_forward_hook(self._keep_middle)

    def freeze(self, frozen: bool) -> None:
        """Hold the trunk still, statistics of its batch normalisation included, or let it go."""
        self.frozen = frozen
        self.network.trunk.train(not frozen)

    def _keep_middle(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self._middle = output

    def forward(self, batch: Tensor) -> Outputs:
        """What all heads say of (N, 3, S, S) faces."""
        # Only the heads learn from features that know no gradient.
        with torch.no_grad() if self.frozen else nullcontext():
            features = self.network.embed(batch)
        dropped = self.network.dropout(features)
        auxiliary = None
        if self.auxiliary is not None and self._middle is not None:
            auxiliary = self.auxiliary(self._middle.mean(dim=(2, 3)))
            self._middle = None
        shapes = None if self.shapes is None else self.shapes(dropped)
        return Outputs(
            self.network.head(dropped),
            self.opinions(dropped),
            shapes,
            None if self.hints is None else self.hints(features),
            None if self.compared is None else self.compared(features),
            auxiliary,
        )
