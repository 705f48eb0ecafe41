"""What it is worth to average a face with its mirror image, and whether only some faces need it.

A network's answer is the mean over both pictures, which doubles the time of classification. Here
the mirror image is used only for faces of whose picture alone a head is unsure: its most likely
emotion has a probability below a limit. A limit of 0 never uses it, a limit of 1 always.

``flip.json`` has under ``models``, for each network, a list with one entry for each limit:
``share`` of the faces that use the mirror image, and for each of the ``readings`` the
``agreement`` (the share of right answers: FER-2013's label, or the crowd's first choice), how much
higher it is than with the mirror image always (``against_always``, with a paired interval), the
``loss`` (cross-entropy with labels or votes, in nats), and the shares of faces that get another
answer (``other_answers``) or become certain or unsure (``other_certain``). The calibration is
always the network's own, which was fitted to the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.calibration import Calibration
from core.classifiers import member_names
from core.classifiers.network import BATCH, NetworkClassifier, average_views, load_network
from core.files import write_json
from core.labels import Reading
from core.types import Float32Array, UInt8Array
from core.weights import SHIPPED_DIR, read_spec

from ..data.faces import read_faces
from ..data.splits import Split, describe_data
from ..evaluation.crowd import compute_cross_entropy, score_against_crowd
from ..evaluation.metrics import Probabilities
from ..evaluation.paired import compute_mean_difference
from .studied_models import read_targets

LIMITS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

Views = NDArray[np.float64]
"""(N, 7), or (N, 2, 7) with a crowd head: probabilities before calibration."""


def study_flip(
    sources: Sequence[Path],
    votes: Path,
    directory: Path,
    *,
    weights_dir: Path | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> Mapping[str, Any]:
    """Measure each network with the mirror image of some, all or none of the validation faces.

    Writes flip.json and returns its content. DataError for faces without ``votes``.
    """
    faces = read_faces(sources, Split.VALIDATION)
    targets = read_targets(faces, votes)
    specs = {name: read_spec(name, weights_dir or SHIPPED_DIR) for name in member_names("ensemble")}
    models = {}
    for name, spec in specs.items():
        progress(f"{name} …")
        plain, mirrored = _run_views(load_network(spec), faces.images)
        models[name] = compare_limits(plain, mirrored, spec.calibrations, targets)
    report = {
        "schema_version": 1,
        "data": describe_data(faces.names, sources),
        "votes": votes.name,
        "weights_sha256": {name: spec.sha256 for name, spec in specs.items()},
        "models": models,
    }
    write_json(directory / "flip.json", report)
    return report


def compare_limits(
    plain: Views,
    mirrored: Views,
    calibrations: Mapping[Reading, Calibration],
    targets: Mapping[Reading, Probabilities],
) -> list[dict[str, Any]]:
    """Return an entry for each of :data:`LIMITS`."""
    always = average_views(plain, mirrored)
    entries = []
    for limit in LIMITS:
        asked = find_unsure(plain, limit)
        logits = average_views(plain).copy()
        logits[asked] = always[asked]
        readings = {
            str(reading): _compare(logits, always, calibrations[reading], wanted)
            for reading, wanted in targets.items()
        }
        entries.append({"limit": limit, "share": float(asked.mean()), "readings": readings})
    return entries


def find_unsure(plain: Views, limit: float) -> NDArray[np.bool_]:
    """Return (N,): whether a head's most likely emotion has a probability below ``limit``."""
    tops = plain.max(axis=-1).reshape(len(plain), -1)
    return np.asarray((tops < limit).any(axis=1) if limit < 1 else np.ones(len(plain), bool))


def _compare(
    logits: Float32Array, always: Float32Array, calibration: Calibration, targets: Probabilities
) -> dict[str, Any]:
    known = targets.sum(axis=1) > 0
    rows, reference = (calibration.probabilities(each[known]) for each in (logits, always))
    right, before = (
        score_against_crowd(each, targets[known])["agreement"] for each in (rows, reference)
    )
    gap = compute_mean_difference(right, before)
    others = rows.argmax(axis=1) != reference.argmax(axis=1)
    certain = calibration.is_certain(rows) != calibration.is_certain(reference)
    return {
        "n": int(known.sum()),
        "agreement": float(right.mean()),
        "against_always": {"value": gap.value, "interval": list(gap.interval)},
        "loss": compute_cross_entropy(rows, targets[known]),
        "other_answers": float(others.mean()),
        "other_certain": float(certain.mean()),
    }


def _run_views(network: NetworkClassifier, faces: UInt8Array) -> tuple[Views, Views]:
    starts = range(0, len(faces), BATCH)
    parts = [network.run_views(faces[start : start + BATCH]) for start in starts]
    plain, mirrored = zip(*parts, strict=True)
    return np.concatenate(plain), np.concatenate(mirrored)
