"""`emotion analyze`: the emotions of every face in one or several photos."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
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
from cli.pictures import Pictures
from cli.terminal import printable
from core import Device, InputError, OperatingPoint, Preset

if TYPE_CHECKING:
    from core import Analyzer, FaceAnalysis, ImageAnalysis


class OutputFormat(StrEnum):
    """How the answers are written to standard output."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def analyze(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO…", help="Image files.")],
    *,
    model: ModelOption = DEFAULT_MODEL,
    detector: DetectorOption = None,
    preset: PresetOption = Preset.BALANCED,
    operating_point: OperatingPointOption = OperatingPoint.BALANCED,
    detection_threshold: ThresholdOption = None,
    certain_from: CertainOption = None,
    output: Annotated[
        OutputFormat, typer.Option("--format", help="A table to read, or data to process.")
    ] = OutputFormat.TABLE,
    annotate_dir: Annotated[
        Path | None,
        typer.Option("--annotate", metavar="DIR", help="Write each photo with its faces marked."),
    ] = None,
    explain_dir: Annotated[
        Path | None,
        typer.Option(
            "--explain", metavar="DIR", help="Write each photo with what the network looked at."
        ),
    ] = None,
    blur_dir: Annotated[
        Path | None,
        typer.Option(
            "--blur",
            metavar="DIR",
            help="Write each photo with its faces made unrecognisable.",
        ),
    ] = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Find every face in the photos and read its emotion.

    Ends with 0 when all photos were read, 1 when some were not, 2 when none was.
    """
    from core import (
        AnalyzerConfig,
        document,
        dumps,
        is_video,
        keep_blocks,
        prepare_isolated,
        read_isolated,
    )

    keep_blocks()
    config = AnalyzerConfig(
        model=model,
        detector=detector,
        preset=preset,
        operating_point=operating_point,
        detection_threshold=detection_threshold,
        certain_from=certain_from,
        device=device,
    )
    pictures = Pictures(annotated=annotate_dir, explained=explain_dir, blurred=blur_dir)
    pictures.prepare()
    prepare_isolated()  # gets ready while the rest is imported
    from core import Analyzer

    analyzer: Analyzer | None = None
    answers: list[ImageAnalysis] = []
    failed = 0
    for photo in _with_progress(photos, shown=output is not OutputFormat.JSONL):
        try:
            image = read_isolated(photo)
        except InputError as error:
            failed += 1
            typer.secho(printable(f"{photo}: {error.message}"), fg="red", err=True)
            hint = f"For a video: emotion live {photo}" if is_video(photo) else error.hint
            if hint:
                typer.echo(printable(hint), err=True)
            continue
        # Built at the first readable photo: a mistyped name is told without waiting for networks.
        analyzer = analyzer or Analyzer.from_config(config)
        answer = analyzer.analyze(image)
        answers.append(answer)
        pictures.save(analyzer, image, answer)
        if output is OutputFormat.JSONL:
            _write(dumps(document(answer), compact=True))
    if answers:
        _report(answers, output, several=len(photos) > 1)
    if failed:
        raise typer.Exit(1 if answers else InputError.exit_code)


def _with_progress(photos: list[Path], *, shown: bool) -> Iterable[Path]:
    """The photos, with a bar on a terminal if ``shown`` and there are several."""
    if not shown or len(photos) < 2 or not sys.stderr.isatty():
        return photos
    from rich.console import Console
    from rich.progress import track

    return track(photos, "Reading photos", console=Console(stderr=True), transient=True)


def _report(answers: list[ImageAnalysis], output: OutputFormat, *, several: bool) -> None:
    from core import document, dumps, to_csv, to_json

    if output is OutputFormat.CSV:
        _write(to_csv(answers))
    elif output is OutputFormat.JSON:
        _write(dumps([document(answer) for answer in answers]) if several else to_json(answers[0]))
    elif output is OutputFormat.TABLE:
        _print_table(answers)


def _write(text: str) -> None:
    # UTF-8 whatever the locale: file names must come out as they are.
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _opinions(face: FaceAnalysis) -> str:
    """What the networks of an ensemble say, the most frequent emotion first: happy 2, sad 1."""
    said = Counter(scores.top for scores in face.per_model.values())
    return ", ".join(f"{emotion} {count}" for emotion, count in said.most_common())


def _print_table(answers: list[ImageAnalysis]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    together = any(face.agreement for answer in answers for face in answer.faces)
    networks = ("Networks",) if together else ()
    for heading in ("Photo", "Face", "Emotion", "Probability", "Next", *networks, "Remarks"):
        # Folded, because a name cut short would not tell which photo is meant.
        table.add_column(
            heading, justify="right" if heading == "Probability" else "left", overflow="fold"
        )
    for answer in answers:
        name = Text(printable(answer.name))
        remarks = " ".join(answer.notes)
        if not answer.faces:
            blank = [""] * (2 + len(networks))
            table.add_row(name, "-", "no face found", *blank, Text(remarks))
        for face in answer.faces:
            (top, probability), (second, behind) = face.emotions.ranked()[:2]
            table.add_row(
                name if face.index == 1 else "",
                str(face.index),
                str(top) if face.emotions.certain else f"not sure ({top}?)",
                f"{probability:.0%}",
                f"{second} {behind:.0%}",
                *([_opinions(face)] if together else ()),
                Text(" ".join([*face.quality.reasons, remarks if face.index == 1 else ""]).strip()),
            )
    Console().print(table)
