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

from core.calibration import Calibration
from core.classifiers import member_names
from core.classifiers.model import EmotionModel, Member
from core.classifiers.network import load_network
from core.config import TARGET_ACCURACY, Device, Engine
from core.errors import ConfigError, DataError
from core.labels import Reading
from core.types import Float32Array
from core.weights import SHIPPED_DIR, read_spec

from ..data.faces import FaceSet, read_faces
from ..data.splits import Split, describe_data
from ..learning.export import publish, update_model
from ..learning.loader import VOTES_TO_COUNT, read_vote_shares
from .crowd import compute_cross_entropy, compute_share_error, score_against_crowd
from .metrics import Labels, Probabilities, encode_labels
from .natural_photos import read_photo_faces, weigh_by_natural_shares

_TEMPERATURES = (0.05, 20.0)
"""Range searched, wide enough that only a degenerate network ends at a bound."""
_SMOOTHINGS = tuple(step / 100 for step in range(1, 31))
"""Shares of the uniform distribution that are tried."""
_CROWD_SHARES = tuple(step / 20 for step in range(21))
"""Shares of the crowd head that are tried."""
DEFAULT_CROWD_SHARE = 0.75
"""Without natural photos to fit it to."""
NATURAL_POWER = 0.25
"""Power of the natural frequency with which a label counts when the share is fitted.

With the frequency itself only neutral and happy faces would count, nine in ten, and the crowd head
alone would be best: it overlooks many sad and angry faces. If all labels counted alike, ordinary
faces would be called sad or angry again.
"""
_ROUNDS = 300
"""Of expectation maximisation; on thousands of faces it converges much earlier."""
LEAST = 0.01
"""The smallest weight: if a member were left out, the others' mistakes would look unanimous."""


@dataclass(frozen=True, slots=True)
class ReadingReport:
    """What calibration changed in one reading, on the faces it was fitted on."""

    calibration: Calibration
    n: int
    """Faces with a label, or with enough votes."""
    nll_before: float
    """Cross-entropy with labels or shares of votes, in nats."""
    nll_after: float
    ece_before: float
    """Expected calibration error, of being right or of the share of people who agree."""
    ece_after: float


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What calibration changed."""

    readings: Mapping[Reading, ReadingReport]
    """The reading of people is missing without votes, and for a network without a crowd head."""
    shares: Mapping[str, float]
    """Weights of the ensemble's members by name; empty for a single network."""


@dataclass(frozen=True, slots=True)
class CalibrationData:
    """What a model is calibrated on."""

    sources: Sequence[Path]
    """Validation faces, cut out and with labels."""
    votes: Path | None = None
    """FER+ crowd votes for them; needed for the reading of people."""
    photos: Path | None = None
    """Whole natural photos by label, to which the share of the crowd head is fitted."""


def calibrate_model(
    data: CalibrationData,
    *,
    model: str,
    weights_dir: Path | None = None,
    split: Split | str = Split.VALIDATION,
    target_accuracy: Mapping[Reading, float] = TARGET_ACCURACY,
    publish_to: Path | None = None,
    engine: Engine | str = Engine.AUTO,
    device: Device | str = Device.AUTO,
) -> CalibrationReport:
    """Fit the calibration of every reading of ``model`` and store it in the manifest.

    Only validation faces may be used. Figures recorded earlier are dropped, since they
    were measured with the old calibration. ``publish_to`` receives a copy of the weights
    and their manifest entry. For an ensemble, the weights of its members are fitted as well.
    A network without a crowd head answers in every reading with its label head.
    """
    if Split(split) is not Split.VALIDATION:
        raise ConfigError(
            f"Calibration needs validation faces, not the {split} split.",
            hint="Training faces look better than they are, and a test split is for the end.",
        )
    for target in target_accuracy.values():
        if not 0 < target <= 1:
            raise ConfigError(
                f"The target accuracy must lie between 0 and 1, got {target:g}.",
                hint=f"The default is {TARGET_ACCURACY[Reading.PEOPLE]:g} for the reading of "
                f"people and {TARGET_ACCURACY[Reading.FER2013]:g} for FER-2013's label.",
            )
    names = member_names(model)
    if len(names) > 1 and publish_to is not None:
        raise ConfigError(
            "An ensemble has no file to publish.",
            hint="Publish its networks, then calibrate the ensemble there with --weights.",
        )
    folder = weights_dir or SHIPPED_DIR
    specs = {name: read_spec(name, folder) for name in names}
    faces = read_faces(data.sources, Split.VALIDATION)
    networks = {
        name: load_network(spec, engine=Engine(engine), device=Device(device))
        for name, spec in specs.items()
    }
    logits = {name: network.logits(faces.images) for name, network in networks.items()}
    shares = {model: 1.0}
    if len(names) > 1:
        answers = [
            specs[name].calibrations[Reading.FER2013].probabilities(logits[name]) for name in names
        ]
        fitted = fit_ensemble_weights(np.stack(answers), encode_labels(faces.labels))
        shares = dict(zip(names, map(float, fitted), strict=True))
    members = {name: Member(each, each.spec.calibrations) for name, each in networks.items()}
    combined = EmotionModel(members, shares, {})
    rows = combined.combine(logits)
    one_hot = encode_labels(faces.labels)
    reports = {Reading.FER2013: _calibrate(rows, one_hot, target_accuracy[Reading.FER2013])}
    if rows.ndim == 3:
        reports[Reading.PEOPLE] = _calibrate_people(
            combined, rows, faces, data, target_accuracy[Reading.PEOPLE]
        )
    stored = {each: reports.get(each, reports[Reading.FER2013]).calibration for each in Reading}
    entry = {
        **({"weights": shares} if len(names) > 1 else {}),
        "calibrations": {str(each): dataclasses.asdict(stored[each]) for each in Reading},
        "calibrated_on": {
            "data": describe_data(faces.names, data.sources),
            "n": {str(each): report.n for each, report in reports.items()},
            "votes": data.votes.name if data.votes else None,
            "photos": data.photos.name if data.photos else None,
            "target_accuracy": {str(each): target_accuracy[each] for each in reports},
        },
        "metrics": {},
    }
    update_model(folder, model, entry)
    if publish_to is not None:
        publish(model, folder, publish_to)
    return CalibrationReport(reports, shares if len(names) > 1 else {})


def _calibrate_people(
    model: EmotionModel,
    logits: Float32Array,
    faces: FaceSet,
    data: CalibrationData,
    target_accuracy: float,
) -> ReadingReport:
    if data.votes is None:
        raise ConfigError(
            "What people would see can only be calibrated with their votes.",
            hint="Give FER+'s file with --votes.",
        )
    crowd = read_vote_shares(faces, data.votes, VOTES_TO_COUNT).astype(np.float64)
    voted = crowd.sum(axis=1) > 0
    if not voted.any():
        raise DataError(
            f"No face has {VOTES_TO_COUNT} votes for one of the seven emotions.",
            hint=f"'{data.votes.name}' must name the images in --data.",
        )
    share = DEFAULT_CROWD_SHARE
    if data.photos is not None:
        crops, labels = read_photo_faces(data.photos)
        share = fit_crowd_share(model.logits(crops), labels)
    return _calibrate(logits[voted], crowd[voted], target_accuracy, share)


def _calibrate(
    logits: Float32Array, targets: Probabilities, target_accuracy: float, crowd_share: float = 0.0
) -> ReadingReport:
    calibration = fit_calibration(logits, targets, target_accuracy, crowd_share)
    before = Calibration(crowd_share=crowd_share).probabilities(logits)
    after = calibration.probabilities(logits)
    return ReadingReport(
        calibration=calibration,
        n=len(targets),
        nll_before=compute_cross_entropy(before, targets),
        nll_after=compute_cross_entropy(after, targets),
        ece_before=compute_share_error(before, targets),
        ece_after=compute_share_error(after, targets),
    )


def fit_calibration(
    logits: Float32Array,
    targets: Probabilities,
    target_accuracy: float = TARGET_ACCURACY[Reading.FER2013],
    crowd_share: float = 0.0,
) -> Calibration:
    """Return the calibration that fits ``logits`` to (N, 7) ``targets``, N at least 1.

    Targets are one-hot labels or shares of votes. Smoothing is removed only if that raises the
    likelihood by more than one more parameter must (Schwarz 1978). An answer is right if no
    emotion has a larger share of the target.
    """
    candidates = [
        Calibration(
            fit_temperature(logits, targets, smoothing, crowd_share),
            smoothing=smoothing,
            crowd_share=crowd_share,
        )
        for smoothing in (0.0, *_SMOOTHINGS)
    ]
    losses = [compute_cross_entropy(each.probabilities(logits), targets) for each in candidates]
    size, best = len(targets), int(np.argmin(losses))
    gain = losses[0] - losses[best]
    chosen = candidates[best if gain > math.log(size) / (2 * size) else 0]
    probabilities = chosen.probabilities(logits)
    correct = score_against_crowd(probabilities, targets)["agreement"] > 0
    level = find_certain_level(probabilities.max(axis=1), correct, target_accuracy)
    with_level = dataclasses.replace(chosen, certain_from=level)
    certain = with_level.is_certain(probabilities)
    return dataclasses.replace(
        with_level,
        coverage=float(certain.mean()),
        selective_accuracy=float(correct[certain].mean()) if certain.any() else None,
    )


def fit_temperature(
    logits: Float32Array,
    targets: Probabilities,
    smoothing: float = 0.0,
    crowd_share: float = 0.0,
    weights: NDArray[np.float64] | None = None,
) -> float:
    """Return the temperature with the least cross-entropy with (N, 7) ``targets``.

    This is Guo et al.'s (2017) temperature scaling where targets are one-hot. The loss is convex
    in 1 / T, so it has one minimum, which a bounded search over log T finds. The result is at the
    bound if all temperatures are equally good, or smaller ones always better. ``weights`` are (N,).
    """
    low, high = (math.log(bound) for bound in _TEMPERATURES)

    def loss(log: float) -> float:
        calibration = Calibration(math.exp(log), smoothing=smoothing, crowd_share=crowd_share)
        return compute_cross_entropy(calibration.probabilities(logits), targets, weights)

    return math.exp(float(minimize_scalar(loss, bounds=(low, high), method="bounded").x))


def fit_crowd_share(logits: Float32Array, labels: Labels) -> float:
    """Return the share of the crowd head with which labels of natural photos are most likely.

    ``logits`` are (N, 2, 7). Photos are weighted so that frequent labels count more, see
    :data:`NATURAL_POWER`. Each share is tried with the temperature that fits it best.
    """
    targets = encode_labels(labels)
    weights = weigh_by_natural_shares(labels, NATURAL_POWER)

    def loss(share: float) -> float:
        degree = fit_temperature(logits, targets, crowd_share=share, weights=weights)
        rows = Calibration(degree, crowd_share=share).probabilities(logits)
        return compute_cross_entropy(rows, targets, weights)

    return min(_CROWD_SHARES, key=loss)


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
    probabilities: NDArray[np.float64], targets: Probabilities
) -> NDArray[np.float64]:
    """Return (M,) weights of the members that make the targets most likely; they sum to one.

    ``probabilities`` are (M, N, C), those of each member; ``targets`` are (N, C) one-hot labels or
    shares of votes.

    The likelihood of a mixture is concave in its weights, so expectation maximisation (Dempster
    et al. 1977) finds the best ones. The weights are equal unless other ones raise the likelihood
    by more than the additional parameters must (Schwarz 1978).
    """
    members, size = probabilities.shape[:2]
    equal = np.full(members, 1 / members)
    given = np.maximum(probabilities[:, targets > 0], np.finfo(np.float64).tiny)
    counts = targets[targets > 0]
    shares = equal
    for _ in range(_ROUNDS):
        parts = shares[:, None] * given
        shares = np.average(parts / parts.sum(axis=0), axis=1, weights=counts)
    shares = np.maximum(shares, LEAST)
    shares /= shares.sum()
    gains = np.log(shares @ given) - np.log(equal @ given)
    gain = float(np.average(gains, weights=counts))
    return shares if gain > (members - 1) * math.log(size) / (2 * size) else equal
