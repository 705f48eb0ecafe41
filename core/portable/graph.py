"""The emotion model as one graph: from aligned grey faces to the calibrated readings."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..calibration import CROWD_HEAD, LABEL_HEAD, Calibration
from ..classifiers.architectures import build_network
from ..errors import WeightsCorrupt
from ..faces.alignment import CROP_PX
from ..labels import EMOTIONS, Reading
from ..types import Float32Array, UInt8Array
from ..weights import ModelSpec, WeightsSpec

_TINY = float(np.finfo(np.float32).tiny)
"""Keeps the logarithm finite if a probability underflows."""


class ModelGraph(nn.Module):
    """Computes both readings of aligned faces, as :class:`..classifiers.model.EmotionModel` does.

    ``forward`` takes (N, 1, 48, 48) uint8 grey faces and returns one (N, 7) float32 tensor of
    probabilities for each member of :class:`..labels.Reading`, in that order.
    """

    def __init__(self, model: ModelSpec) -> None:
        super().__init__()
        self.members = nn.ModuleDict(
            {name: MemberGraph(spec) for name, spec in model.members.items()}
        )
        self._calibrations = [model.calibrations[reading] for reading in Reading]
        self._label_calibrations = {
            name: spec.calibrations[Reading.FER2013] for name, spec in model.members.items()
        }
        total = sum(model.shares[name] for name in model.members)
        self._shares = {name: model.shares[name] / total for name in model.members}

    def forward(self, faces: Tensor) -> tuple[Tensor, ...]:
        grey = faces.float()
        heads = self._combine({name: member(grey) for name, member in self.members.items()})
        return tuple(_calibrate(heads, each) for each in self._calibrations)

    def _combine(self, members: dict[str, Tensor]) -> Tensor:
        """Return the logits of all ``members`` together, as ``EmotionModel.combine`` does."""
        if len(members) == 1:
            (only,) = members.values()
            return only
        labels = [
            self._shares[name] * _calibrate(heads, self._label_calibrations[name])
            for name, heads in members.items()
        ]
        crowd = [
            self._shares[name] * heads[:, CROWD_HEAD].softmax(dim=1)
            for name, heads in members.items()
        ]
        return torch.stack([_log(torch.stack(each).sum(dim=0)) for each in (labels, crowd)], dim=1)


class MemberGraph(nn.Module):
    """One network: grey values in 0..255 to the logits of both heads, (N, 2, 7)."""

    def __init__(self, spec: WeightsSpec) -> None:
        super().__init__()
        self.network = build_network(spec.name, spec.load())
        if self.network.crowd is None:
            raise WeightsCorrupt(
                f"{spec.name} has no head for what people would see, so it cannot be exported.",
                hint="Train it with FER+ votes: `emotion train --votes CSV`.",
            )
        self._preprocessing = spec.preprocessing
        positions, weights = _bicubic_taps(spec.preprocessing.input_px)
        self.positions: Tensor
        self.weights: Tensor
        self.register_buffer("positions", torch.from_numpy(positions))
        self.register_buffer("weights", torch.from_numpy(weights))

    def forward(self, grey: Tensor) -> Tensor:
        scaled = (self.resize(grey) / 255.0 - self._preprocessing.mean) / self._preprocessing.std
        both = torch.cat([scaled, scaled.flip(3)])
        views = self.network(both.expand(-1, 3, -1, -1)).softmax(dim=2)
        return _log(views.reshape(2, -1, 2, len(EMOTIONS)).mean(dim=0))

    def resize(self, grey: Tensor) -> Tensor:
        """Return (N, 1, 48, 48) grey values in 0..255 as (N, 1, S, S) whole ones.

        It follows OpenCV's order of additions; another order rounds more pixels to the next grey
        value.
        """
        places, weights = self.positions.unbind(), self.weights.unbind()
        columns = [grey[:, :, :, p] * w for p, w in zip(places, weights, strict=True)]
        wide = (columns[0] + columns[1]) + (columns[2] + columns[3])
        rows = [wide[:, :, p, :] * w[:, None] for p, w in zip(places, weights, strict=True)]
        return ((rows[0] + rows[1]) + (rows[2] + rows[3])).round().clamp(0, 255)


def resize_faces(model: ModelGraph, faces: UInt8Array) -> dict[str, UInt8Array]:
    """Return what each member's network sees of (N, 48, 48) faces: (N, S, S) uint8."""
    with torch.inference_mode():
        grey = torch.from_numpy(faces[:, None]).float()
        return {
            name: member.resize(grey)[:, 0].to(torch.uint8).numpy()
            for name, member in model.members.items()
            if isinstance(member, MemberGraph)
        }


def _calibrate(heads: Tensor, calibration: Calibration) -> Tensor:
    """Return (N, 7) probabilities for (N, 2, 7) logits, as ``Calibration.probabilities`` does."""
    share = calibration.crowd_share
    logits = (1 - share) * heads[:, LABEL_HEAD] + share * heads[:, CROWD_HEAD]
    if calibration.smoothing > 0:
        smoothed = logits.softmax(dim=1)
        uniform = calibration.smoothing / len(EMOTIONS)
        logits = _log(torch.maximum(smoothed - uniform, 0.01 * smoothed))
    return (logits / calibration.temperature).softmax(dim=1)


def _log(values: Tensor) -> Tensor:
    return values.clamp_min(_TINY).log()


def _bicubic_taps(side: int) -> tuple[NDArray[np.int64], Float32Array]:
    """Return the four pixels, (4, S) int64, and weights that make each of ``side`` pixels.

    The weights are OpenCV's own: resizing a unit matrix shows them.
    """
    unit = np.eye(CROP_PX, dtype=np.float32)
    weights = cv2.resize(unit, (CROP_PX, side), interpolation=cv2.INTER_CUBIC)
    first = np.floor((np.arange(side) + 0.5) * CROP_PX / side - 0.5).astype(np.int64) - 1
    places = first + np.arange(4)[:, None]
    inside = (places >= 0) & (places < CROP_PX)  # the weights repeat the edge's pixels already
    places = places.clip(0, CROP_PX - 1)
    taps = np.where(inside, np.take_along_axis(weights.T, places, axis=0), np.float32(0))
    return places, np.asarray(taps, dtype=np.float32)
