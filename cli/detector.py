"""`emotion detector`: train, tune and measure face detectors."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.tables import make_table, print_tables
from cli.terminal import print_progress, print_skipped
from cli.training_run import explain_resume, get_epoch_printer, print_run
from core import (
    Device,
    OperatingPoint,
    Output,
    Preset,
    check_output_folder,
    check_outputs,
    escape_controls,
    format_metric,
)
from training.learning.precision import Precision

if TYPE_CHECKING:
    from rich.table import Table

detector = typer.Typer(no_args_is_help=True, add_completion=False)

ImagesOption = Annotated[
    Path, typer.Option("--images", metavar="DIR_OR_ZIP", help="Photos with faces.")
]
BoxesOption = Annotated[
    Path, typer.Option("--boxes", metavar="COCO.json", help="Boxes around the faces in them.")
]
NegativesOption = Annotated[
    Path | None,
    typer.Option("--negatives", metavar="DIR_OR_ZIP", help="Photos without faces."),
]
MinSizeOption = Annotated[
    float,
    typer.Option(
        "--min-size", min=0.0, help="Ignore faces whose shorter side is below this many pixels."
    ),
]

_Against = StrEnum(  # type: ignore[misc]
    "_Against", {name: name for name in (*options.DetectorName, "facenet-pytorch")}
)
_METRICS = {
    "threshold": "threshold",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "ap": "average precision",
    "false_alarms_per_100_negatives": "false alarms per 100 photos without a face",
    "seconds_per_image": "seconds a photo",
}


@detector.callback()
def _group() -> None:
    """Train, tune and measure face detectors."""


@detector.command()
def train(
    *,
    images: ImagesOption,
    boxes: BoxesOption,
    negatives: NegativesOption = None,
    init: Annotated[
        str,
        typer.Option(
            "--init",
            metavar="scratch|FILE",
            help="Start from scratch or from weights, e.g. weights/compact.safetensors.",
        ),
    ] = "scratch",
    values: options.SetOption = None,
    recipe: options.RecipeOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the run.")] = Path(
        "runs/compact"
    ),
    resume: options.ResumeOption = False,
    max_minutes: options.MaxMinutesOption = None,
    workers: options.WorkersOption = 1,
    device: options.DeviceOption = Device.AUTO,
    precision: options.PrecisionOption = Precision.AUTO,
) -> None:
    """Train the project's own detector on photos with boxes around their faces.

    Boxes marked iscrowd count neither as faces nor as background.
    """
    overrides = options.parse_values(values)
    print_progress("Reading the photos …")
    from training.detector.recipe import read_detector_recipe
    from training.detector.train import train_detector

    check_output_folder("--out", out, [images, boxes, negatives])
    with explain_resume():
        run = train_detector(
            read_detector_recipe(overrides, recipe),
            images,
            boxes,
            out,
            negatives=negatives,
            init=init,
            resume=resume,
            max_minutes=max_minutes,
            workers=workers,
            device=device,
            precision=precision,
            report=get_epoch_printer(),
        )
    print_skipped(run.skipped)
    arguments = f"--detector compact --weights {out} --images … --boxes …"
    print_run(
        run,
        "the detector",
        "Next, with photos that were not used for training",
        (
            f"emotion detector tune {arguments}",
            f"emotion detector evaluate {arguments} --out {out / 'evaluation'}",
        ),
    )


@detector.command("train-judge")
def train_judge(
    *,
    images: ImagesOption,
    boxes: BoxesOption,
    negatives: NegativesOption = None,
    weights: options.WeightsOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the run.")] = Path(
        "runs/judge"
    ),
) -> None:
    """Train the network that checks what the hybrid detector proposes.

    `emotion detector tune --publish` then publishes it.
    """
    check_output_folder("--out", out, [images, boxes, negatives])
    print_progress("Reading the photos …")
    from training.detector.judge import train_and_export_judge

    facts = train_and_export_judge(
        images, boxes, out, negatives=negatives, weights_dir=weights, progress=print_progress
    )
    typer.echo(
        f"The judge learned from {facts['candidates']:,} candidates, {facts['faces']:,} of them "
        f"faces, in {facts['minutes']:.0f} minutes. Next, with photos that were not used:\n"
        f"  emotion detector tune --detector hybrid --weights {out} --images … --boxes … "
        "--publish weights"
    )


@detector.command()
def tune(
    *,
    images: ImagesOption,
    boxes: BoxesOption,
    detectors: Annotated[
        list[options.DetectorName] | None,
        typer.Option("--detector", help="Which one; all by default. Can be given several times."),
    ] = None,
    negatives: NegativesOption = None,
    min_size: MinSizeOption = 32.0,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Try MTCNN's stages, pyramid and smallest face too.")
    ] = False,
    weights: options.WeightsOption = None,
    publish: Annotated[
        Path | None,
        typer.Option("--publish", metavar="DIR", help="Also copy the tuned detector there."),
    ] = None,
    device: options.DeviceOption = Device.AUTO,
) -> None:
    """Choose each operating point's threshold, for every preset, on photos with boxes.

    The thresholds and their figures are written to detection.json beside the weights.
    """
    from training.detector.publish import publish_detector
    from training.detector.tune import tune_detectors

    if publish is not None:
        check_output_folder("--publish", publish, [images, boxes, negatives])
    file, document, skipped = tune_detectors(
        images,
        boxes,
        detectors=[str(name) for name in detectors or ()],
        min_size_px=min_size,
        negatives=negatives,
        sweep=sweep,
        weights_dir=weights,
        device=device,
        progress=print_progress,
    )
    print_skipped(skipped)
    print_tables(
        *(_make_tuning_table(name, presets) for name, presets in document["detectors"].items())
    )
    typer.echo(f"Thresholds and figures are in {file}.")
    if publish is not None:
        publish_detector(file.parent, publish)
        typer.echo(f"Published to {publish}.")


@detector.command()
def evaluate(
    *,
    images: ImagesOption,
    boxes: BoxesOption,
    name: Annotated[options.DetectorName, typer.Option("--detector", help="Detector to measure.")],
    out: options.ResultsOption,
    preset: options.PresetOption = Preset.BALANCED,
    operating_point: options.OperatingPointOption = OperatingPoint.BALANCED,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Used instead of the operating point's.")
    ] = None,
    min_size: MinSizeOption = 32.0,
    negatives: NegativesOption = None,
    held_out: Annotated[
        bool,
        typer.Option("--held-out", help="Use only the --negatives that training leaves out."),
    ] = False,
    against: Annotated[
        _Against | None,
        typer.Option(
            "--against",
            help="A second detector, measured in turn on the same photos; "
            "facenet-pytorch is MTCNN as that library runs it.",
        ),
    ] = None,
    weights: options.WeightsOption = None,
    device: options.DeviceOption = Device.AUTO,
) -> None:
    """Measure a detector's precision, recall, F1 and average precision, by the size of faces."""
    from training.detector.evaluate import evaluate_detector

    check_output_folder("--out", out, [images, boxes, negatives])
    figures, skipped = evaluate_detector(
        images,
        boxes,
        out,
        detector=str(name),
        preset=preset,
        operating_point=operating_point,
        threshold=threshold,
        min_size_px=min_size,
        negatives=negatives,
        held_out=held_out,
        against=str(against) if against else None,
        weights_dir=weights,
        device=device,
        progress=print_progress,
    )
    print_skipped(skipped)
    print_tables(_make_evaluation_table(figures))
    typer.echo(f"Everything is in {out}: detection.json and detection.png.")


@detector.command()
def show(
    photos: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PHOTO…]", help="Photos; some examples by default."),
    ] = None,
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE.png", help="Where to write the picture.")
    ],
    overwrite: options.OverwriteOption = False,
    preset: options.PresetOption = Preset.BALANCED,
    weights: options.WeightsOption = None,
) -> None:
    """Draw the boxes of every detector on the same photos."""
    from training.detector.gallery import show_detectors

    check_outputs(
        [Output("--out", out, (".png",))], photos or (), overwrite=overwrite, makes_folders=True
    )
    counts = show_detectors(out, photos=photos or (), preset=preset, weights_dir=weights)
    names = tuple(next(iter(counts.values())))
    rows = [
        (escape_controls(photo), *(str(faces[name]) for name in names))
        for photo, faces in counts.items()
    ]
    print_tables(make_table("Faces found", *names, rows=rows))
    typer.echo(f"Drawn in {out}.")


@detector.command()
def table(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="DETECTION.json…", help="Files written by the command evaluate."),
    ],
) -> None:
    """Print the figures of several detectors as one Markdown table."""
    from training.detector.table import format_detectors_table

    typer.echo(format_detectors_table(files), nl=False)


def _make_tuning_table(name: str, presets: Mapping[str, Any]) -> Table:
    """Return a row for each preset and operating point of the detector ``name``."""
    table = make_table(name, "threshold", "precision", "recall", "F1")
    for preset, entry in presets.items():
        for point, figures in entry["points"].items():
            metrics = (f"{figures[key]:.3f}" for key in ("precision", "recall", "f1"))
            table.add_row(f"{preset}, {point}", f"{figures['threshold']:.3g}", *metrics)
    return table


def _make_evaluation_table(figures: Mapping[str, Any]) -> Table:
    """Return a row for each metric, a column for each of one or two detectors."""
    against = figures.get("against")
    detectors = [figures, against] if against else [figures]
    table = make_table(
        f"On {figures['photos']} photos, {figures['faces']} faces",
        *(str(each["detector"]) for each in detectors),
    )
    for key, label in _METRICS.items():
        if any(key in each for each in detectors):
            table.add_row(
                label, *(format_metric(each, key, ".3f", absent="") for each in detectors)
            )
    if against:
        table.add_row("times as fast", f"{against['times_as_fast']:.1f}", "1")
    return table
