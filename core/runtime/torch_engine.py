"""Networks in eager torch."""

from __future__ import annotations

import torch
from torch import nn

from ..types import Float32Array


class TorchRunner:
    """Runs a module in evaluation mode, float32, channels last."""

    def __init__(self, module: nn.Module, device: str) -> None:
        self._device = torch.device(device)
        self._module = module.eval().to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(self, batch: Float32Array) -> Float32Array:
        """(N, 3, S, S) float32 to (N, C) float32. Halves the batch when a GPU's memory is full."""
        try:
            return self._run(batch)
        except torch.cuda.OutOfMemoryError:
            if len(batch) == 1:
                raise
            torch.cuda.empty_cache()
        import numpy as np

        middle = len(batch) // 2
        return np.concatenate([self.run(batch[:middle]), self.run(batch[middle:])])

    def _run(self, batch: Float32Array) -> Float32Array:
        with torch.inference_mode():
            inputs = torch.from_numpy(batch).to(self._device, memory_format=torch.channels_last)
            outputs: Float32Array = self._module(inputs).float().cpu().numpy()
        return outputs
