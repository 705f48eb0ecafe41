"""The architecture of our own face detector: single shot, 134,000 parameters.

Built from parts that YuNet (Wu et al. 2023) and NanoDet showed to be cheap on a CPU: separable
convolutions, a light feature pyramid, one prediction per cell without anchor boxes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

from .compact import STRIDES

_WIDTHS = (16, 32, 64, 128, 160, 96)
"""Channels at strides 2, 4, 8, 16, 32 and 64."""
_NECK = 64
_START_CELLS = 3.0
"""Side of the initial boxes in cells, about the middle of the sizes a stride is meant for."""
_PRIOR = 0.01
"""Initial score of every cell, so that the many empty cells do not dominate the loss
(Lin et al. 2017)."""
_LARGEST_EXPONENT = 6.0
"""Keeps exp() finite in half precision; no face is e^6 initial boxes wide."""


class CompactNetwork(nn.Module):
    """Computes face scores and boxes from a whole image."""

    def __init__(self) -> None:
        super().__init__()
        one, two, three, four, five, six = _WIDTHS
        self.stem = nn.Sequential(
            Conv2dNormActivation(3, one, stride=2), Conv2dNormActivation(one, two, stride=2)
        )
        self.stage2 = _Separable(two, two)
        self.stage3 = _make_stage(two, three, blocks=2, kernel=3)
        self.stage4 = _make_stage(three, four, blocks=2, kernel=5)
        self.stage5 = _make_stage(four, five, blocks=2, kernel=5)
        self.stage6 = _make_stage(five, six, blocks=1, kernel=5)
        self.lateral = nn.ModuleList(
            Conv2dNormActivation(width, _NECK, 1, activation_layer=None)
            for width in (three, four, five, six)
        )
        self.smooth = nn.ModuleList(_Separable(_NECK, _NECK) for _ in STRIDES)
        self.towers = nn.ModuleList(_Separable(_NECK, _NECK) for _ in STRIDES)
        prior = math.log(_PRIOR / (1 - _PRIOR))
        self.score = nn.ModuleList(_make_head(1, start=prior) for _ in STRIDES)
        self.box = nn.ModuleList(_make_head(4, start=0.0) for _ in STRIDES)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map (N, 3, H, W) RGB in 0..255 to (N, cells, 5): score logit, box corners in pixels.

        H and W must be multiples of :data:`.compact.PAD_TO`; cells are ordered by stride, then by
        row.
        """
        features = self.stage2(self.stem(pictures / 127.5 - 1.0))
        levels = []
        for stage in (self.stage3, self.stage4, self.stage5, self.stage6):
            features = stage(features)
            levels.append(features)
        merged: Tensor | None = None
        outputs: list[Tensor] = []
        for index in reversed(range(len(STRIDES))):
            level = self.lateral[index](levels[index])
            if merged is not None:
                level = level + nn.functional.interpolate(merged, scale_factor=2.0, mode="nearest")
            merged = self.smooth[index](level)
            tower = self.towers[index](merged)
            outputs.insert(0, _decode(self.score[index](tower), self.box[index](tower), index))
        return torch.cat(outputs, dim=1)


def _decode(score: Tensor, box: Tensor, index: int) -> Tensor:
    """Return (N, cells, 5) of one level; centres are predicted in cells, sides as exponents."""
    stride = STRIDES[index]
    middles = cell_centres(score.shape[-2], score.shape[-1], stride).to(score.device)
    flat = box.flatten(2).transpose(1, 2).float()
    middle = middles + flat[..., :2] * stride
    half = flat[..., 2:].clamp(max=_LARGEST_EXPONENT).exp() * (_START_CELLS * stride / 2)
    logit = score.flatten(2).transpose(1, 2).float()
    return torch.cat([logit, middle - half, middle + half], dim=-1)


def cell_centres(rows: int, columns: int, stride: int) -> Tensor:
    """Return the (rows * columns, 2) x, y of the cells' centres in pixels, row by row."""
    x = (torch.arange(columns) + 0.5) * stride
    y = (torch.arange(rows) + 0.5) * stride
    return torch.stack([x.repeat(rows), y.repeat_interleave(columns)], dim=1)


class _Separable(nn.Module):
    """Depthwise, then pointwise convolution; with a shortcut if the shape stays."""

    def __init__(self, inside: int, outside: int, *, stride: int = 1, kernel: int = 3) -> None:
        super().__init__()
        self.depthwise = Conv2dNormActivation(inside, inside, kernel, stride, groups=inside)
        self.pointwise = Conv2dNormActivation(inside, outside, 1, activation_layer=None)
        self._same = stride == 1 and inside == outside

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inside, H, W) to (N, outside, H / stride, W / stride)."""
        result: Tensor = self.pointwise(self.depthwise(features))
        return nn.functional.relu(result + features if self._same else result)


def _make_stage(inside: int, outside: int, *, blocks: int, kernel: int) -> nn.Sequential:
    """Return a layer that halves the resolution, followed by ``blocks`` that keep the shape."""
    more = (_Separable(outside, outside, kernel=kernel) for _ in range(blocks))
    return nn.Sequential(_Separable(inside, outside, stride=2), *more)


def _make_head(values: int, *, start: float) -> nn.Conv2d:
    """Return a layer that predicts about ``start`` everywhere before training."""
    head = nn.Conv2d(_NECK, values, 1)
    nn.init.normal_(head.weight, std=0.01)
    if head.bias is not None:
        nn.init.constant_(head.bias, start)
    return head
