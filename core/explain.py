"""What a network looked at: Grad-CAM (Selvaraju et al. 2017), for every architecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from .calibration import CROWD_HEAD, LABEL_HEAD
from .classifiers import ARCHITECTURES
from .classifiers.network import BATCH, network_of
from .config import AnalyzerConfig
from .errors import ConfigError
from .faces.alignment import CROP_PX
from .labels import EMOTIONS, Emotion
from .runtime.gradient import add_gradient
from .runtime.openvino_engine import OpenVinoRunner, compile_or_load, make_model
from .types import Float32Array, UInt8Array
from .weights import WeightsSpec, read_models, read_spec

EXPLAINED_BLOCKS: Mapping[str, str] = MappingProxyType(
    {
        "mobilenet_v2": "trunk.features.18",
        "resnet50": "trunk.layer4.2",
        "inception_v3": "trunk.Mixed_6e",
    }
)
"""Module of each network whose output is explained: the last one with a useful map.

MobileNetV2 at 96 px ends with 3x3 cells and ResNet50 at 128 px with 4x4. Inception v3 at 112 px
ends with 2x2, which shows quarters only, so the block before its last reduction is used.
"""
_TINY = 1e-7
"""Keeps the scaling of an empty map finite, as in the grad-cam library."""


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
    runners = {
        name: _load_runner(name, config.weights_dir, spec.sha256)
        for name, spec in model.members.items()
    }
    # If a member has no crowd head, the label heads alone answer.
    both_heads = all(len(runner.input_shape(1)) == 3 for runner in runners.values())
    crowd_share = model.calibrations[config.reading].crowd_share if both_heads else 0.0
    total = sum(model.shares.values())
    maps = np.zeros((len(crops), CROP_PX, CROP_PX), dtype=np.float32)
    for name, spec in model.members.items():
        for start in range(0, len(crops), BATCH):
            part = slice(start, start + BATCH)
            weights = _weigh_outputs(runners[name], emotions[part], crowd_share)
            some = _compute_maps(runners[name], spec, crops[part], weights)
            maps[part] += np.float32(model.shares[name] / total) * some
    return tuple(maps)


def _weigh_outputs(
    runner: OpenVinoRunner, emotions: Sequence[Emotion], crowd_share: float
) -> Float32Array:
    """Return weights whose sum of the network's outputs is the explained value of each face.

    That is the logit of its emotion, blended from both heads as in the answer.
    """
    weights = np.zeros((len(emotions), *runner.input_shape(1)[1:]), np.float32)
    for row, emotion in zip(weights, emotions, strict=True):
        index = EMOTIONS.index(emotion)
        if row.ndim == 1:
            row[index] = 1
        else:
            row[LABEL_HEAD, index], row[CROWD_HEAD, index] = 1 - crowd_share, crowd_share
    return weights


def _compute_maps(
    runner: OpenVinoRunner, spec: WeightsSpec, crops: UInt8Array, weights: Float32Array
) -> Float32Array:
    """Return (N, 48, 48) maps in 0..1 of (N, 48, 48) crops."""
    inputs = spec.preprocessing(crops)
    # As in the answer, a face and its mirror image count equally.
    both = np.concatenate([inputs, inputs[..., ::-1]])
    activations, gradients = runner.outputs(both, np.concatenate([weights, weights]))
    maps = np.maximum(np.einsum("nk,nkhw->nhw", gradients, activations), 0)
    size_wh = (inputs.shape[3], inputs.shape[2])
    scaled = np.stack([_scale(_resize(_scale(each), size_wh)) for each in maps])
    mean = (scaled[: len(crops)] + scaled[len(crops) :, :, ::-1]) / 2
    return np.stack([_resize(each, (CROP_PX, CROP_PX)) for each in mean])


def _resize(heat: Float32Array, size_wh: tuple[int, int]) -> Float32Array:
    return np.asarray(cv2.resize(heat, size_wh), np.float32)


def _scale(heat: Float32Array) -> Float32Array:
    """Return a map that reaches from 0 to 1, as the grad-cam library scales it."""
    lifted = heat - heat.min()
    return np.asarray(lifted / (_TINY + lifted.max()), np.float32)


@lru_cache(maxsize=len(ARCHITECTURES))
def _load_runner(name: str, weights_dir: Path | None, _sha256: str) -> OpenVinoRunner:
    """Load a network with its gradient; the checksum in the cache key has new weights read."""
    network = network_of(read_spec(name, weights_dir))

    def make() -> Any:
        return add_gradient(make_model(network), EXPLAINED_BLOCKS[name])

    # Not cached on disk: compiling takes a second, and the file would have up to 200 MB.
    return OpenVinoRunner(compile_or_load("", network.input_shape, make))
