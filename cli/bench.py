"""`emotion bench`: measure speed on this computer, compared with a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.tables import make_table, print_tables
from cli.terminal import print_written
from core import Output, check_output_folder, check_outputs, contains, write_json


def bench(
    *,
    photos: Annotated[
        Path | None,
        typer.Option(
            "--photos",
            metavar="DIR_OR_ZIP",
            help="Photos to measure with.  [default: generated ones]",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.json", help="Write all figures.")
    ] = None,
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, help="Each time is the median of so many rounds.")
    ] = 5,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Leave out batch runs, memory and start-up time."),
    ] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(
            "--markdown", metavar="FILE.json", help="Print an earlier run's figures as Markdown."
        ),
    ] = None,
    overwrite: options.OverwriteOption = False,
    precision: Annotated[
        list[Path] | None,
        typer.Option(
            "--precision",
            metavar="DIR_OR_ZIP",
            help="Instead, compare float32, bfloat16 and int8 on labelled faces.",
        ),
    ] = None,
    curves: Annotated[
        Path | None,
        typer.Option(
            "--curves",
            metavar="DIR",
            help="Instead, plot how time and memory grow; takes some minutes.",
        ),
    ] = None,
) -> None:
    """Measure speed on this computer, compared with a baseline.

    The baseline is facenet-pytorch's MTCNN, a face mesh for each face and torchvision's network in
    eager torch, measured in turn with this project on the same photos.
    """
    from training.benchmark.curves import draw_curves
    from training.benchmark.run import run_benchmark
    from training.benchmark.tables import format_benchmark_tables, read_benchmark

    def print_step(step: str) -> None:
        typer.echo(f"{step} …", err=True)

    _check_output(out, [photos, markdown, *(precision or ())], overwrite=overwrite)
    if markdown is not None:
        typer.echo(format_benchmark_tables(read_benchmark(markdown)), nl=False)
        return
    if precision:
        _compare_precisions(precision, out)
        return
    if curves is not None:
        check_output_folder("--curves", curves, [])
        for file in draw_curves(curves, progress=print_step):
            print_written(file)
        return
    report = run_benchmark(photos, out=out, rounds=rounds, whole=not quick, progress=print_step)
    _print_report(report)
    if out is not None:
        print_written(out)


def _compare_precisions(faces: list[Path], out: Path | None) -> None:
    from training.benchmark.precision import compare_precisions
    from training.benchmark.tables import format_precision_rows

    comparison = compare_precisions(faces)
    print_tables(make_table("MobileNetV2", *comparison, rows=format_precision_rows(comparison)))
    if out is not None:
        write_json(out, comparison)
        print_written(out)


def _check_output(out: Path | None, inputs: Sequence[Path | None], *, overwrite: bool) -> None:
    if out is not None:
        written = [Output("--out", out, is_ours=_is_our_result)]
        check_outputs(written, filter(None, inputs), overwrite=overwrite, makes_folders=True)


def _is_our_result(path: Path) -> bool:
    return contains(b'"machine"')(path) or contains(b'"float32"')(path)


def _print_report(report: Mapping[str, Any]) -> None:
    whole = report["whole"]
    table = make_table(
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
    tables = [table]
    stages = {
        stage: {way: times["p50_ms"] for way, times in by_way.items()}
        for stage, by_way in report["stages"].items()
    }
    for heading, by_name in (
        ("Stage, median ms", stages),
        ("Longer side, px", report["by_size"]),
        ("Faces at 1024 px", report["by_faces"]),
    ):
        rows = [
            (name, *(f"{values[way]:.1f}" for way in whole)) for name, values in by_name.items()
        ]
        tables.append(make_table(heading, *whole, rows=rows))
    if "peak_mb" in report:
        peaks = ("peak memory, MB", *(f"{report['peak_mb'][way]:,}" for way in whole))
        tables.append(make_table("", *whole, rows=[peaks]))
    print_tables(*tables)
    for name, seconds in report.get("startup_s", {}).items():
        typer.echo(f"{name}: {seconds:.2f} s")
    machine, photos = report["machine"], report["photos"]
    typer.echo(
        f"{photos['count']} {photos['from']} photos, median side {photos['median_px']} px; "
        f"{machine['processor']}, {machine['threads']} threads."
    )
