"""The three networks of facenet-pytorch's MTCNN, each with one output."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

from ..config import Device, Engine
from ..runtime import Network, NetworkRunner, runner_for
from ..weights import find_packaged_file
from .cascade import Networks

if TYPE_CHECKING:
    from torch import nn

_FORMAT = "2"
"""Increase whenever :func:`_build` computes something else from the same weights."""


_SHAPES = {"pnet": (1, 3, -1, -1), "rnet": (-1, 3, 24, 24), "onet": (-1, 3, 48, 48)}


def load_networks(device: Device) -> Networks:
    """Load the networks of all three stages; WeightsMissing if their package is incomplete."""
    return Networks(_load("pnet", device), *load_verifiers(device))


def load_verifiers(device: Device) -> tuple[NetworkRunner, NetworkRunner]:
    """Load those of the second and third stage; WeightsMissing if their package is incomplete."""
    return _load("rnet", device), _load("onet", device)


def _load(name: str, device: Device) -> NetworkRunner:
    # Found without importing the package, which would import torch.
    file = find_packaged_file("facenet_pytorch", "data", f"{name}.pt")
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    network = Network(
        build=partial(_build, name),
        input_shape=_SHAPES[name],
        fingerprint=f"mtcnn {name} {_FORMAT} {checksum}",
    )
    return runner_for(network, engine=Engine.AUTO, device=device)


def _build(name: str) -> nn.Module:
    """Build a network with one output: probability of a face, box offsets and any points."""
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
