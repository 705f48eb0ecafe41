"""The three networks, as torchvision builds them, with heads for the seven emotions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn
from torchvision import models

from ..errors import UnknownComponent, WeightsCorrupt
from ..labels import EMOTIONS

AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Architecture:
    """How to build one network and where its parts are."""

    name: str
    build: Callable[..., nn.Module]
    """Builds torchvision's network."""
    head: tuple[str, ...]
    """Its modules after the pooled features, which are replaced."""
    features: int
    """Length of the pooled feature vector."""
    imagenet_weights: str
    """torchvision's name of the ImageNet weights that fit the trunk."""
    min_px: int
    """Smallest input side at which every layer of the trunk still has pixels to pool."""
    auxiliary: tuple[str, int] | None = None
    """Module of the trunk with its channels, for an auxiliary head during training."""

    def build_trunk(self) -> nn.Module:
        """Return the network up to its pooled features, with torchvision's key names."""
        trunk = self.build()
        for module in self.head:
            setattr(trunk, module, nn.Identity())
        return trunk


_ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            "mobilenet_v2",
            models.mobilenet_v2,
            ("classifier",),
            1280,
            "MobileNet_V2_Weights.IMAGENET1K_V2",
            32,
        ),
        Architecture(
            "resnet50",
            models.resnet50,
            ("fc",),
            2048,
            "ResNet50_Weights.IMAGENET1K_V2",
            32,
        ),
        Architecture(
            "inception_v3",
            # torchvision's auxiliary classifier needs 17x17 maps (299 px); ours sits on Mixed_6e
            # and is made by the training code, so that the shipped file holds the network only.
            partial(
                models.inception_v3, aux_logits=False, init_weights=False, transform_input=False
            ),
            ("dropout", "fc"),
            2048,
            "Inception_V3_Weights.IMAGENET1K_V1",
            75,
            auxiliary=("Mixed_6e", 768),
        ),
    )
}


def find_architecture(name: str) -> Architecture:
    """Return the architecture ``name``; UnknownComponent if there is none."""
    try:
        return _ARCHITECTURES[name]
    except KeyError:
        raise UnknownComponent("architecture", name, _ARCHITECTURES) from None


class EmotionNetwork(nn.Module):
    """A torchvision trunk, dropout and one linear layer for each head.

    ``forward`` takes (N, 3, S, S) float32 and gives (N, classes) logits, or (N, 2, classes) with a
    crowd head: label head first (:data:`core.calibration.LABEL_HEAD`).
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        classes: int = len(EMOTIONS),
        dropout: float = 0.2,
        crowd: bool = False,
    ) -> None:
        """``crowd`` adds the head that learns from the crowd's votes what people see."""
        super().__init__()
        self.trunk = architecture.build_trunk()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(architecture.features, classes)
        self.crowd = nn.Linear(architecture.features, classes) if crowd else None
        for head in filter(None, (self.head, self.crowd)):
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)

    def embed(self, batch: Tensor) -> Tensor:
        """Return the pooled features (N, F) of (N, 3, S, S), before dropout."""
        features: Tensor = self.trunk(batch)
        return features

    def forward(self, batch: Tensor) -> Tensor:
        features = self.dropout(self.embed(batch))
        labels: Tensor = self.head(features)
        return labels if self.crowd is None else torch.stack([labels, self.crowd(features)], dim=1)


def build_network(name: str, state: dict[str, Tensor]) -> EmotionNetwork:
    """Return the network ``name`` with the weights ``state``; see :func:`load_state`."""
    with torch.device("meta"):  # neither storage nor initialisation is needed
        network = EmotionNetwork(find_architecture(name), crowd="crowd.weight" in state)
    return load_state(network, state)


def load_state(network: AnyNetwork, state: dict[str, Tensor]) -> AnyNetwork:
    """Load ``state`` into ``network`` as float32, in evaluation mode; every key must match.

    Weight files lack the batch counters of batch normalisation, which only training uses.
    WeightsCorrupt if anything else differs.
    """
    floats = {key: value.float() for key, value in state.items()}
    for key in network.state_dict():
        if key.endswith("num_batches_tracked"):
            floats[key] = torch.zeros((), dtype=torch.long)
    try:
        network.load_state_dict(floats, strict=True, assign=True)
    except RuntimeError as error:
        raise WeightsCorrupt(
            "The weights belong to another network: names or shapes of layers differ.",
            hint="Train it again with `emotion train`.",
        ) from error
    return network.requires_grad_(False).eval()
