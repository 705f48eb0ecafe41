"""`emotion bench`: how fast answers come here, beside the obvious implementation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.figures import figures_table


def bench(
    *,
    photos: Annotated[
        Path | None,
        typer.Option(
            "--photos", metavar="DIR_OR_ZIP", help="Photos to measure with; else generated ones."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.json", help="Write every figure.")
    ] = None,
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, help="Each time is the median of so many.")
    ] = 5,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Leave out batch, memory and starting."),
    ] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(
            "--markdown", metavar="FILE.json", help="Print an earlier run's figures as Markdown."
        ),
    ] = None,
    precision: Annotated[
        list[Path] | None,
        typer.Option(
            "--precision",
            metavar="DIR_OR_ZIP",
            help="Compare float32, bfloat16 and int8 on labelled faces instead.",
        ),
    ] = None,
    curves: Annotated[
        Path | None,
        typer.Option(
            "--curves", metavar="DIR", help="Measure and draw how cost grows instead; minutes."
        ),
    ] = None,
) -> None:
    """Measure how long answers take here, as ratios to the obvious implementation.

    That is facenet-pytorch's MTCNN, a face mesh for each face and torchvision's network in eager
    torch, measured in turns with this project, on the same photos.
    """
    from training.benchmark.curves import draw_curves
    from training.benchmark.precision import compare_precisions
    from training.benchmark.run import run_benchmark
    from training.benchmark.tables import format_benchmark_tables

    def tell(what: str) -> None:
        typer.echo(f"{what} …", err=True)

    if markdown is not None:
        typer.echo(
            format_benchmark_tables(json.loads(markdown.read_text(encoding="utf-8"))), nl=False
        )
        return
    if precision:
        compared = compare_precisions(precision)
        _show_precisions(compared)
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(compared, indent=2) + "\n", encoding="utf-8")
            typer.echo(f"Wrote {out}", err=True)
        return
    if curves is not None:
        for written in draw_curves(curves, tell=tell):
            typer.echo(f"Wrote {written}", err=True)
        return
    told = run_benchmark(photos, out=out, rounds=rounds, whole=not quick, tell=tell)
    _show(told.report)
    if told.file is not None:
        typer.echo(f"Wrote {told.file}", err=True)


def _show(report: Mapping[str, Any]) -> None:
    from rich.console import Console

    console = Console()
    whole = report["whole"]
    table = figures_table(
        "Whole answer", "times faster", "median, ms", "95 %, ms", "photos/s in batch", "faces/s"
    )
    for way, figures in whole.items():
        batch = report.get("batch", {}).get(way, {})
        table.add_row(
            f"{way} (default)" if way == report["default"] else way,
            f"{report['ratios'].get(way, 1):.1f}",
            f"{figures['p50_ms']:.1f}",
            f"{figures['p95_ms']:.1f}",
            *(str(batch.get(name, "")) for name in ("photos_per_s", "faces_per_s")),
        )
    console.print(table)
    by_way = {
        "Stage, median ms": {
            stage: {way: each["p50_ms"] for way, each in some.items()}
            for stage, some in report["stages"].items()
        },
        "Longer side, px": report["by_size"],
        "Faces at 1024 px": report["by_faces"],
    }
    for heading, rows in by_way.items():
        table = figures_table(heading, *whole)
        for name, values in rows.items():
            table.add_row(name, *(f"{values[way]:.1f}" for way in whole))
        console.print()
        console.print(table)
    if "peak_mb" in report:
        table = figures_table("", *whole)
        table.add_row("peak memory, MB", *(f"{report['peak_mb'][way]:,}" for way in whole))
        console.print()
        console.print(table)
    for name, seconds in report.get("startup_s", {}).items():
        typer.echo(f"{name}: {seconds:.2f} s")
    used, photos = report["machine"], report["photos"]
    typer.echo(
        f"{photos['count']} {photos['from']} photos, median side {photos['median_px']} px; "
        f"{used['processor']}, {used['threads']} threads."
    )


def _show_precisions(told: Mapping[str, Mapping[str, float]]) -> None:
    from rich.console import Console

    from training.benchmark.tables import format_precision_rows

    table = figures_table("MobileNetV2", *told)
    for row in format_precision_rows(told):
        table.add_row(*row)
    Console().print(table)
