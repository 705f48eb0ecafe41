"""Trained networks that teach another one (Hinton et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from core.classifiers.architectures import EmotionNetwork, build_network
from core.errors import ConfigError, ProjectError
from core.faces.preprocess import Preprocessing

from .export import read_spec_beside


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """One trained network, in evaluation mode."""

    network: EmotionNetwork
    preprocessing: Preprocessing
    sha256: str

    def embed(self, grey: Tensor) -> Tensor:
        """Return (N, F) features for (N, 1, S, S) grey values in 0..1."""
        side = self.preprocessing.input_px
        if grey.shape[-1] != side:
            grey = functional.interpolate(
                grey, (side, side), mode="bicubic", align_corners=False, antialias=True
            )
        inputs = (grey - self.preprocessing.mean) / self.preprocessing.std
        batch = inputs.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        return self.network.embed(batch)


class TeacherOutputs(NamedTuple):
    """What all teachers together return for N faces."""

    labels: Tensor
    """(N, 7), the mean of the softened probabilities of the label heads."""
    crowd: Tensor | None
    """The same of the crowd heads; None if a teacher has none."""
    features: Tensor
    """(N, width), each teacher's features with mean 0 and variance 1 for every face."""


class Teachers:
    """Several networks that teach with the mean of their probabilities.

    Not a module, so that they are neither trained nor stored in checkpoints.
    """

    def __init__(self, members: Sequence[Teacher]) -> None:
        self._members = members

    @property
    def digests(self) -> list[str]:
        """SHA-256 of each member's weights."""
        return [member.sha256 for member in self._members]

    def to(self, device: torch.device) -> None:
        """Move all members to ``device``."""
        for member in self._members:
            member.network.to(device)

    @property
    def width(self) -> int:
        """Number of features of all members together."""
        return sum(member.network.head.in_features for member in self._members)

    @torch.no_grad()
    def predict(self, grey: Tensor, temperature: float) -> TeacherOutputs:
        """Return the outputs of all members for (N, 1, S, S) grey values in 0..1."""
        labels, crowd, features = [], [], []
        for member in self._members:
            raw, network = member.embed(grey), member.network
            labels.append(network.head(raw))
            if network.crowd is not None:
                crowd.append(network.crowd(raw))
            features.append(functional.layer_norm(raw.float(), raw.shape[1:]))
        return TeacherOutputs(
            _average_softened(labels, temperature),
            _average_softened(crowd, temperature) if len(crowd) == len(labels) else None,
            torch.cat(features, dim=1),
        )


def _average_softened(logits: Sequence[Tensor], temperature: float) -> Tensor:
    """Return the mean of the softened probabilities of several (N, 7) ``logits``."""
    return torch.stack([torch.softmax(each.float() / temperature, 1) for each in logits]).mean(0)


def load_teachers(files: Sequence[Path]) -> Teachers | None:
    """Load the networks in ``files``, each with its manifest beside it; None for no files."""
    return Teachers([_load_teacher(file) for file in files]) if files else None


def _load_teacher(file: Path) -> Teacher:
    try:
        spec = read_spec_beside(file)
    except ProjectError as error:
        raise ConfigError(
            f"'{file}' cannot be used as a teacher: {error.message}", hint=error.hint
        ) from error
    network = build_network(spec.name, spec.load()).requires_grad_(False)
    network = network.to(memory_format=torch.channels_last)
    return Teacher(network, spec.preprocessing, spec.sha256)
