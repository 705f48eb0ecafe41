"""`emotion analyze`: read the emotion of every face in one or several photos."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.answers import print_answers
from cli.pictures import create_folders, save_pictures
from cli.terminal import has_terminal
from core import Device, InputError, OperatingPoint, Preset, Reading, escape_controls

if TYPE_CHECKING:
    from core import Analyzer, FailedFile, ImageAnalysis, RgbImage


class OutputFormat(StrEnum):
    """Format of the answers on standard output."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class Turn(StrEnum):
    """How to turn the photos before they are read."""

    AUTO = "auto"
    NOT = "0"
    RIGHT = "90"
    OVER = "180"
    LEFT = "270"

    @property
    def degrees(self) -> int | None:
        """Degrees clockwise; None leaves it to the analyzer."""
        return None if self is Turn.AUTO else int(self.value)


STDIN = "-"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

PhotosArgument = Annotated[
    list[str], typer.Argument(metavar="PHOTO", help="Image files; - reads one from standard input.")
]
FormatOption = Annotated[
    OutputFormat, typer.Option("--format", help="A table to read, or data to process.")
]
ExplainOption = Annotated[
    Path | None,
    typer.Option(
        "--explain", metavar="DIR", help="Write each photo with a map of what the network used."
    ),
]
TurnOption = Annotated[
    Turn,
    typer.Option(
        "--turn", help="Degrees clockwise by which to turn each photo; auto turns faces upright."
    ),
]
BlurOption = Annotated[
    Path | None,
    typer.Option("--blur", metavar="DIR", help="Write each photo with its faces blurred."),
]


def analyze(
    photos: PhotosArgument,
    *,
    model: options.ModelOption = options.DEFAULT_MODEL,
    detector: options.DetectorOption = None,
    reading: options.ReadingOption = Reading.PEOPLE,
    preset: options.PresetOption = Preset.BALANCED,
    operating_point: options.OperatingPointOption = OperatingPoint.BALANCED,
    detection_threshold: options.ThresholdOption = None,
    certain_from: options.CertainOption = None,
    turn: TurnOption = Turn.AUTO,
    output: FormatOption = OutputFormat.TABLE,
    annotate_dir: options.AnnotateOption = None,
    explain_dir: ExplainOption = None,
    blur_dir: BlurOption = None,
    device: options.DeviceOption = Device.AUTO,
) -> None:
    """Find the faces in photos and read their emotions.

    Exit code: 0 if all photos were read, 1 if some were not, 2 if none was.
    """
    from core import AnalyzerConfig, FailedFile, document, dumps, keep_blocks, warm_up_reader

    keep_blocks()
    config = AnalyzerConfig(
        model=model,
        detector=detector,
        reading=reading,
        preset=preset,
        operating_point=operating_point,
        detection_threshold=detection_threshold,
        certain_from=certain_from,
        device=device,
    )
    wanted = {"annotated": annotate_dir, "explained": explain_dir, "blurred": blur_dir}
    folders = {kind: folder for kind, folder in wanted.items() if folder is not None}
    create_folders(folders)
    warm_up_reader()  # starts the decoder's process while the rest is imported
    from core import Analyzer

    analyzer: Analyzer | None = None
    results: list[ImageAnalysis | FailedFile] = []
    for photo in _with_progress(photos, wanted=output is not OutputFormat.JSONL):
        try:
            image = _read(photo)
        except InputError as error:
            _print_error(photo, error)
            results.append(FailedFile.from_error(_name(photo), error))
            continue
        # Built at the first readable photo, so that a typo is reported before networks load.
        analyzer = analyzer or Analyzer.from_config(config)
        analysis = analyzer.analyze(image, turn=turn.degrees)
        results.append(analysis)
        save_pictures(folders, analyzer, image, analysis)
        if output is OutputFormat.JSONL:
            _write(dumps(document(analysis), compact=True))
    _print_results(results, output)
    failed = sum(isinstance(result, FailedFile) for result in results)
    if failed:
        raise typer.Exit(1 if failed < len(results) else InputError.exit_code)


def _read(photo: str) -> RgbImage:
    """Return the photo that the user named; InputError if it cannot be read."""
    from core import MAX_FILE_BYTES, UnreadableImage, read_image

    if photo == STDIN:
        if sys.stdin is None or sys.stdin.isatty():
            raise UnreadableImage(
                "There is no photo on standard input.", hint="emotion analyze - < photo.jpg"
            )
        return read_image(sys.stdin.buffer.read(MAX_FILE_BYTES + 1), name=_name(photo))
    # Not those of Path, here and below: they raise for a name that is too long.
    if _ADDRESS.match(photo) and not os.path.exists(photo):  # noqa: PTH110
        raise UnreadableImage(
            "This is an address, and nothing is fetched from a network.",
            hint="Save the photo on this computer and name the file.",
        )
    return read_image(Path(photo))


def _name(photo: str) -> str:
    """Return what the answers call the photo."""
    return "stdin" if photo == STDIN else Path(photo).name or photo


def _print_error(photo: str, error: InputError) -> None:
    from core import is_video

    shown = _name(photo) if photo == STDIN else photo
    typer.secho(escape_controls(f"{shown}: {error.message}"), fg="red", err=True)
    hint, path = error.hint, Path(photo)
    if photo != STDIN and is_video(path):
        hint = f"For a video: emotion live {shlex.quote(photo)}"
    elif photo != STDIN and os.path.isdir(photo):  # noqa: PTH112
        hint = f"For a whole folder: emotion batch {shlex.quote(photo)} --out results.csv"
    if hint:
        typer.echo(escape_controls(hint), err=True)


def _with_progress(photos: list[str], *, wanted: bool) -> Iterable[str]:
    """Return the photos, with a progress bar if ``wanted``, if there are several and a terminal."""
    if not wanted or len(photos) < 2 or not has_terminal():
        return photos
    from rich.console import Console
    from rich.progress import track

    return track(photos, "Reading photos", console=Console(stderr=True), transient=True)


def _print_results(results: list[ImageAnalysis | FailedFile], output: OutputFormat) -> None:
    from core import ImageAnalysis, document, dumps, to_csv, to_json

    if output is OutputFormat.CSV:
        _write(to_csv(results))
        return
    analyses = [result for result in results if isinstance(result, ImageAnalysis)]
    if not analyses:
        return
    if output is OutputFormat.JSON:
        several = len(results) > 1
        _write(dumps(list(map(document, analyses))) if several else to_json(analyses[0]))
    elif output is OutputFormat.TABLE:
        print_answers(analyses)


def _write(text: str) -> None:
    # UTF-8 in any locale, so that file names come out unchanged.
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
