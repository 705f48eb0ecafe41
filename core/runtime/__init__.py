"""What actually runs a network: torch, or OpenVINO compiled for this processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..config import Device, Engine
from ..errors import ConfigError
from ..types import Float32Array

if TYPE_CHECKING:
    from torch import nn


class NetworkRunner(Protocol):
    """Runs one network; safe from several threads."""

    def run(self, batch: Float32Array) -> Float32Array:
        """(N, 3, S, S) float32 to (N, C) float32; N is at least 1."""
        ...


def make_runner(
    module: nn.Module, *, input_px: int, engine: Engine, device: Device
) -> NetworkRunner:
    """``module`` on the engine asked for; ``auto`` takes OpenVINO on a CPU and torch on a GPU.

    ConfigError when a GPU is asked for and there is none.
    """
    import torch

    on_gpu = device is Device.CUDA or (device is Device.AUTO and torch.cuda.is_available())
    if device is Device.CUDA and not torch.cuda.is_available():
        raise ConfigError(
            "There is no CUDA GPU that torch can use.", hint="Use --device cpu or --device auto."
        )
    if engine is Engine.TORCH or (engine is Engine.AUTO and on_gpu):
        from .torch_engine import TorchRunner

        return TorchRunner(module, device="cuda" if on_gpu else "cpu")
    from .openvino_engine import OpenVinoRunner

    return OpenVinoRunner(module, input_px=input_px)
