"""The three networks of facenet-pytorch's MTCNN, each with one output."""

from __future__ import annotations

import hashlib
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import Device, Engine
from ..errors import WeightsMissing
from ..runtime import Network, runner_for
from .cascade import Networks

if TYPE_CHECKING:
    from torch import nn

_FORMAT = "2"
"""Counted up whenever :func:`_build` makes something else of the same weights."""


def load_networks(device: Device) -> Networks:
    """The networks of all three stages; WeightsMissing where their package is not whole."""
    proposal, refinement, output = (
        runner_for(
            Network(
                build=partial(_build, name),
                input_shape=shape,
                fingerprint=f"mtcnn {name} {_FORMAT} {_weights_sha256(name)}",
            ),
            engine=Engine.AUTO,
            device=device,
        )
        for name, shape in (
            ("pnet", (1, 3, -1, -1)),
            ("rnet", (-1, 3, 24, 24)),
            ("onet", (-1, 3, 48, 48)),
        )
    )
    return Networks(proposal, refinement, output)


def _weights_sha256(name: str) -> str:
    """Over the file that facenet-pytorch brings, found without importing it and torch."""
    package = find_spec("facenet_pytorch")
    for folder in (package and package.submodule_search_locations) or ():
        file = Path(folder) / "data" / f"{name}.pt"
        if file.is_file():
            return hashlib.sha256(file.read_bytes()).hexdigest()
    raise WeightsMissing(
        f"facenet-pytorch's {name}.pt is absent.", hint="Install it again: make install"
    )


def _build(name: str) -> nn.Module:
    """Probability of a face, the box's move and for the last stage the points, behind another."""
    import torch
    from facenet_pytorch.models import mtcnn
    from torch import Tensor, nn

    class OneOutput(nn.Module):
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, batch: Tensor) -> Tensor:
            *moves, probabilities = self.network(batch)
            return torch.cat([probabilities[:, 1:2], *moves], dim=1)

    networks = {"pnet": mtcnn.PNet, "rnet": mtcnn.RNet, "onet": mtcnn.ONet}
    return OneOutput(networks[name]())
