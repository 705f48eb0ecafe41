"""Several trained models that answer about the same faces, each network once, and what is right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from core.calibration import blend_heads
from core.classifiers.architectures import build_network
from core.classifiers.model import EmotionModel
from core.classifiers.network import BATCH
from core.errors import DataError
from core.labels import Reading
from core.types import Float32Array, UInt8Array
from core.weights import WeightsSpec

from ..data.faces import FaceSet
from ..evaluation.metrics import Probabilities, encode_labels
from ..learning.loader import VOTES_TO_COUNT, read_vote_shares

Models = Mapping[str, EmotionModel]
"""Models by name; those that share a network share its classifier."""


def compute_logits(models: Models, faces: UInt8Array) -> dict[str, Float32Array]:
    """Return the uncalibrated (N, 7) logits of each model's label head for (N, 48, 48) ``faces``.

    Studies compare answers with FER-2013's labels.
    """
    members = {name: each for model in models.values() for name, each in model.members.items()}
    rows = {name: member.classifier.logits(faces) for name, member in members.items()}
    return {
        name: blend_heads(
            model.combine({each: rows[each] for each in model.members}), crowd_share=0
        )
        for name, model in models.items()
    }


def compute_probabilities(models: Models, faces: UInt8Array) -> dict[str, Probabilities]:
    """Return each model's calibrated (N, 7) probabilities of FER-2013's labels."""
    logits = compute_logits(models, faces)
    return {
        name: models[name].calibrations[Reading.FER2013].probabilities(rows)
        for name, rows in logits.items()
    }


def read_targets(faces: FaceSet, votes: Path) -> dict[Reading, Probabilities]:
    """Return the right answers of each reading, (N, 7): shares of ``votes``, and labels.

    Rows of faces with too few votes are zeros. DataError if all of them are.
    """
    crowd = read_vote_shares(faces, votes, VOTES_TO_COUNT).astype(np.float64)
    if not crowd.any():
        raise DataError(
            f"No face has {VOTES_TO_COUNT} votes for one of the seven emotions.",
            hint=f"'{votes.name}' must name the images in --data.",
        )
    return {Reading.PEOPLE: crowd, Reading.FER2013: encode_labels(faces.labels)}


@torch.inference_mode()
def embed_faces(spec: WeightsSpec, faces: UInt8Array) -> Float32Array:
    """Return the (N, F) pooled features that the network's last layer answers from."""
    embedding = build_network(spec.name, spec.load())
    rows = [
        embedding.embed(torch.from_numpy(spec.preprocessing(faces[start : start + BATCH]))).numpy()
        for start in range(0, len(faces), BATCH)
    ]
    return np.concatenate(rows)
