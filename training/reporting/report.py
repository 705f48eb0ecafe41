"""Writing the report's documents and figures from the artefacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core import __version__
from core.errors import DataError
from core.files import atomic_write

from ..evaluation.release_gate import read_limits
from .artefacts import MANIFEST, Value, find_other_weights, read_artefacts
from .diagram import ROOT
from .filters import remove_marks
from .illustrations import DEFAULT_MODEL, draw_illustrations
from .measures import ELSEWHERE, MEASURES, format_command_for_all
from .model_card import describe_start, list_runs
from .page import render_page
from .rendering import render_text

RESULTS = ROOT / "docs" / "results"
"""The folder of the measured artefacts."""
PICTURES = Path("images", "report")
"""Where a document looks for its figures."""
DOCUMENTS = ("report.md", "ethics.md")
PAGE = "photo-emotion-report.html"
"""The report as one HTML file that needs no other."""
_REQUIRED = "metrics_publictest"
"""The artefact without which there is no report."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was written."""

    files: tuple[Path, ...]
    outdated: Mapping[str, tuple[str, ...]]
    """Artefacts that were measured with other weights than ship, with the networks concerned."""
    absent: tuple[str, ...]
    """Artefacts that the report shows and that are not measured yet."""


def write_report(out: Path, *, results: Path = RESULTS, weights: Path = ROOT / "weights") -> Report:
    """Write the documents and figures into ``out``; DataError if nothing was measured."""
    artefacts = read_artefacts(results, weights)
    hint = next(each.format_command() for each in MEASURES if each.artefact == _REQUIRED)
    if _REQUIRED not in artefacts:
        raise DataError("No results are measured yet, so there is nothing to report.", hint=hint)
    if not all(each.get("people") for each in artefacts[_REQUIRED]["models"].values()):
        raise DataError("What people would see is not measured yet.", hint=hint)
    pictures = draw_illustrations(artefacts)
    documents = {name: render_document(name, artefacts) for name in DOCUMENTS}
    files: dict[Path, str] = {
        **{out / PICTURES / f"{name}.svg": picture for name, picture in pictures.items()},
        **{out / name: remove_marks(marked) for name, marked in documents.items()},
        out / PAGE: render_page(documents[DOCUMENTS[0]], pictures, datetime.now(UTC).date()),
    }
    for path, text in files.items():
        atomic_write(path, text.encode())
    stale = {
        name: tuple(find_other_weights(value, artefacts[MANIFEST]))
        for name, value in artefacts.items()
        if name in {each.artefact for each in MEASURES}
    }
    return Report(
        tuple(files),
        {name: networks for name, networks in stale.items() if networks},
        tuple(each.artefact for each in MEASURES if each.artefact not in artefacts),
    )


def render_document(name: str, artefacts: Mapping[str, Value]) -> str:
    """Return the document ``name`` as Markdown whose numbers are marked with their source."""
    return render_text(
        f"{name}.j2",
        **artefacts,
        version=__version__,
        default_model=DEFAULT_MODEL,
        elsewhere={each.artefact: each for each in ELSEWHERE},
        measures={each.artefact: each for each in MEASURES},
        measured=frozenset(artefacts),
        pictures=PICTURES.as_posix(),
        best=_find_best,
        pair=_find_pair,
        first_of=lambda value: value.values()[0],
        leaves=_list_numbers,
        everyone=lambda manifest: [*manifest["models"].values(), manifest["ensemble"]],
        exempt=_list_exempt,
        command_for_all=format_command_for_all(),
        list_runs=list_runs,
        describe_start=describe_start,
        find_other_weights=lambda value: find_other_weights(value, artefacts[MANIFEST]),
        short_ethics=(ROOT / "frontends" / "ethics.md").read_text(encoding="utf-8").strip(),
    )


def _list_exempt(slicings: Value) -> list[str]:
    """Return in words the slicings that the release gate does not check."""
    checked = read_limits().slicings
    return [str(name).replace("_", " ") for name in slicings.raw if name not in checked]


def _list_numbers(node: Value) -> list[tuple[str, Value]]:
    """Return every number in ``node`` with its keys in words, in the artefact's order."""
    found: list[tuple[str, Value]] = []
    for name, value in node.items():
        if isinstance(value.raw, dict):
            found += [(f"{name}: {inner}", each) for inner, each in _list_numbers(value)]
        elif isinstance(value.raw, int | float) and not isinstance(value.raw, bool):
            found.append((name.replace("_", " "), value))
    return [each for each in found if each[0] != "schema version"]


def _find_best(models: Value) -> str:
    """Return the name of the model that most often agrees with most people."""
    values: Mapping[str, Mapping[str, Mapping[str, float]]] = models.raw
    return max(values, key=lambda name: values[name]["people"]["agreement"])


def _find_pair(pairs: Value, first: str, second: str) -> Value | None:
    """Return the comparison of two models; None if they were not compared in this order."""
    wanted = [each for each in pairs if each["first"] == first and each["second"] == second]
    return wanted[0] if wanted else None
