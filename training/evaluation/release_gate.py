"""Whether weights may be released: no group of faces, and no emotion, far behind the others."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from core.errors import ConfigError, DataError
from core.files import read_json, read_text
from core.weights import SHIPPED_DIR, read_models

GATE_FILE = Path(__file__).resolve().parent / "release_gate.toml"
RESULTS_FILE = SHIPPED_DIR.parent / "docs" / "results" / "robustness.json"
"""The report on the shipped weights."""
_SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the gate; explained in ``release_gate.toml``."""

    slicings: tuple[str, ...]
    least_faces: int
    worst_gap: float
    overconfidence: float
    class_recall: float


@dataclass(frozen=True, slots=True)
class Breach:
    """One limit that a model exceeds."""

    model: str
    what: str
    measured: float
    limit: float


def check_release(
    report_file: Path = RESULTS_FILE,
    *,
    limits_file: Path = GATE_FILE,
    weights_dir: Path | None = None,
) -> tuple[Breach, ...]:
    """Return every limit that the weights in ``weights_dir`` exceed; none means a pass.

    DataError if ``report_file`` is not a robustness report, or was not measured on these weights:
    every trained model must be in it, with its checksums.
    """
    limits = read_limits(limits_file)
    try:
        report = read_json(report_file)
        models: Mapping[str, Any] = report["models"]
        measured = {name: metrics["weights_sha256"] for name, metrics in models.items()}
        found = [
            breach
            for name, metrics in models.items()
            for breach in _find_breaches(name, metrics, limits)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"'{report_file.name}' is not a report of the robustness study.",
            hint="Make one: emotion study robustness --data DIR_OR_ZIP --out DIR",
        ) from error
    for name, spec in read_models(weights_dir or SHIPPED_DIR).items():
        if measured.get(name) != spec.weights_sha256:
            raise DataError(
                f"'{report_file.name}' was not measured on these weights of {name}.",
                hint="Measure again: emotion study robustness --data DIR_OR_ZIP --out DIR",
            )
    return tuple(found)


def read_limits(path: Path = GATE_FILE) -> Limits:
    """Return the limits in a TOML file; ConfigError if one is missing, unknown or not a number."""
    try:
        values = tomllib.loads(read_text(path))
        given: dict[str, Any] = {
            "slicings": tuple(map(str, values.pop("slicings"))),
            "least_faces": int(values.pop("least_faces")),
            **{name: float(value) for name, value in values.items()},
        }
        return Limits(**given)
    except (OSError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ConfigError(
            f"'{path.name}' does not hold the limits of a release gate ({error}).",
            hint="Needed: " + ", ".join(field.name for field in fields(Limits)) + ".",
        ) from error


def _find_breaches(name: str, metrics: Mapping[str, Any], limits: Limits) -> Iterator[Breach]:
    for emotion, figures in metrics["overall"]["per_class"].items():
        if figures["support"] and figures["recall"] < limits.class_recall:
            yield Breach(name, f"recall of {emotion}", figures["recall"], limits.class_recall)
    for slicing in limits.slicings:
        for row in metrics["slices"][slicing]:
            if row["n"] < limits.least_faces:
                continue
            place = f"{slicing}: {row['group']}"
            promise = row["overconfidence"]
            if abs(promise) > limits.overconfidence:
                yield Breach(name, f"overconfidence at {place}", promise, limits.overconfidence)
            gap = row.get("gap")
            if gap and gap["value"] < -limits.worst_gap and gap["q"] <= _SIGNIFICANT:
                yield Breach(name, f"gap at {place}", gap["value"], -limits.worst_gap)
