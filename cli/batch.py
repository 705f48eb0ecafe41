"""`emotion batch`: analyze every photo in a folder and write one table."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.stopping import handle_stop_signals
from cli.terminal import has_terminal, print_written
from core import (
    BatchEngine,
    Device,
    InputError,
    OperatingPoint,
    Preset,
    ProjectError,
    Reading,
)

if TYPE_CHECKING:
    from core import BatchProgress, BatchSummary

FreshOption = Annotated[
    bool,
    typer.Option(
        "--fresh/--resume", help="Start over, or continue an earlier run with the same options."
    ),
]
JsonProgressOption = Annotated[
    bool,
    typer.Option(
        "--json-progress",
        help="Print progress, counts and errors as JSON lines, for other programs.",
    ),
]


def batch(
    directory: Annotated[
        str,
        typer.Argument(
            metavar="DIR", help="Folder with photos; also in an object store: s3://bucket/photos."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Table to write: results.parquet, .csv or .jsonl.")
    ],
    *,
    model: options.ModelOption = options.DEFAULT_MODEL,
    detector: options.DetectorOption = None,
    reading: options.ReadingOption = Reading.PEOPLE,
    preset: options.PresetOption = Preset.BALANCED,
    operating_point: options.OperatingPointOption = OperatingPoint.BALANCED,
    detection_threshold: options.ThresholdOption = None,
    certain_from: options.CertainOption = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Worker processes, about 1 GB of memory each.  [default: one for each core]"
        ),
    ] = None,
    engine: Annotated[
        BatchEngine, typer.Option(help="Run on this computer or on a Ray cluster.")
    ] = BatchEngine.LOCAL,
    fresh: FreshOption = False,
    overwrite: options.OverwriteOption = False,
    annotate_dir: options.AnnotateOption = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write an HTML page that shows the results."),
    ] = None,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Show small pictures of the faces in the report.")
    ] = False,
    device: options.DeviceOption = Device.AUTO,
    json_progress: JsonProgressOption = False,
) -> None:
    """Analyze all photos in a folder and its subfolders and write one table.

    If a run is interrupted, the same command continues it: only new and changed files are
    analyzed. Exit code: 0 if all files were read, 1 if some were not, 2 if none was.
    """
    from core import AnalyzerConfig, BatchOptions, run_batch

    batch_options = BatchOptions(
        directory=directory,
        out=out,
        config=AnalyzerConfig(
            model=model,
            detector=detector,
            reading=reading,
            preset=preset,
            operating_point=operating_point,
            detection_threshold=detection_threshold,
            certain_from=certain_from,
            device=device,
        ),
        workers=workers,
        engine=engine,
        fresh=fresh,
        overwrite=overwrite,
        annotate=annotate_dir,
        report=report,
        thumbnails=thumbnails,
    )
    show_progress = _print_json_progress if json_progress else _open_progress_bar
    with _stop_on_signals(), show_progress() as on_progress:
        summary = run_batch(batch_options, on_progress=on_progress)
    if json_progress:
        _print_json({"summary": asdict(summary)})
    typer.echo(_format_summary(summary), err=True)
    for path in filter(None, (out, report, annotate_dir)):
        print_written(path)
    if summary.failed:
        raise typer.Exit(1 if summary.read else InputError.exit_code)


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[None]:
    """Stop cleanly on Ctrl-C, a termination signal or a closed terminal, with a message."""

    def stop(number: int) -> None:
        raise SystemExit(128 + number)

    try:
        with handle_stop_signals(stop):
            yield
    except SystemExit:
        with contextlib.suppress(OSError):  # the terminal may be gone
            typer.echo(
                "Stopped. The results so far are kept: run the same command to continue.", err=True
            )
        raise


@contextlib.contextmanager
def _print_json_progress() -> Iterator[Callable[[BatchProgress], None]]:
    """Yield a function that prints the progress as a line; an error is printed as one as well.

    If nobody reads the lines any more, printing fails and the run ends, ready to be continued.
    """
    try:
        yield lambda progress: _print_json(asdict(progress))
    except ProjectError as error:
        _print_json({"error": error.message, "hint": error.hint})
        raise


def _print_json(record: dict[str, object]) -> None:
    typer.echo(json.dumps(record))


@contextlib.contextmanager
def _open_progress_bar() -> Iterator[Callable[[BatchProgress], None]]:
    """Yield a function that updates a progress bar; without a terminal it does nothing."""
    if not has_terminal():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(TextColumn):
        """Files per second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.1f} files/s")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(""),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Loading the networks", total=None)

        def update(progress: BatchProgress) -> None:
            if not bar.tasks[0].total:
                # Start counting here: files of an earlier run would distort the speed.
                bar.reset(task, completed=progress.done, description="Reading photos")
            bar.update(task, completed=progress.done, total=progress.total)

        yield update


def _format_summary(summary: BatchSummary) -> str:
    """Return the counts in words."""
    files, faces = _format_count(summary.files, "file"), _format_count(summary.faces, "face")
    parts = [
        f"{files}: {faces} in {_format_count(summary.with_faces, 'photo')}",
        f"{_format_count(summary.without_faces, 'photo')} without a face",
    ]
    if summary.failed:
        parts.append(f"{_format_count(summary.failed, 'file')} not read")
    if summary.uncertain:
        parts.append(f"not sure about {_format_count(summary.uncertain, 'face')}")
    text = "; ".join(parts) + "."
    if summary.skipped:
        text += f" {summary.skipped:,} links, pipes or system files were skipped."
    if summary.films:
        films = "film of a Live Photo was" if summary.films == 1 else "films of Live Photos were"
        text += f" {summary.films:,} {films} left out; `emotion live` reads films."
    if summary.already_done:
        text += f" {summary.already_done:,} had already been done."
    if summary.damaged:
        results = "result was" if summary.damaged == 1 else "results were"
        text += f" {summary.damaged:,} earlier {results} damaged on the disk and computed again."
    if not summary.is_locked:
        text += " This disk has no file locks: never write one table with two runs at once."
    return text


def _format_count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}" if count else f"no {noun}"
