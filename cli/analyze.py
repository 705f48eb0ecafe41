"""`emotion analyze`: read the emotion of every face in one or several photos."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.pictures import create_folders, save_pictures
from cli.tables import make_table, print_tables
from cli.terminal import escape_controls, has_terminal
from core import Device, InputError, OperatingPoint, Preset, Reading

if TYPE_CHECKING:
    from core import Analyzer, FaceAnalysis, ImageAnalysis


class OutputFormat(StrEnum):
    """Format of the answers on standard output."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


PhotosArgument = Annotated[list[Path], typer.Argument(metavar="PHOTO…", help="Image files.")]
FormatOption = Annotated[
    OutputFormat, typer.Option("--format", help="A table to read, or data to process.")
]
ExplainOption = Annotated[
    Path | None,
    typer.Option(
        "--explain", metavar="DIR", help="Write each photo with a map of what the network used."
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
    output: FormatOption = OutputFormat.TABLE,
    annotate_dir: options.AnnotateOption = None,
    explain_dir: ExplainOption = None,
    blur_dir: BlurOption = None,
    device: options.DeviceOption = Device.AUTO,
) -> None:
    """Find the faces in photos and read their emotions.

    Exit code: 0 if all photos were read, 1 if some were not, 2 if none was.
    """
    from core import (
        AnalyzerConfig,
        document,
        dumps,
        is_video,
        keep_blocks,
        read_image,
        warm_up_reader,
    )

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
    analyses: list[ImageAnalysis] = []
    failed = 0
    for photo in _with_progress(photos, wanted=output is not OutputFormat.JSONL):
        try:
            image = read_image(photo)
        except InputError as error:
            failed += 1
            typer.secho(escape_controls(f"{photo}: {error.message}"), fg="red", err=True)
            hint = error.hint
            if is_video(photo):
                hint = f"For a video: emotion live {photo}"
            elif photo.is_dir():
                hint = f"For a whole folder: emotion batch {photo} --out results.csv"
            if hint:
                typer.echo(escape_controls(hint), err=True)
            continue
        # Built at the first readable photo, so that a typo is reported before networks load.
        analyzer = analyzer or Analyzer.from_config(config)
        analysis = analyzer.analyze(image)
        analyses.append(analysis)
        save_pictures(folders, analyzer, image, analysis)
        if output is OutputFormat.JSONL:
            _write(dumps(document(analysis), compact=True))
    if analyses:
        _print_analyses(analyses, output, several=len(photos) > 1)
    if failed:
        raise typer.Exit(1 if analyses else InputError.exit_code)


def _with_progress(photos: list[Path], *, wanted: bool) -> Iterable[Path]:
    """Return the photos, with a progress bar if ``wanted``, if there are several and a terminal."""
    if not wanted or len(photos) < 2 or not has_terminal():
        return photos
    from rich.console import Console
    from rich.progress import track

    return track(photos, "Reading photos", console=Console(stderr=True), transient=True)


def _print_analyses(analyses: list[ImageAnalysis], output: OutputFormat, *, several: bool) -> None:
    from core import document, dumps, to_csv, to_json

    if output is OutputFormat.CSV:
        _write(to_csv(analyses))
    elif output is OutputFormat.JSON:
        _write(dumps(list(map(document, analyses))) if several else to_json(analyses[0]))
    elif output is OutputFormat.TABLE:
        _print_table(analyses)


def _write(text: str) -> None:
    # UTF-8 in any locale, so that file names come out unchanged.
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _count_networks(face: FaceAnalysis) -> str:
    """Return how many networks of an ensemble chose each emotion, as in "happy 2, sad 1"."""
    counts = Counter(scores.top for scores in face.per_model.values())
    return ", ".join(f"{emotion} {count}" for emotion, count in counts.most_common())


def _print_table(analyses: list[ImageAnalysis]) -> None:
    from rich.text import Text

    from core import format_probability

    is_ensemble = any(face.agreement for analysis in analyses for face in analysis.faces)
    networks = ("Networks",) if is_ensemble else ()
    left = ("Face", "Emotion", "Next", *networks, "Remarks")
    headings = ("Photo", "Face", "Emotion", "Probability", "Next", *networks, "Remarks")
    table = make_table(*headings, left=left, unbroken=("Probability", "Next"))
    explained: dict[str, str] = {}
    for analysis in analyses:
        name = Text(escape_controls(analysis.name))
        notes = " ".join(analysis.notes)
        if not analysis.faces:
            blank = [""] * (2 + len(networks))
            table.add_row(name, "-", "no face found", *blank, Text(notes))
        for face in analysis.faces:
            remarks = [_shorten(reason, explained) for reason in face.quality.reasons]
            own_notes = notes if face.index == 1 else ""
            (top, probability), (second, second_probability) = face.emotions.ranked()[:2]
            table.add_row(
                name if face.index == 1 else "",
                str(face.index),
                str(top) if face.emotions.certain else f"not sure ({top}?)",
                format_probability(probability),
                f"{second} {format_probability(second_probability)}",
                *([_count_networks(face)] if is_ensemble else ()),
                Text(". ".join(filter(None, [", ".join(remarks), own_notes]))),
            )
    print_tables(table)
    if explained:
        typer.echo()
    for remark, explanation in explained.items():
        typer.echo(f"{remark}: {explanation}")


def _shorten(reason: str, explained: dict[str, str]) -> str:
    """Return a remark in few words; what it explains after a semicolon goes to ``explained``."""
    fact, _, explanation = reason.removeprefix("The face ").removesuffix(".").partition("; ")
    fact = re.sub("^(is|has) ", "", fact)
    if explanation:
        explained[re.sub(r" \(.*\)", "", fact)] = f"{explanation}."
    return fact
