"""The network together with the heads that exist only during training."""

from __future__ import annotations

from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.classifiers.architectures import EmotionNetwork, find_architecture
from core.labels import EMOTIONS

from ..data.shapes import SHAPE_VALUES
from .recipe import Recipe


class Outputs(NamedTuple):
    """What the network and the training heads return for N faces; None for an absent head."""

    emotions: Tensor
    """(N, 7) logits."""
    crowd: Tensor | None
    """(N, 7) logits."""
    shapes: Tensor | None
    """(N, 184)."""
    hints: Tensor | None
    """(N, width of the teachers' features)."""
    auxiliary: Tensor | None
    """(N, 7) logits."""
    doubt: Tensor | None
    """(N,) logits of the share of people who could not tell."""


class HeadedNetwork(nn.Module):
    """The network with one more head for each training loss that needs one."""

    def __init__(
        self, network: EmotionNetwork, recipe: Recipe, *, shapes: bool = False, hint_width: int = 0
    ) -> None:
        """``shapes`` adds the head for the face's outlines, ``hint_width`` > 0 that for hints."""
        super().__init__()
        self.network = network
        architecture = find_architecture(recipe.model)
        self.shapes = nn.Linear(architecture.features, SHAPE_VALUES) if shapes else None
        self.hints = nn.Linear(architecture.features, hint_width) if hint_width else None
        doubts = recipe.doubt > 0 and network.crowd is not None
        self.doubt = nn.Linear(architecture.features, 1) if doubts else None
        self.auxiliary: nn.Linear | None = None
        self._auxiliary_features: Tensor | None = None
        self.frozen = False
        if architecture.auxiliary and recipe.auxiliary > 0:
            module, channels = architecture.auxiliary
            self.auxiliary = nn.Linear(channels, len(EMOTIONS))
            network.trunk.get_submodule(module).register_forward_hook(self._keep_features)

    def freeze(self, frozen: bool) -> None:
        """Freeze or unfreeze the trunk, including its batch normalisation statistics."""
        self.frozen = frozen
        self.network.trunk.train(not frozen)

    def _keep_features(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self._auxiliary_features = output

    def forward(self, batch: Tensor) -> Outputs:
        """Run the network and all heads on (N, 3, S, S) faces."""
        # Without gradients in the trunk, only the heads learn.
        with torch.no_grad() if self.frozen else nullcontext():
            features = self.network.embed(batch)
        dropped = self.network.dropout(features)
        auxiliary = None
        if self.auxiliary is not None and self._auxiliary_features is not None:
            auxiliary = self.auxiliary(self._auxiliary_features.mean(dim=(2, 3)))
            self._auxiliary_features = None
        return Outputs(
            emotions=self.network.head(dropped),
            crowd=None if self.network.crowd is None else self.network.crowd(dropped),
            shapes=None if self.shapes is None else self.shapes(dropped),
            hints=None if self.hints is None else self.hints(features),
            auxiliary=auxiliary,
            doubt=None if self.doubt is None else self.doubt(dropped)[:, 0],
        )
