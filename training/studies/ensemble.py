"""Which combination of the networks is worth its time.

``ensemble.json`` has for each reading the number of faces ``n`` and, under ``ways``, each network
alone, and every combination of two or more with ``equal`` shares, with shares ``fitted`` to make
the answers most likely, and with a ``stacked`` logistic regression on all members' logarithms of
probabilities. What is fitted is fitted on one half of the faces and measured on the other, and the
other way round. Each way has ``agreement`` (the share of right answers: FER-2013's label, or the
crowd's first choice), ``loss`` (cross-entropy with labels or votes, in nats) and, against the
``best`` single network, the difference in agreement with a paired interval and McNemar's p.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression

from core.classifiers import member_names
from core.classifiers.network import load_network
from core.config import Device, Engine
from core.files import write_json
from core.weights import SHIPPED_DIR, read_spec

from ..data.faces import read_faces
from ..data.splits import Split, describe_data
from ..evaluation.calibrate import fit_ensemble_weights
from ..evaluation.crowd import compute_cross_entropy, score_against_crowd
from ..evaluation.intervals import percentile_interval, resample_means
from ..evaluation.metrics import Probabilities
from ..evaluation.paired import compute_mean_difference
from .studied_models import read_targets

_FOLDS = 2
_PENALTY = 0.1
"""Inverse strength of the stacking's regularisation, scikit-learn's C."""
_LEAST = 1e-6
"""Smaller probabilities count as this in the stacking."""

Combine = Callable[[Probabilities, Probabilities, Probabilities], Probabilities]
"""From (M, N, 7) answers and (N, 7) targets to learn from, and (M, K, 7) answers to combine."""


def study_ensemble(
    sources: Sequence[Path],
    votes: Path,
    directory: Path,
    *,
    weights_dir: Path | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> Mapping[str, Any]:
    """Compare the networks and their combinations on validation faces with ``votes``.

    Writes ensemble.json and returns its content. DataError for faces without votes.
    """
    faces = read_faces(sources, Split.VALIDATION)
    specs = {name: read_spec(name, weights_dir or SHIPPED_DIR) for name in member_names("ensemble")}
    targets = read_targets(faces, votes)
    logits = {}
    for name, spec in specs.items():
        progress(f"{name} …")
        network = load_network(spec, engine=Engine.AUTO, device=Device.AUTO)
        logits[name] = network.logits(faces.images)
    readings = {}
    for reading, wanted in targets.items():
        known = wanted.sum(axis=1) > 0
        answers = {
            name: spec.calibrations[reading].probabilities(logits[name][known])
            for name, spec in specs.items()
        }
        readings[str(reading)] = _compare(answers, wanted[known])
    report = {
        "schema_version": 1,
        "data": describe_data(faces.names, sources),
        "votes": votes.name,
        "weights_sha256": {name: spec.sha256 for name, spec in specs.items()},
        "readings": readings,
    }
    write_json(directory / "ensemble.json", report)
    return report


def _compare(answers: Mapping[str, Probabilities], targets: Probabilities) -> dict[str, Any]:
    ways = dict(_list_ways(answers, targets))
    right = {
        way: score_against_crowd(rows, targets)["agreement"] for way, (_, _, rows) in ways.items()
    }
    best = max(answers, key=lambda name: right[name].mean())
    entries = []
    for way, (members, combined_by, rows) in ways.items():
        gap = compute_mean_difference(right[way], right[best])
        gained, lost = (
            int((right[way] > right[best]).sum()),
            int((right[way] < right[best]).sum()),
        )
        entries.append(
            {
                "members": members,
                "combined": combined_by,
                "agreement": float(right[way].mean()),
                "agreement_interval": list(percentile_interval(resample_means(right[way]))),
                "loss": compute_cross_entropy(rows, targets),
                "against_best": {"value": gap.value, "interval": list(gap.interval)},
                "p": float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0,
            }
        )
    return {"n": len(targets), "best": best, "ways": entries}


def _list_ways(
    answers: Mapping[str, Probabilities], targets: Probabilities
) -> Iterator[tuple[str, tuple[list[str], str, Probabilities]]]:
    """Yield each way by a name of its own: its members, how they are combined, and its answers."""
    for name, rows in answers.items():
        yield name, ([name], "alone", rows)
    for count in range(2, len(answers) + 1):
        for members in combinations(answers, count):
            stack = np.stack([answers[name] for name in members])
            for how, combine in _COMBINATIONS.items():
                rows = _answer_out_of_fold(combine, stack, targets)
                yield f"{how} {members}", (list(members), how, rows)


def _answer_out_of_fold(
    combine: Combine, answers: Probabilities, targets: Probabilities
) -> Probabilities:
    """Return (N, 7) answers, each by what was learned from the other part of the faces."""
    fold = np.random.default_rng(0).permutation(len(targets)) % _FOLDS
    combined: Probabilities = np.empty_like(answers[0])
    for number in range(_FOLDS):
        inside, outside = fold == number, fold != number
        combined[inside] = combine(answers[:, outside], targets[outside], answers[:, inside])
    return combined


def _average(_known: Probabilities, _targets: Probabilities, new: Probabilities) -> Probabilities:
    return np.asarray(new.mean(axis=0))


def _weigh(known: Probabilities, targets: Probabilities, new: Probabilities) -> Probabilities:
    return np.asarray(np.tensordot(fit_ensemble_weights(known, targets), new, axes=1))


def _stack(known: Probabilities, targets: Probabilities, new: Probabilities) -> Probabilities:
    """Learn from the votes as from that many labels of the same face."""
    rows, emotions = np.nonzero(targets)
    regression = LogisticRegression(C=_PENALTY, max_iter=1000)
    regression.fit(_take_logarithms(known)[rows], emotions, sample_weight=targets[rows, emotions])
    combined = np.zeros(new.shape[1:])
    combined[:, regression.classes_] = regression.predict_proba(_take_logarithms(new))
    return combined


def _take_logarithms(answers: Probabilities) -> NDArray[np.float64]:
    """Return (N, 7 M) from (M, N, 7)."""
    return np.asarray(np.log(np.maximum(np.concatenate(list(answers), axis=1), _LEAST)))


_COMBINATIONS: Mapping[str, Combine] = {"equal": _average, "fitted": _weigh, "stacked": _stack}
