"""What a run measured, as Markdown for a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def format_benchmark_tables(report: Mapping[str, Any]) -> str:
    """The figures of `emotion bench --out FILE.json`, ratios first."""
    whole = report["whole"]
    used, photos = report["machine"], report["photos"]
    measured = f"{photos['count']} {photos['from']} photos, median side {photos['median_px']} px"
    parts = [
        f"{measured}; {used['processor']}, {used['threads']} threads.",
        _table(
            ["whole answer", "times faster", "p50, ms", "p95, ms", "photos/s", "faces/s"],
            [_whole(way, report) for way in whole],
        ),
    ]
    stages = {
        stage: {way: each["p50_ms"] for way, each in some.items()}
        for stage, some in report["stages"].items()
    }
    for heading, rows in (
        ("stage, p50 ms", stages),
        ("longer side, px", report["by_size"]),
        ("faces at 1024 px", report["by_faces"]),
        ("peak memory, MB", {"one photo": report["peak_mb"]} if "peak_mb" in report else {}),
    ):
        if rows:
            table = [
                [name, *(_number(values[way]) for way in whole)] for name, values in rows.items()
            ]
            parts.append(_table([heading, *whole], table))
    if "startup_s" in report:
        seconds = [[name, f"{value:.2f}"] for name, value in report["startup_s"].items()]
        parts.append(_table(["from a cold process", "seconds"], seconds))
    return "\n\n".join(parts) + "\n"


def format_precision_rows(told: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """What `emotion bench --precision` compared: a name, then a value for each precision."""
    return [
        *(
            [f"{name}, %", *(f"{100 * each[key]:.2f}" for each in told.values())]
            for name, key in (
                ("accuracy", "accuracy"),
                ("macro-F1", "macro_f1"),
                ("calibration error", "ece"),
            )
        ),
        ["other answers", *(f"{each['other_answers']:,}" for each in told.values())],
        ["ms for one face", *(f"{each['ms_per_face']:.2f}" for each in told.values())],
        ["faces a second", *(f"{each['faces_per_s']:,.0f}" for each in told.values())],
    ]


def format_precision_table(told: Mapping[str, Mapping[str, float]]) -> str:
    """The same as Markdown."""
    return _table(["MobileNetV2", *told], format_precision_rows(told)) + "\n"


def _whole(way: str, report: Mapping[str, Any]) -> list[str]:
    figures, batch = report["whole"][way], report.get("batch", {}).get(way, {})
    return [
        f"{way} (default)" if way == report["default"] else way,
        f"{report['ratios'].get(way, 1):.1f}",
        _number(figures["p50_ms"]),
        _number(figures["p95_ms"]),
        *(_number(batch[name]) if batch else "" for name in ("photos_per_s", "faces_per_s")),
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---", *("---:" for _ in headings[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
