"""Engines that run a network: torch, or OpenVINO compiled for this processor."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from ..config import Device, Engine
from ..errors import ConfigError
from ..types import Float32Array

if TYPE_CHECKING:
    from torch import nn


class NetworkRunner(Protocol):
    """Runs one network; safe from several threads."""

    def run(self, batch: Float32Array) -> Float32Array:
        """Return the network's output, N first, for (N, C, H, W) float32; N is at least 1."""
        ...


@dataclass(frozen=True, slots=True)
class Network:
    """A network that is made only if no compiled copy of it is cached."""

    assemble: Callable[[], Any]
    """Returns it as OpenVINO's model with one output; needs no torch."""
    build: Callable[[], nn.Module]
    """Builds the same in torch, for a GPU."""
    input_shape: tuple[int, int, int, int]
    """Of a batch; -1 if any length fits."""
    fingerprint: str
    """Changes with everything that it depends on: weights and architecture. It is the
    cache key of the compiled copy; empty means no caching."""
    usual_shapes: tuple[tuple[int, int, int, int], ...] = ()
    """Shapes frequent enough for a compiled copy of their own: with known sides a large image takes
    a quarter less time."""


def runner_for(network: Network, *, engine: Engine, device: Device) -> NetworkRunner:
    """Return ``network`` on an engine; ``auto`` means OpenVINO on a CPU and torch on a GPU.

    ConfigError if ``device`` is a GPU and there is none, or if torch is needed and not installed.
    """
    on_gpu = device is not Device.CPU and has_gpu()
    if device is Device.CUDA and not on_gpu:
        require_torch()
        raise ConfigError(
            "There is no CUDA GPU that torch can use.", hint="Use --device cpu or --device auto."
        )
    if engine is Engine.TORCH or (engine is Engine.AUTO and on_gpu):
        require_torch()
        from .torch_engine import TorchRunner

        return TorchRunner(network.build(), device="cuda" if on_gpu else "cpu")
    from .openvino_engine import openvino_runner

    return openvino_runner(network)


def has_gpu() -> bool:
    """Return whether torch can use a CUDA GPU.

    Torch takes seconds to import, so it is used only if it is loaded already or NVIDIA's driver is
    installed, without which it finds no GPU.
    """
    if "torch" not in sys.modules and not (_has_driver() and _has_torch()):
        return False
    import torch

    return bool(torch.cuda.is_available())


def require_torch() -> None:
    """Raise ConfigError if torch is not installed, which only training and GPUs need."""
    if not _has_torch():
        raise ConfigError(
            "This needs PyTorch, which is not installed.",
            hint="Install it with `make training`, or use --device cpu.",
        )


def _has_torch() -> bool:
    return find_spec("torch") is not None


def _has_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
