"""Networks in eager torch."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

from ..types import Float32Array

_CPU = torch.device("cpu")


class TorchRunner:
    """Runs a module in evaluation mode, float32, channels last."""

    def __init__(self, module: nn.Module, device: str) -> None:
        self._device = torch.device(device)
        # Made beforehand: on a GPU whose memory is full there is no room to copy from.
        self._on_cpu = copy.deepcopy(module).eval() if self._device != _CPU else module.eval()
        self._module = module.eval().to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(self, batch: Float32Array) -> Float32Array:
        """Return (N, C) float32 for (N, 3, S, S) float32.

        Halves the batch while a GPU's memory is full; what does not fit even alone is run on
        the CPU, so that no face is lost.
        """
        try:
            return _outputs(self._module, batch, self._device)
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
        if len(batch) == 1:
            return _outputs(self._on_cpu, batch, _CPU)
        middle = len(batch) // 2
        return np.concatenate([self.run(batch[:middle]), self.run(batch[middle:])])


def _outputs(module: nn.Module, batch: Float32Array, device: torch.device) -> Float32Array:
    with torch.inference_mode():
        inputs = torch.from_numpy(batch).to(device, memory_format=torch.channels_last)
        outputs: Float32Array = module(inputs).float().cpu().numpy()
    return outputs
