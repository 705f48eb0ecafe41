"""Tables that `emotion study` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cli.tables import format_percent, format_points, make_table

if TYPE_CHECKING:
    from rich.table import Table

_MAX_GROUPS = 8
"""Groups printed for each model; the file has them all."""


def make_noise_table(name: str, figures: Mapping[str, Any]) -> Table:
    """Return a row for each kind and size of landmark error."""
    table = make_table(name, "accuracy", "against aligned", "answers changed", "certain")
    aligned = figures["aligned"]
    table.add_row(
        "aligned", format_percent(aligned, "accuracy"), "", "", f"{aligned['certain']:.1%}"
    )
    rows = [("as given", figures["as_given"])]
    for kind, levels in figures["noise"].items():
        rows += [(f"{kind} {row['error']:.0%}", row) for row in levels]
    rows += [(f"dropped in {row['share']:.0%}", row) for row in figures["dropped"]]
    for label, row in rows:
        table.add_row(
            label,
            format_percent(row, "accuracy"),
            format_points(row["against_aligned"]["accuracy"]),
            f"{row['flips']:.1%}",
            f"{row['certain']:.1%}",
        )
    return table


def make_ways_table(faces: str, report: Mapping[str, Any]) -> Table:
    """Return a row for each model and each way to cut a face out."""
    table = make_table(
        f"{report['found_by_both']:,} {faces}", "accuracy", "against mesh", "answers changed"
    )
    for name, ways in report["models"].items():
        for way, row in ways.items():
            table.add_row(
                f"{name}, {way.replace('_', ' ')}",
                format_percent(row, "accuracy"),
                format_points(row["against_mesh"]),
                f"{row['flips']:.1%}",
            )
    return table


def make_scale_table(scale: Mapping[str, Any]) -> Table:
    """Return a row for each size of the face in its crop."""
    table = make_table(
        f"{scale['found']:,} of {scale['n']:,} faces", "accuracy", "against as given"
    )
    table.add_row("as given", format_percent(scale["as_given"], "accuracy"), "")
    for row in scale["scales"]:
        difference = format_points(row["against_as_given"]["accuracy"])
        table.add_row(f"framed at {row['scale']:.2f}", format_percent(row, "accuracy"), difference)
    return table


def make_passage_table(report: Mapping[str, Any]) -> Table:
    """Return a row for each way to scale a photo's face to the network's input."""
    passage = report["passage"]
    table = make_table(
        f"{passage['faces']} photo faces",
        *("right", "NLL", "confidence", "same answer", "sharpness"),
    )
    sharpness = f"{passage['sharpness_of_training_faces'][1]:.2f}"
    table.add_row("training faces", "", "", "", "", sharpness)
    for row in passage["ways"]:
        table.add_row(
            row["way"],
            f"{row['right']} of {passage['labelled']}",
            f"{row['nll']:.3f}" if "nll" in row else "",
            f"{row['mean_confidence']:.1%}",
            f"{row['same_answer_as_through_48_px']:.1%}",
            f"{row['sharpness_quartiles'][1]:.2f}",
        )
    return table


def make_groups_table(name: str, groups: Sequence[Mapping[str, Any]]) -> Table:
    """Return a row for each of the groups with the worst answers."""
    table = make_table(f"{name}: worst groups", "faces", "accuracy", "against others, points")
    for row in groups[:_MAX_GROUPS]:
        table.add_row(
            f"{row['slicing']}: {row['group']}",
            f"{row['n']:,}",
            f"{row['accuracy']:.1%}",
            format_points(row["gap"]),
        )
    if not groups:
        table.add_row("none is significantly worse", "", "", "")
    return table


def make_degraded_table(name: str, curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """Return a row for each kind and strength of degradation."""
    table = make_table(f"{name}: degraded", "accuracy", "change, points", "certain")
    for kind, rows in curves.items():
        for row in rows[1:]:  # the first is the undegraded face
            table.add_row(
                f"{kind} {row['level']:g}",
                format_percent(row, "accuracy"),
                format_points(row["change"]),
                f"{row['certain']:.1%}",
            )
    return table


def make_ensemble_table(reading: str, figures: Mapping[str, Any]) -> Table:
    """Return a row for each network and each combination of several."""
    best = figures["best"]
    table = make_table(
        f"{reading}, {figures['n']:,} faces", "right", f"against {best}", "p", "cross-entropy"
    )
    for row in figures["ways"]:
        table.add_row(
            f"{' + '.join(row['members'])}, {row['combined']}",
            format_percent(row, "agreement"),
            format_points(row["against_best"]),
            f"{row['p']:.3f}",
            f"{row['loss']:.3f}",
        )
    return table


def make_flip_table(name: str, entries: Sequence[Mapping[str, Any]]) -> Table:
    """Return a row for each limit below which the mirror image is used."""
    readings = list(entries[0]["readings"])
    headings = (f"{reading}, {what}" for reading in readings for what in ("right", "other answers"))
    table = make_table(f"{name}: limit", "faces", *headings)
    for entry in entries:
        cells = []
        for reading in readings:
            figures = entry["readings"][reading]
            cells.append(f"{figures['agreement']:.2%}")
            cells.append(f"{figures['other_answers']:.2%}")
        table.add_row(f"{entry['limit']:g}", f"{entry['share']:.0%}", *cells)
    return table
