"""The devices that a run trains on."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

import torch

from core.config import Device
from core.errors import ConfigError

from .precision import Precision


@dataclass(frozen=True, slots=True)
class Hardware:
    """Devices and number format of a run; :func:`choose_hardware` has checked them."""

    accelerator: str
    """Lightning's name: gpu or cpu."""
    precision: Precision
    devices: int
    """On each computer."""
    nodes: int

    @property
    def world_size(self) -> int:
        """Processes that train together."""
        return self.devices * self.nodes

    def make_autocast(self) -> torch.autocast:
        """Return the context that computes in the number format of the run."""
        kind = "cuda" if self.accelerator == "gpu" else "cpu"
        half = torch.float16 if self.precision is Precision.F16_MIXED else torch.bfloat16
        return torch.autocast(kind, half, enabled=self.precision is not Precision.FULL)

    def split_batch(self, batch: int) -> int:
        """Return the faces of a batch that each process takes; ConfigError for no even split."""
        suggested = self.world_size * max(2, round(batch / self.world_size))
        if batch % self.world_size or batch // self.world_size < 2:
            raise ConfigError(
                f"A batch of {batch} faces cannot be split among {self.world_size} devices.",
                hint=f"Example: --set batch={suggested}",
            )
        return batch // self.world_size


def choose_hardware(
    device: Device,
    precision: Precision,
    *,
    devices: int = 1,
    nodes: int = 1,
    compiled: bool = False,
) -> Hardware:
    """Return what the options mean on this computer; ConfigError for what it cannot do."""
    on_gpu = torch.cuda.is_available() and device is not Device.CPU
    if device is Device.CUDA and not on_gpu:
        raise ConfigError(
            "There is no CUDA GPU that torch can use.", hint="Use --device cpu or --device auto."
        )
    if on_gpu and devices > torch.cuda.device_count():
        raise ConfigError(
            f"You asked for {devices} GPUs, but there are {torch.cuda.device_count()}.",
            hint=f"Use --devices {torch.cuda.device_count()}.",
        )
    accelerator = "gpu" if on_gpu else "cpu"
    if compiled:
        _require_compiler(accelerator)
    return Hardware(accelerator, _choose_precision(precision, on_gpu), devices, nodes)


def _choose_precision(precision: Precision, on_gpu: bool) -> Precision:
    if precision is Precision.F16_MIXED and not on_gpu:
        raise ConfigError("A CPU cannot train in 16-mixed precision.", hint="Use --precision auto.")
    if precision is not Precision.AUTO:
        return precision
    if not on_gpu:
        return Precision.FULL
    return Precision.BF16_MIXED if torch.cuda.is_bf16_supported() else Precision.F16_MIXED


def _require_compiler(accelerator: str) -> None:
    names = ("c++", "g++", "clang++", "cl")
    if accelerator == "cpu" and not ("CXX" in os.environ or any(map(shutil.which, names))):
        raise ConfigError(
            "--compile needs a C++ compiler, and none is installed.",
            hint="Install one (Debian: apt-get install g++), or leave --compile out.",
        )
