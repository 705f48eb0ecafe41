"""Calibrating probabilities, and choosing the level below which an answer is "not sure"."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from core.calibration import Calibration, softmax
from core.classifiers import member_names
from core.classifiers.model import EmotionModel, Member
from core.classifiers.network import load_network
from core.config import TARGET_ACCURACY, Device, Engine
from core.errors import ConfigError
from core.types import Float32Array
from core.weights import SHIPPED_DIR, read_spec

from ..data.faces import read_faces
from ..data.splits import Split, describe_data
from ..learning.export import publish, update_model
from .metrics import compute_calibration_error

_TEMPERATURES = (0.05, 20.0)
"""Range searched, wide enough that only a degenerate network ends at a bound."""
_SMOOTHINGS = tuple(step / 100 for step in range(1, 31))
"""Shares of the uniform distribution that are tried."""
_ROUNDS = 300
"""Of expectation maximisation; on thousands of faces it converges much earlier."""
LEAST = 0.01
"""The smallest weight: if a member were left out, the others' mistakes would look unanimous."""


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What calibration changed, on the faces it was fitted on."""

    calibration: Calibration
    n: int
    nll_before: float
    nll_after: float
    ece_before: float
    ece_after: float
    shares: Mapping[str, float]
    """Weights of the ensemble's members by name; empty for a single network."""


def calibrate_model(
    sources: Sequence[Path],
    *,
    model: str,
    weights_dir: Path | None = None,
    split: Split | str = Split.VALIDATION,
    target_accuracy: float = TARGET_ACCURACY,
    publish_to: Path | None = None,
    engine: Engine | str = Engine.AUTO,
    device: Device | str = Device.AUTO,
) -> CalibrationReport:
    """Fit smoothing, temperature and "not sure" level of ``model`` and store them in its manifest.

    Only validation faces may be used. Figures recorded earlier are dropped, since they
    were measured with the old calibration. ``publish_to`` receives a copy of the weights
    and their manifest entry. For an ensemble, the weights of its members are fitted as well.
    """
    if Split(split) is not Split.VALIDATION:
        raise ConfigError(
            f"Calibration needs validation faces, not the {split} split.",
            hint="Training faces look better than they are, and a test split is for the end.",
        )
    if not 0 < target_accuracy <= 1:
        raise ConfigError(
            f"The target accuracy must lie between 0 and 1, got {target_accuracy:g}.",
            hint=f"The default is {TARGET_ACCURACY:g}.",
        )
    names = member_names(model)
    if len(names) > 1 and publish_to is not None:
        raise ConfigError(
            "An ensemble has no file to publish.",
            hint="Publish its networks, then calibrate the ensemble there with --weights.",
        )
    folder = weights_dir or SHIPPED_DIR
    specs = {name: read_spec(name, folder) for name in names}
    faces = read_faces(sources, Split.VALIDATION)
    networks = {
        name: load_network(spec, engine=Engine(engine), device=Device(device))
        for name, spec in specs.items()
    }
    logits = {name: network.logits(faces.images) for name, network in networks.items()}
    shares = {model: 1.0}
    if len(names) > 1:
        answers = [
            networks[name].spec.calibrations[Reading.FER2013].probabilities(logits[name])
            for name in names
        ]
        fitted = fit_ensemble_weights(np.stack(answers), faces.labels)
        shares = dict(zip(names, map(float, fitted), strict=True))
    members = {name: Member(each, each.spec.calibration) for name, each in networks.items()}
    rows = EmotionModel(members, shares, Calibration()).combine(logits)
    calibration = fit_calibration(rows, faces.labels, target_accuracy)
    entry = {
        **({"weights": shares} if len(names) > 1 else {}),
        "calibration": dataclasses.asdict(calibration),
        "calibrated_on": {
            "data": describe_data(faces.names, sources),
            "n": len(faces),
            "target_accuracy": target_accuracy,
        },
        "metrics": {},
    }
    update_model(folder, model, entry)
    if publish_to is not None:
        publish(model, folder, publish_to)
    before, after = softmax(rows), calibration.probabilities(rows)
    return CalibrationReport(
        calibration=calibration,
        n=len(faces),
        nll_before=_nll(before, faces.labels),
        nll_after=_nll(after, faces.labels),
        ece_before=compute_calibration_error(before, faces.labels),
        ece_after=compute_calibration_error(after, faces.labels),
        shares=shares if len(names) > 1 else {},
    )


def fit_calibration(
    logits: Float32Array, labels: NDArray[np.int64], target_accuracy: float = TARGET_ACCURACY
) -> Calibration:
    """Return the calibration that fits (N, 7) ``logits`` to their labels, N at least 1.

    Smoothing is removed only if that raises the likelihood by more than one more parameter must
    (Schwarz 1978).
    """
    plain = Calibration(fit_temperature(logits, labels))
    candidates = [
        Calibration(fit_temperature(logits, labels, smoothing), smoothing=smoothing)
        for smoothing in _SMOOTHINGS
    ]
    best = min(candidates, key=lambda each: _nll(each.probabilities(logits), labels))
    size = len(labels)
    gain = _nll(plain.probabilities(logits), labels) - _nll(best.probabilities(logits), labels)
    chosen = best if gain > math.log(size) / (2 * size) else plain
    probabilities = chosen.probabilities(logits)
    correct = probabilities.argmax(axis=1) == labels
    level = find_certain_level(probabilities.max(axis=1), correct, target_accuracy)
    with_level = dataclasses.replace(chosen, certain_from=level)
    certain = with_level.is_certain(probabilities)
    return dataclasses.replace(
        with_level,
        coverage=float(certain.mean()),
        selective_accuracy=float(correct[certain].mean()) if certain.any() else None,
    )


def fit_temperature(
    logits: Float32Array, labels: NDArray[np.int64], smoothing: float = 0.0
) -> float:
    """Return the temperature with the least negative log-likelihood (Guo et al. 2017).

    The loss is convex in 1 / T, so it has one minimum, which a bounded search over log T finds.
    The result is at the bound if all temperatures are equally good, or smaller ones always better.
    """
    low, high = (math.log(bound) for bound in _TEMPERATURES)

    def loss(log: float) -> float:
        calibration = Calibration(math.exp(log), smoothing=smoothing)
        return _nll(calibration.probabilities(logits), labels)

    return math.exp(float(minimize_scalar(loss, bounds=(low, high), method="bounded").x))


def find_certain_level(
    top: NDArray[np.float64], correct: NDArray[np.bool_], target_accuracy: float
) -> float:
    """Return the smallest top probability from which at least ``target_accuracy`` is right.

    ``top`` and ``correct`` are (N,). 1.0, with which practically nothing is certain, if no level
    reaches the target.
    """
    order = np.argsort(-top, kind="stable")
    levels = top[order]
    accuracy = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    # A level includes all faces with the same probability, so only the last of them counts.
    last = np.append(levels[1:] != levels[:-1], True)
    reached = np.flatnonzero(last & (accuracy >= target_accuracy))
    return float(levels[reached[-1]]) if len(reached) else 1.0


def fit_ensemble_weights(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return (M,) weights of the members that make the labels most likely; they sum to one.

    ``probabilities`` are (M, N, C), those of each member.

    The likelihood of a mixture is concave in its weights, so expectation maximisation (Dempster
    et al. 1977) finds the best ones. The weights are equal unless other ones raise the likelihood
    by more than the additional parameters must (Schwarz 1978).
    """
    members, size = probabilities.shape[:2]
    equal = np.full(members, 1 / members)
    given = np.maximum(probabilities[:, np.arange(size), labels], np.finfo(np.float64).tiny)
    shares = equal
    for _ in range(_ROUNDS):
        parts = shares[:, None] * given
        shares = (parts / parts.sum(axis=0)).mean(axis=1)
    shares = np.maximum(shares, LEAST)
    shares /= shares.sum()
    gain = float((np.log(shares @ given) - np.log(equal @ given)).mean())
    return shares if gain > (members - 1) * math.log(size) / (2 * size) else equal


def _nll(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    given = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(given, np.finfo(np.float64).tiny)).mean())
