"""`emotion analyze`: the emotions of every face in one or several photos."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import (
    DEFAULT_DETECTOR,
    DEFAULT_MODEL,
    DetectorOption,
    DeviceOption,
    ModelOption,
    PresetOption,
)
from cli.terminal import printable
from core import Device, InputError, Preset

if TYPE_CHECKING:
    from core import Analyzer, ImageAnalysis, RgbImage


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
    detector: DetectorOption = DEFAULT_DETECTOR,
    preset: PresetOption = Preset.BALANCED,
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
    device: DeviceOption = Device.AUTO,
) -> None:
    """Find every face in the photos and read its emotion.

    Ends with 0 when all photos were read, 1 when some were not, 2 when none was.
    """
    from core import Analyzer, AnalyzerConfig, read_image

    config = AnalyzerConfig(model=model, detector=detector, preset=preset, device=device)
    analyzer: Analyzer | None = None
    answers: list[ImageAnalysis] = []
    failed = 0
    for photo in photos:
        try:
            image = read_image(photo)
        except InputError as error:
            failed += 1
            typer.secho(printable(f"{photo}: {error.message}"), fg="red", err=True)
            if error.hint:
                typer.echo(printable(error.hint), err=True)
            continue
        # Built at the first readable photo: a mistyped name is told without waiting for networks.
        analyzer = analyzer or Analyzer.from_config(config)
        answer = analyzer.analyze(image)
        answers.append(answer)
        _save_pictures(analyzer, image, answer, annotate_dir, explain_dir)
        if output is OutputFormat.JSONL:
            _write(json.dumps(_document(answer), ensure_ascii=False) + "\n")
    if answers:
        _report(answers, output, several=len(photos) > 1)
    if failed:
        raise typer.Exit(1 if answers else InputError.exit_code)


def _report(answers: list[ImageAnalysis], output: OutputFormat, *, several: bool) -> None:
    from core import dumps, to_csv, to_json

    if output is OutputFormat.CSV:
        _write(to_csv(answers))
    elif output is OutputFormat.JSON:
        _write(dumps([_document(answer) for answer in answers]) if several else to_json(answers[0]))
    elif output is OutputFormat.TABLE:
        _print_table(answers)


def _document(answer: ImageAnalysis) -> dict[str, object]:
    from core import document

    return document(answer)


def _write(text: str) -> None:
    # UTF-8 whatever the locale: file names must come out as they are.
    sys.stdout.buffer.write(text.encode())


def _save_pictures(
    analyzer: Analyzer,
    image: RgbImage,
    answer: ImageAnalysis,
    annotate_dir: Path | None,
    explain_dir: Path | None,
) -> None:
    from core import annotate, encode_png, overlay_heatmap

    if annotate_dir is not None:
        _save(annotate_dir, image.name, "annotated", encode_png(annotate(image, answer)))
    if explain_dir is not None:
        maps = analyzer.explain(answer)
        _save(
            explain_dir, image.name, "explained", encode_png(overlay_heatmap(image, answer, maps))
        )


def _save(directory: Path, name: str, kind: str, data: bytes) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for candidate in _free_names(Path(name).stem, kind):
        path = directory / candidate
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            continue
        typer.echo(printable(f"Wrote {path}"), err=True)
        return


def _free_names(stem: str, kind: str) -> Iterator[str]:
    """Names that never overwrite: photos of two folders may share theirs."""
    yield f"{stem}.{kind}.png"
    number = 2
    while True:
        yield f"{stem}.{kind}-{number}.png"
        number += 1


def _print_table(answers: list[ImageAnalysis]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Photo", "Face", "Emotion", "Probability", "Next", "Remarks"):
        table.add_column(heading, justify="right" if heading == "Probability" else "left")
    for answer in answers:
        name = Text(printable(answer.name))
        remarks = " ".join(answer.notes)
        if not answer.faces:
            table.add_row(name, "-", "no face found", "", "", remarks)
        for face in answer.faces:
            (top, probability), (second, behind) = face.emotions.ranked()[:2]
            table.add_row(
                name if face.index == 1 else "",
                str(face.index),
                str(top) if face.emotions.certain else f"not sure ({top}?)",
                f"{probability:.0%}",
                f"{second} {behind:.0%}",
                " ".join([*face.quality.reasons, remarks if face.index == 1 else ""]).strip(),
            )
    Console().print(table)
