"""Publishing a measured check with its model card, and the tables of its figures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import ConfigError, DataError
from core.faces.covered import NAME
from core.files import atomic_write, read_json
from core.weights import SHIPPED_DIR, read_check

from ..learning.export import read_entry, update_check
from ..reporting.rendering import render_text


def publish_check(source: Path | None, destination: Path, report: Mapping[str, Any]) -> None:
    """Copy the check's verified weights and manifest entry, and write its card from ``report``.

    ConfigError if the report lacks what the card says, or is about other weights.
    """
    source = source or SHIPPED_DIR
    stored = read_check(NAME, source)
    if stored.sha256 != report["sha256"]:
        raise ConfigError("The figures are of other weights.", hint="Measure these weights again.")
    if not (report["drawn"] and report["uncovered"] and report["answers"]):
        raise ConfigError(
            "The model card needs figures that were not measured.",
            hint="Give --photos, --uncovered, --data and --votes.",
        )
    if os.path.realpath(source) != os.path.realpath(destination):
        atomic_write(destination / stored.file.name, stored.read_verified())
        update_check(destination, NAME, read_entry(source, NAME, "checks"))
    atomic_write(destination / f"{NAME}.md", format_check_card(destination, report).encode())


def format_check_card(directory: Path, report: Mapping[str, Any]) -> str:
    """Return the card of the check in ``directory``, with the figures of ``report``."""
    return render_text(
        "check_card.md.j2",
        name=NAME,
        stored=read_check(NAME, directory),
        tables=format_covered_tables(report),
    )


def format_covered_tables(report: Mapping[str, Any]) -> str:
    """Return Markdown tables of what `emotion covered evaluate` measured."""
    return render_text("covered.md.j2", report=report)


def read_report(file: Path) -> dict[str, Any]:
    """Return a report of `emotion covered evaluate`; DataError if ``file`` is something else."""
    try:
        report: dict[str, Any] = read_json(file)
        if not {"sha256", "drawn", "uncovered", "answers", "negatives"} <= report.keys():
            raise ValueError("figures are missing")
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(
            f"'{file.name}' does not hold the figures of the check ({error}).",
            hint="Give the covered.json that `emotion covered evaluate` writes.",
        ) from error
    return report
