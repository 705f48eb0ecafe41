"""What a network looked at: Grad-CAM with the grad-cam library, for every architecture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import torch
from pytorch_grad_cam import GradCAM
from torch import Tensor

from .calibration import CROWD_HEAD, LABEL_HEAD
from .classifiers import ARCHITECTURES
from .classifiers.architectures import EmotionNetwork, build_network, find_architecture
from .classifiers.network import BATCH
from .config import AnalyzerConfig
from .errors import ConfigError
from .faces.alignment import CROP_PX
from .labels import EMOTIONS, Emotion
from .types import Float32Array, UInt8Array
from .weights import WeightsSpec, read_models, read_spec

_LOCK = Lock()
"""Grad-CAM puts hooks into the network while it runs, so only one explanation runs at a time."""


def gradcam(
    config: AnalyzerConfig, crops: UInt8Array, emotions: Sequence[Emotion]
) -> tuple[Float32Array, ...]:
    """Return one (48, 48) float32 map in 0..1 for each of (N, 48, 48) crops and its emotion.

    The map is about the reading of ``config``. Members' maps are averaged by their share in the
    answer. ConfigError for a model without an entry in the manifest.
    """
    models = read_models(config.weights_dir)
    if config.model not in models:
        raise ConfigError(
            f"The model {config.model} cannot show what it looked at.",
            hint=f"These can: {', '.join(models)}.",
        )
    model = models[config.model]
    networks = {
        name: _load_network(name, config.weights_dir, spec.sha256)
        for name, spec in model.members.items()
    }
    # If a member has no crowd head, the label heads alone answer.
    both_heads = all(network.crowd is not None for network in networks.values())
    crowd_share = model.calibrations[config.reading].crowd_share if both_heads else 0.0
    total = sum(model.shares.values())
    maps = np.zeros((len(crops), CROP_PX, CROP_PX), dtype=np.float32)
    with _LOCK:
        for name, spec in model.members.items():
            network = networks[name]
            for start in range(0, len(crops), BATCH):
                part = slice(start, start + BATCH)
                some = _compute_maps(network, spec, crops[part], emotions[part], crowd_share)
                maps[part] += np.float32(model.shares[name] / total) * some
    return tuple(maps)


def _compute_maps(
    network: EmotionNetwork,
    spec: WeightsSpec,
    crops: UInt8Array,
    emotions: Sequence[Emotion],
    crowd_share: float,
) -> Float32Array:
    layer = network.trunk.get_submodule(find_architecture(spec.name).explained_block)
    targets = [_make_target(EMOTIONS.index(emotion), crowd_share) for emotion in emotions]
    inputs = spec.preprocessing(crops)
    # As in the answer, a face and its mirror image count equally.
    both = torch.from_numpy(np.concatenate([inputs, inputs[..., ::-1]])).requires_grad_(True)
    with torch.enable_grad(), GradCAM(model=network, target_layers=[layer]) as cam:
        maps = cam(input_tensor=both, targets=[*targets, *targets])
    mean = (maps[: len(crops)] + maps[len(crops) :, :, ::-1]) / 2
    resized = [cv2.resize(each, (CROP_PX, CROP_PX)) for each in mean]
    return np.asarray(np.stack(resized), dtype=np.float32)


def _make_target(index: int, crowd_share: float) -> Callable[[Tensor], Tensor]:
    """Return a function that takes the network's output for one face to the explained value.

    That is the logit of the emotion ``index``, blended from both heads as in the answer.
    """

    def target(output: Tensor) -> Tensor:
        if output.ndim == 1:
            return output[index]
        labels, crowd = output[LABEL_HEAD, index], output[CROWD_HEAD, index]
        return (1 - crowd_share) * labels + crowd_share * crowd

    return target


@lru_cache(maxsize=len(ARCHITECTURES))
def _load_network(name: str, weights_dir: Path | None, _sha256: str) -> EmotionNetwork:
    """Load the network in torch; the checksum is part of the cache key, so new weights are read."""
    return build_network(name, read_spec(name, weights_dir).load())
