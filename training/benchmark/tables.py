"""Reports of the benchmark as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import DataError
from core.files import read_json


def format_benchmark_tables(report: Mapping[str, Any]) -> str:
    """Return the report of `emotion bench --out FILE.json` as tables, ratios first."""
    answers = report["whole"]
    machine, photos = report["machine"], report["photos"]
    source = f"{photos['count']} {photos['from']} photos, median side {photos['median_px']} px"
    parts = [
        f"{source}; {machine['processor']}, {machine['threads']} threads.",
        _format_table(
            ["whole answer", "times faster", "p50, ms", "p95, ms", "photos/s", "faces/s"],
            [_make_answer_row(name, report) for name in answers],
        ),
    ]
    stages = {
        stage: {name: times["p50_ms"] for name, times in by_name.items()}
        for stage, by_name in report["stages"].items()
    }
    for heading, rows in (
        ("stage, p50 ms", stages),
        ("longer side, px", report["by_size"]),
        ("faces at 1024 px", report["by_faces"]),
        ("peak memory, MB", {"one photo": report["peak_mb"]} if "peak_mb" in report else {}),
    ):
        if rows:
            table = [
                [label, *(_format_number(values[name]) for name in answers)]
                for label, values in rows.items()
            ]
            parts.append(_format_table([heading, *answers], table))
    if "startup_s" in report:
        seconds = [[name, f"{value:.2f}"] for name, value in report["startup_s"].items()]
        parts.append(_format_table(["from a cold process", "seconds"], seconds))
    return "\n\n".join(parts) + "\n"


def read_benchmark(file: Path) -> dict[str, Any]:
    """Return what `emotion bench --out` wrote to ``file``; DataError if it is something else."""
    try:
        report: dict[str, Any] = read_json(file)
        format_benchmark_tables(report)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"'{file.name}' does not hold the figures of a benchmark ({reason}).",
            hint="Give the file that `emotion bench --out FILE.json` writes.",
        ) from error
    return report


def format_precision_rows(comparison: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """Return the rows of `emotion bench --precision`: a name, then a value for each precision."""
    return [
        [name, *(format(scale * row[key], style) for row in comparison.values())]
        for name, key, scale, style in (
            ("accuracy, %", "accuracy", 100, ".2f"),
            ("macro-F1, %", "macro_f1", 100, ".2f"),
            ("calibration error, %", "ece", 100, ".2f"),
            ("other answers", "other_answers", 1, ","),
            ("ms for one face", "ms_per_face", 1, ".2f"),
            ("faces a second", "faces_per_s", 1, ",.0f"),
        )
    ]


def format_precision_table(comparison: Mapping[str, Mapping[str, float]]) -> str:
    """Return the comparison of `emotion bench --precision` as Markdown."""
    return _format_table(["MobileNetV2", *comparison], format_precision_rows(comparison)) + "\n"


def _make_answer_row(name: str, report: Mapping[str, Any]) -> list[str]:
    times, batch = report["whole"][name], report.get("batch", {}).get(name, {})
    return [
        f"{name} (default)" if name == report["default"] else name,
        f"{report['ratios'].get(name, 1):.1f}",
        _format_number(times["p50_ms"]),
        _format_number(times["p95_ms"]),
        *(_format_number(batch[key]) if batch else "" for key in ("photos_per_s", "faces_per_s")),
    ]


def _format_number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _format_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---", *("---:" for _ in headings[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
