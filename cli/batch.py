"""`emotion batch`: every photo of a folder in one table."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import (
    DEFAULT_MODEL,
    CertainOption,
    DetectorOption,
    DeviceOption,
    ModelOption,
    OperatingPointOption,
    PresetOption,
    ThresholdOption,
)
from cli.terminal import printable
from core import BatchEngine, Device, InputError, OperatingPoint, Preset

if TYPE_CHECKING:
    from core import BatchProgress, BatchSummary


def batch(
    directory: Annotated[
        str,
        typer.Argument(
            metavar="DIR", help="Folder with photos, or one in an object store: s3://bucket/photos."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Table to write: results.parquet, .csv or .jsonl.")
    ],
    *,
    model: ModelOption = DEFAULT_MODEL,
    detector: DetectorOption = None,
    preset: PresetOption = Preset.BALANCED,
    operating_point: OperatingPointOption = OperatingPoint.BALANCED,
    detection_threshold: ThresholdOption = None,
    certain_from: CertainOption = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes that answer, about 1 GB each; one a core if not given."
        ),
    ] = None,
    engine: Annotated[
        BatchEngine, typer.Option(help="Answer on this computer, or on a Ray cluster.")
    ] = BatchEngine.LOCAL,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh/--resume",
            help="Begin anew, or go on where an earlier run with the same options ended.",
        ),
    ] = False,
    annotate_dir: Annotated[
        Path | None,
        typer.Option("--annotate", metavar="DIR", help="Write each photo with its faces marked."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write what came out as one page to look at."),
    ] = None,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Let the report show the faces it lists.")
    ] = False,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Find the faces in all photos below a folder and write their emotions into one table.

    Ends with 0 when all files were read, 1 when some were not, 2 when none was. A run that was
    interrupted goes on when the same command is given again; files added or changed since are
    answered, the others are not answered again.
    """
    from core import AnalyzerConfig, BatchOptions, run_batch

    options = BatchOptions(
        directory=directory,
        out=out,
        config=AnalyzerConfig(
            model=model,
            detector=detector,
            preset=preset,
            operating_point=operating_point,
            detection_threshold=detection_threshold,
            certain_from=certain_from,
            device=device,
        ),
        workers=workers,
        engine=engine,
        fresh=fresh,
        annotate=annotate_dir,
        report=report,
        thumbnails=thumbnails,
    )
    with _ending_in_order(), _progress() as show_progress:
        summary = run_batch(options, on_progress=show_progress)
    typer.echo(_told(summary), err=True)
    for path in filter(None, (out, report, annotate_dir)):
        typer.echo(printable(f"Wrote {path}"), err=True)
    if summary.failed:
        raise typer.Exit(1 if summary.read else InputError.exit_code)


@contextlib.contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let Ctrl-C, a termination and a closed terminal end the run as it should, and say so."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise _Ended(number)

    asked = [signal.SIGINT, signal.SIGTERM, *filter(None, [getattr(signal, "SIGHUP", None)])]
    before = {number: signal.signal(number, end) for number in asked}
    try:
        yield
    except _Ended as ended:
        with contextlib.suppress(OSError):  # the terminal may be gone
            typer.echo(
                "Stopped. What was answered is kept: the same command goes on from there.", err=True
            )
        raise typer.Exit(128 + ended.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Ended(BaseException):
    """A signal asked for the end; no handler of errors shall catch it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[BatchProgress], None]]:
    """What shows how far the run is: a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
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
        """Files a second."""

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
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("Loading the networks", total=None)

        def tell(progress: BatchProgress) -> None:
            if not shown.tasks[0].total:
                # From here on, so that what an earlier run answered does not count as speed.
                shown.reset(task, completed=progress.done, description="Reading photos")
            shown.update(task, completed=progress.done, total=progress.total)

        yield tell


def _told(summary: BatchSummary) -> str:
    """The counts in words."""
    faces = f"{_counted(summary.faces, 'face')} in {summary.with_faces:,}"
    told = [
        f"{_counted(summary.files, 'file')}: {faces}",
        f"{summary.without_faces:,} without a face",
    ]
    if summary.failed:
        told.append(f"{summary.failed:,} could not be read")
    if summary.uncertain:
        told.append(f"{_counted(summary.uncertain, 'face')} not sure")
    text = ", ".join(told) + "."
    if summary.skipped:
        text += f" {summary.skipped:,} links, pipes or system files were not opened."
    if summary.already_done:
        text += f" {summary.already_done:,} had been answered before."
    return text


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
