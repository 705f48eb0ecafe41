"""What actually runs a network: torch, or OpenVINO compiled for this processor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..config import Device, Engine
from ..errors import ConfigError
from ..types import Float32Array
from .gpu import has_gpu

if TYPE_CHECKING:
    from torch import nn


class NetworkRunner(Protocol):
    """Runs one network; safe from several threads."""

    def run(self, batch: Float32Array) -> Float32Array:
        """(N, C, H, W) float32 to the network's one output, N first; N is at least 1."""
        ...


@dataclass(frozen=True, slots=True)
class Network:
    """A network that is built only where no compiled copy of it is at hand."""

    build: Callable[[], nn.Module]
    """Makes it in float32, with one output. It may import torch, nothing before it need."""
    input_shape: tuple[int, int, int, int]
    """Of a batch; -1 where any length fits."""
    fingerprint: str
    """Changes with everything that :attr:`build` depends on: weights and architecture. The
    compiled copy is kept under it; empty keeps none."""
    usual_shapes: tuple[tuple[int, int, int, int], ...] = ()
    """Batches that come so often that each shape gets a compiled copy of its own: where the length
    of a side is known beforehand, a large picture takes a quarter less time."""


def runner_for(network: Network, *, engine: Engine, device: Device) -> NetworkRunner:
    """``network`` on the engine asked for; ``auto`` takes OpenVINO on a CPU and torch on a GPU.

    ConfigError when a GPU is asked for and there is none.
    """
    on_gpu = device is not Device.CPU and has_gpu()
    if device is Device.CUDA and not on_gpu:
        raise ConfigError(
            "There is no CUDA GPU that torch can use.", hint="Use --device cpu or --device auto."
        )
    if engine is Engine.TORCH or (engine is Engine.AUTO and on_gpu):
        from .torch_engine import TorchRunner

        return TorchRunner(network.build(), device="cuda" if on_gpu else "cpu")
    from .openvino_engine import openvino_runner

    return openvino_runner(network)


def make_runner(
    module: nn.Module, *, input_px: int, engine: Engine, device: Device
) -> NetworkRunner:
    """As :func:`runner_for`, for a network of square RGB pictures that is built already."""
    network = Network(lambda: module, (-1, 3, input_px, input_px), "")
    return runner_for(network, engine=engine, device=device)
