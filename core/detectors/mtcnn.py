"""MTCNN (Zhang et al. 2016) with facenet-pytorch's weights as a detector, and its networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..config import Device, Engine, PresetSettings
from ..faces.reduce import shrink_to_fit
from ..runtime import Network, NetworkRunner, runner_for
from ..runtime.assembly import assemble_network
from ..types import Face, RgbImage
from ..weights import StoredWeights, read_published
from .cascade import (
    PYRAMID_FACTOR,
    STAGE_THRESHOLDS,
    CascadeSettings,
    Networks,
    find_faces,
)

if TYPE_CHECKING:
    from torch import nn

DEFAULT_THRESHOLD = 0.9
"""Lowest score of the last stage that counts: best F1 on 188 photos, .862 for faces of 20 px and
more, .885 for 32 px and more."""
_FORMAT = "2"
"""Increase whenever a network computes something else from the same weights."""
INPUT_SHAPES = {"pnet": (1, 3, -1, -1), "rnet": (-1, 3, 24, 24), "onet": (-1, 3, 48, 48)}


class MtcnnDetector:
    """Finds faces with five landmarks each; threads may share it."""

    def __init__(
        self,
        *,
        working_px: int,
        min_face_px: int,
        threshold: float,
        device: Device = Device.AUTO,
        stage_thresholds: tuple[float, float, float] = STAGE_THRESHOLDS,
        pyramid_factor: float = PYRAMID_FACTOR,
    ) -> None:
        self._working_px = working_px
        self._threshold = threshold
        self._settings = CascadeSettings(min_face_px, pyramid_factor, stage_thresholds)
        self._networks = load_networks(device)

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """Return all faces scored at or above the threshold, best first."""
        pixels = shrink_to_fit(image.pixels, self._working_px)
        found = find_faces(pixels, self._networks, self._settings)
        return found.to_faces(image, pixels, self._threshold)


def load_mtcnn(
    *,
    settings: PresetSettings,
    threshold: float | None = None,
    device: Device = Device.AUTO,
    weights_dir: Path | None = None,  # noqa: ARG001 - its weights are always the shipped ones
) -> MtcnnDetector:
    """Load MTCNN for a preset; ``threshold`` None means the measured default."""
    level = DEFAULT_THRESHOLD if threshold is None else threshold
    first, second, third = STAGE_THRESHOLDS
    return MtcnnDetector(
        working_px=settings.working_px,
        min_face_px=settings.min_face_px,
        threshold=level,
        device=device,
        # The last stage must not drop faces that the threshold accepts.
        stage_thresholds=(first, second, min(third, level)),
    )


def load_networks(device: Device) -> Networks:
    """Load the networks of all three stages; WeightsError if a file is absent or changed."""
    proposal, refinement, output = (load_mtcnn_runner(name, device) for name in INPUT_SHAPES)
    return Networks(proposal, refinement, output)


def load_mtcnn_runner(name: str, device: Device) -> NetworkRunner:
    """Load pnet, rnet or onet; WeightsError if its file is absent or changed."""
    return runner_for(mtcnn_network(name), engine=Engine.AUTO, device=device)


def mtcnn_network(name: str) -> Network:
    """Return what a runner needs to run pnet, rnet or onet.

    The file is verified here, even if a compiled copy is cached.
    """
    stored = read_published(name)
    stored.read_verified()
    return Network(
        assemble=lambda: assemble_network(name, stored.load_arrays()),
        build=lambda: build_mtcnn_network(name, stored),
        input_shape=INPUT_SHAPES[name],
        fingerprint=f"mtcnn {name} {_FORMAT} {stored.sha256}",
    )


def build_mtcnn_network(name: str, stored: StoredWeights) -> nn.Module:
    """Build pnet, rnet or onet in torch with the ``stored`` weights and one output.

    The output is the probability of a face, box offsets and any points.
    """
    from facenet_pytorch.models import mtcnn

    from ..classifiers.architectures import load_state

    networks = {"pnet": mtcnn.PNet, "rnet": mtcnn.RNet, "onet": mtcnn.ONet}
    return join_outputs(load_state(networks[name](pretrained=False), stored.load()))


def join_outputs(network: nn.Module) -> nn.Module:
    """Return ``network`` with one output: probability of a face, box offsets and any points."""
    import torch
    from torch import Tensor, nn

    class OneOutput(nn.Module):
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, batch: Tensor) -> Tensor:
            *moves, probabilities = self.network(batch)
            return torch.cat([probabilities[:, 1:2], *moves], dim=1)

    return OneOutput(network)
