"""`emotion detector`: training, tuning and measuring what finds the faces."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.calibrate import WeightsOption
from cli.figures import figures_table
from cli.options import DetectorName, DeviceOption, OperatingPointOption, PresetOption
from cli.terminal import printable
from cli.train import (
    PrecisionOption,
    RecipeOption,
    SetOption,
    WorkersOption,
    duration,
    parsed_values,
    show_epoch,
    show_skipped,
)
from core import Device, OperatingPoint, Preset
from training.learning.precision import Precision

detector = typer.Typer(help="Train, tune and measure face detectors.", no_args_is_help=True)

ImagesOption = Annotated[
    Path, typer.Option("--images", metavar="DIR_OR_ZIP", help="Photos with faces.")
]
BoxesOption = Annotated[
    Path, typer.Option("--boxes", metavar="COCO.json", help="Where the faces are in them.")
]
NegativesOption = Annotated[
    Path | None,
    typer.Option("--negatives", metavar="DIR_OR_ZIP", help="Photos that show no face."),
]
MinSizeOption = Annotated[
    float,
    typer.Option("--min-size", min=0.0, help="Faces with a shorter side below count neither way."),
]

_Against = StrEnum(  # type: ignore[misc]
    "_Against", {name: name for name in (*DetectorName, "facenet-pytorch")}
)


@detector.callback()
def _several() -> None:
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
            help="Start from nothing or from weights, e.g. weights/compact.safetensors.",
        ),
    ] = "scratch",
    values: SetOption = None,
    recipe: RecipeOption = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the run is kept.")
    ] = Path("runs/compact"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the interrupted run in --out.")
    ] = False,
    max_minutes: Annotated[
        float | None,
        typer.Option(
            "--max-minutes", metavar="M", min=0.01, help="End the whole run after so long."
        ),
    ] = None,
    workers: WorkersOption = 1,
    device: DeviceOption = Device.AUTO,
    precision: PrecisionOption = Precision.AUTO,
) -> None:
    """Train the project's own detector from photos with boxes around their faces.

    Boxes marked with iscrowd are neither learnt nor unlearnt.
    """
    overrides = parsed_values(values or [])
    talkative = sys.stderr.isatty()
    if talkative:
        typer.echo("Reading the photos …", err=True)
    from training.detector.recipe import read_detector_recipe
    from training.detector.train import train_detector

    try:
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
            report=show_epoch if talkative else None,
        )
    except KeyboardInterrupt:
        typer.echo(
            "Stopped. The same command with --resume goes on after the last epoch.", err=True
        )
        raise
    show_skipped(run.skipped)
    ended = "by the clock, " if run.ended_by_clock else ""
    typer.echo(
        f"Trained the detector: {run.epochs} epochs in {duration(run.elapsed_s)}, {ended}kept in\n"
        f"  {run.weights}  the weights, described by manifest.json beside them\n"
        f"  {out / 'augmented.png'}  what the network saw\n"
        f"  {out / 'tensorboard'}  curves, for `tensorboard --logdir {out}`\n"
        "Next, with photos that it has not seen:\n"
        f"  emotion detector tune --detector compact --weights {out} --images … --boxes …\n"
        f"  emotion detector evaluate --detector compact --weights {out} --images … --boxes … "
        f"--out {out / 'evaluation'}"
    )


@detector.command()
def tune(
    *,
    images: ImagesOption,
    boxes: BoxesOption,
    detectors: Annotated[
        list[DetectorName] | None,
        typer.Option("--detector", help="Which one; all by default. Can be given several times."),
    ] = None,
    negatives: NegativesOption = None,
    min_size: MinSizeOption = 32.0,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Try MTCNN's stages, pyramid and smallest face too.")
    ] = False,
    weights: WeightsOption = None,
    publish: Annotated[
        Path | None,
        typer.Option("--publish", metavar="DIR", help="Copy the tuned detector there as well."),
    ] = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Choose the thresholds of each operating point, for every preset, on photos with boxes.

    They go to detection.json beside the weights, with the figures that they gave.
    """
    from training.detector.publish import publish_detector
    from training.detector.tune import tune_detectors

    told = tune_detectors(
        images,
        boxes,
        detectors=[str(name) for name in detectors or ()],
        min_size_px=min_size,
        negatives=negatives,
        sweep=sweep,
        weights_dir=weights,
        device=device,
        progress=_progress(),
    )
    show_skipped(told.skipped)
    from rich.console import Console

    console = Console()
    for name, presets in told.document["detectors"].items():
        console.print(_points(name, presets))
    typer.echo(f"Thresholds and figures are in {told.file}.")
    if publish is not None:
        publish_detector(told.file.parent, publish)
        typer.echo(f"Published to {publish}.")


@detector.command()
def evaluate(
    *,
    images: ImagesOption,
    boxes: BoxesOption,
    name: Annotated[DetectorName, typer.Option("--detector", help="Which one.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where figures and plots are written.")
    ],
    preset: PresetOption = Preset.BALANCED,
    operating_point: OperatingPointOption = OperatingPoint.BALANCED,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Instead of the operating point's.")
    ] = None,
    min_size: MinSizeOption = 32.0,
    negatives: NegativesOption = None,
    held_out: Annotated[
        bool,
        typer.Option("--held-out", help="Only those --negatives that training leaves out."),
    ] = False,
    against: Annotated[
        _Against | None,
        typer.Option(
            "--against",
            help="A second detector, measured in turn on the same photos; "
            "facenet-pytorch is MTCNN as that library runs it.",
        ),
    ] = None,
    weights: WeightsOption = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Precision, recall, F1 and average precision of a detector, by the size of the faces."""
    from training.detector.evaluate import evaluate_detector

    told = evaluate_detector(
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
        progress=_progress(),
    )
    show_skipped(told.skipped)
    from rich.console import Console

    Console().print(_evaluated(told.figures))
    typer.echo(f"Everything is in {told.directory}: detection.json and detection.png.")


@detector.command()
def show(
    photos: Annotated[
        list[Path] | None, typer.Argument(metavar="[PHOTO…]", help="Some pictures by default.")
    ] = None,
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE.png", help="Where the picture is written.")
    ],
    preset: PresetOption = Preset.BALANCED,
    weights: WeightsOption = None,
) -> None:
    """Draw the boxes of every detector on the same photos."""
    from training.detector.gallery import show_detectors

    counts = show_detectors(out, photos=photos or (), preset=preset, weights_dir=weights)
    names = tuple(next(iter(counts.values())))
    table = figures_table("Faces found", *names)
    for photo, found in counts.items():
        table.add_row(printable(photo), *(str(found[name]) for name in names))
    from rich.console import Console

    Console().print(table)
    typer.echo(f"Drawn in {out}.")


@detector.command()
def table(
    files: Annotated[
        list[Path], typer.Argument(metavar="DETECTION.json…", help="What evaluate wrote.")
    ],
) -> None:
    """What was measured of several detectors, as one Markdown table."""
    from training.detector.table import detectors_table

    typer.echo(detectors_table(files), nl=False)


def _progress() -> Callable[[str], None] | None:
    return (lambda text: typer.echo(text, err=True)) if sys.stderr.isatty() else None


def _points(name: str, presets: Mapping[str, Any]) -> object:
    """A line for each preset and operating point."""
    columns = ("threshold", "precision", "recall", "F1")
    table = figures_table(name, *columns)
    for preset, entry in presets.items():
        for point, figures in entry["points"].items():
            table.add_row(
                f"{preset}, {point}",
                f"{figures['threshold']:.3g}",
                *(f"{figures[key]:.3f}" for key in ("precision", "recall", "f1")),
            )
    return table


def _evaluated(figures: Mapping[str, Any]) -> object:
    """A column for each detector, a line for each figure."""
    both = {str(figures["detector"]): figures}
    if "against" in figures:
        both[str(figures["against"]["detector"])] = figures["against"]
    table = figures_table(f"On {figures['photos']} photos, {figures['faces']} faces", *both)
    for key, words in _ROWS.items():
        if any(key in each for each in both.values()):
            table.add_row(words, *(_value(each, key) for each in both.values()))
    if "against" in figures:
        ratio = figures["against"]["times_as_fast"]
        table.add_row("times as fast", f"{ratio:.1f}", "1")
    return table


_ROWS = {
    "threshold": "threshold",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "ap": "average precision",
    "false_alarms_per_100_negatives": "false alarms per 100 photos without a face",
    "seconds_per_image": "seconds a photo",
}


def _value(figures: Mapping[str, Any], key: str) -> str:
    if key not in figures:
        return ""
    text = f"{figures[key]:.3f}"
    if f"{key}_interval" in figures:
        low, high = figures[f"{key}_interval"]
        text += f" ({low:.3f} to {high:.3f})"
    return text
