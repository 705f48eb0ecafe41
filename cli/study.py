"""`emotion study`: questions to the system that are answered with figures."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.calibrate import WeightsOption
from cli.evaluate import ALL, EvaluatedName
from cli.figures import figures_table, points, share
from cli.study_robustness import gate, robustness
from cli.train import DataOption, NetworkName

study = typer.Typer(help="Studies that answer a question with figures.", no_args_is_help=True)
study.command()(robustness)
study.command()(gate)


@study.callback()
def _several() -> None:
    """Studies that answer a question with figures."""


@study.command()
def frame(
    *,
    data: DataOption,
    photos: Annotated[
        Path,
        typer.Option(
            "--photos", metavar="DIR_OR_ZIP", help="Photos in folders, some named by an emotion."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where figures and plot are written.")
    ],
    model: Annotated[NetworkName, typer.Option("--model", help="The network that answers.")] = (
        NetworkName("mobilenet_v2")  # noqa: B008 - an enumeration's member, the same every time
    ),
    weights: WeightsOption = None,
    sample: Annotated[
        int, typer.Option("--sample", min=1, help="Training faces that give the frame.")
    ] = 2000,
) -> None:
    """How large a face should be in its crop, and whether it should pass through 48 px.

    Needs training and validation faces and some photos with large faces.
    """
    from training.studies.frame import study_frame

    told = study_frame(
        data,
        photos,
        out,
        model=model,
        weights_dir=weights,
        sample=sample,
        progress=lambda text: typer.echo(text, err=True) if sys.stderr.isatty() else None,
    )
    from rich.console import Console

    console = Console()
    for table in _tables(told.report):
        console.print(table)
        console.print()
    typer.echo(f"Everything is in {told.directory}: frame.json and frame.png.")


@study.command()
def landmarks(
    *,
    data: DataOption,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where figures and plot are written.")
    ],
    model: Annotated[
        EvaluatedName, typer.Option("--model", help="The network; all means every trained one.")
    ] = EvaluatedName(ALL),  # noqa: B008 - an enumeration's member, the same every time
    weights: WeightsOption = None,
    sample: Annotated[
        int, typer.Option("--sample", min=14, help="Validation faces that are asked about.")
    ] = 1000,
    photos: Annotated[
        Path | None,
        typer.Option(
            "--photos",
            metavar="DIR_OR_ZIP",
            help="Photos in folders named by emotion: mesh, five points and box compared there.",
        ),
    ] = None,
    human_points: Annotated[
        Path | None,
        typer.Option(
            "--points",
            metavar="DIR_OR_ZIP",
            help="Pictures with 68 points that people placed (300-W: a .pts file beside each).",
        ),
    ] = None,
) -> None:
    """How well landmarks must be placed for the answer to hold.

    Misplaces the landmarks of validation faces by stated errors, cuts faces out in other ways,
    and asks the networks anew.
    """
    from core import model_catalog
    from training.studies.landmarks import study_landmarks

    trained = [info.name for info in model_catalog(weights) if info.trained]
    told = study_landmarks(
        data,
        out,
        models=trained if model == ALL else (str(model),),
        weights_dir=weights,
        sample=sample,
        photos=photos,
        points=human_points,
        progress=lambda text: typer.echo(text, err=True) if sys.stderr.isatty() else None,
    )
    from rich.console import Console

    console = Console()
    for name, figures in told.report["models"].items():
        console.print(_noise_table(name, figures))
        console.print()
    for place, ways in (
        ("validation faces", told.report["ways"]),
        ("photos", told.report["photos"]),
    ):
        if ways and ways["models"]:
            console.print(_ways_table(place, ways))
            apart = ways["distance"].get("mean")
            if apart is not None:
                typer.echo(f"Mesh and five points lie {apart:.1%} of the eyes' distance apart.")
            console.print()
    people = told.report["human_points"]
    if people and people["found"]:
        typer.echo(
            f"Against people's points on {people['found']} faces the mesh errs by "
            f"{people['inner']['mean']:.1%} of the eyes' distance (jaw left out)."
        )
    typer.echo(f"Everything is in {told.directory}: landmarks.json and landmarks.png.")


@study.command()
def mirrored(
    *,
    images: Annotated[
        Path, typer.Option("--images", metavar="DIR_OR_ZIP", help="Any photos with faces.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where figures are written.")],
) -> None:
    """How far landmarks move when a photo is mirrored: how steady they are, without labels."""
    from training.studies.mirrored import study_mirrored

    told = study_mirrored(
        images,
        out,
        progress=lambda text: typer.echo(text, err=True) if sys.stderr.isatty() else None,
    )
    from rich.console import Console

    report = told.report
    table = figures_table(
        f"{report['by_all']:,} of {report['faces']:,} faces", "found", "mean", "median", "95 %"
    )
    for way, row in report["ways"].items():
        table.add_row(
            way.replace("_", " "),
            f"{report['found'][way]:,}",
            share(row, "mean"),
            share(row, "median"),
            share(row, "p95"),
        )
    Console().print(table)
    typer.echo("Distances are shares of the face's longer side.")
    typer.echo(f"Everything is in {told.directory}: mirrored.json.")


def _noise_table(name: str, figures: Mapping[str, Any]) -> object:
    table = figures_table(name, "accuracy", "against aligned", "answers changed", "certain")
    aligned = figures["aligned"]
    table.add_row("aligned", share(aligned, "accuracy"), "", "", f"{aligned['certain']:.1%}")
    rows = [("as given", figures["as_given"])]
    for kind, told in figures["noise"].items():
        rows += [(f"{kind} {row['error']:.0%}", row) for row in told]
    rows += [(f"dropped in {row['share']:.0%}", row) for row in figures["dropped"]]
    for label, row in rows:
        table.add_row(
            label,
            share(row, "accuracy"),
            points(row["against_aligned"]["accuracy"]),
            f"{row['flips']:.1%}",
            f"{row['certain']:.1%}",
        )
    return table


def _ways_table(place: str, told: Mapping[str, Any]) -> object:
    """One line per model and way to cut a face out."""
    headings = ("accuracy", "against mesh", "answers changed")
    table = figures_table(f"{told['found_by_both']:,} {place}", *headings)
    for name, ways in told["models"].items():
        for way, row in ways.items():
            table.add_row(
                f"{name}, {way.replace('_', ' ')}",
                share(row, "accuracy"),
                points(row["against_mesh"]),
                f"{row['flips']:.1%}",
            )
    return table


def _tables(report: Mapping[str, Any]) -> list[object]:
    framed = report["scale"]
    counted = f"{framed['found']:,} of {framed['n']:,} faces"
    sizes = figures_table(counted, "accuracy", "against as given")
    sizes.add_row("as given", share(framed["as_given"], "accuracy"), "")
    for row in framed["scales"]:
        sizes.add_row(
            f"framed at {row['scale']:.2f}",
            share(row, "accuracy"),
            points(row["against_as_given"]["accuracy"]),
        )
    told = report["passage"]
    headings = ("right", "NLL", "confidence", "same answer", "sharpness")
    ways = figures_table(f"{told['faces']} photo faces", *headings)
    ways.add_row("training faces", "", "", "", "", f"{told['sharpness_of_training_faces'][1]:.2f}")
    for row in told["ways"]:
        ways.add_row(
            row["way"],
            f"{row['right']} of {told['labelled']}",
            f"{row['nll']:.3f}" if "nll" in row else "",
            f"{row['mean_confidence']:.1%}",
            f"{row['same_answer_as_through_48_px']:.1%}",
            f"{row['sharpness_quartiles'][1]:.2f}",
        )
    return [sizes, ways]
