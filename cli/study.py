"""`emotion study`: measure what the answers depend on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.study_tables import (
    make_degraded_table,
    make_ensemble_table,
    make_flip_table,
    make_groups_table,
    make_noise_table,
    make_passage_table,
    make_scale_table,
    make_ways_table,
)
from cli.tables import format_percent, make_table, print_tables
from cli.terminal import print_progress
from core import check_output_folder

study = typer.Typer(no_args_is_help=True, add_completion=False)


@study.callback()
def _group() -> None:
    """Measure what the answers depend on."""


@study.command()
def robustness(
    *,
    data: options.DataOption,
    out: options.ResultsOption,
    model: options.TrainedModelOption = options.ALL_MODELS,
    weights: options.WeightsOption = None,
    votes: options.VotesOption = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups",
            metavar="CSV",
            help="Your own groups of people: a column of file names, then one for each grouping.",
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option("--sample", min=14, help="Number of validation faces to degrade.")
    ] = 400,
) -> None:
    """Measure which groups of faces get worse answers, and what blur and noise change.

    Each group is compared with the other faces of the same emotion. At most one in twenty of the
    reported groups is expected to be a false discovery.
    """
    from training.studies.robustness import study_robustness

    check_output_folder("--out", out, [*data, votes, groups])
    report = study_robustness(
        data,
        out,
        models=options.list_models(model, weights),
        weights_dir=weights,
        votes=votes,
        groups=groups,
        sample=sample,
        progress=print_progress,
    )
    for name, figures in report["models"].items():
        print_tables(make_groups_table(name, figures["worst"]))
        typer.echo()
        print_tables(make_degraded_table(name, figures["curves"]))
        typer.echo()
    typer.echo(
        f"Everything is in {out}: robustness.json, robustness_slices.png and robustness_curves.png."
    )


@study.command()
def gate(
    *,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            metavar="FILE",
            help="A robustness.json.  [default: that of the shipped weights]",
        ),
    ] = None,
    limits: Annotated[
        Path | None,
        typer.Option(
            "--limits",
            metavar="FILE",
            help="TOML.  [default: training/evaluation/release_gate.toml]",
        ),
    ] = None,
    weights: options.WeightsOption = None,
) -> None:
    """Check whether weights may be released: no group or emotion may be much worse than the rest.

    Reads what `emotion study robustness` measured. Exit code: 1 if a limit is exceeded.
    """
    from training.evaluation.release_gate import check_release

    paths = {"limits_file": limits, "weights_dir": weights, "report_file": results}
    breaches = check_release(**{name: path for name, path in paths.items() if path})
    for breach in breaches:
        typer.secho(
            f"{breach.model}: {breach.what} is {_format_over(breach.measured, breach.limit)}, "
            f"the limit is {breach.limit:.3f}.",
            fg="red",
            err=True,
        )
    if breaches:
        raise typer.Exit(1)
    typer.echo("All limits are kept.")


@study.command()
def frame(
    *,
    data: options.DataOption,
    photos: Annotated[
        Path,
        typer.Option(
            "--photos", metavar="DIR_OR_ZIP", help="Photos in folders, some named by an emotion."
        ),
    ],
    out: options.ResultsOption,
    model: Annotated[options.NetworkName, typer.Option("--model", help="Network to use.")] = (
        options.NetworkName("mobilenet_v2")  # noqa: B008 - an enumeration's member, the same every time
    ),
    weights: options.WeightsOption = None,
    sample: Annotated[
        int, typer.Option("--sample", min=1, help="Training faces that define the frame.")
    ] = 2000,
) -> None:
    """Measure how large a face should be in its crop, and whether to scale it to 48 px first.

    Needs training and validation faces and some photos with large faces.
    """
    from training.studies.frame import study_frame

    check_output_folder("--out", out, [*data, photos])
    report = study_frame(
        data,
        photos,
        out,
        model=model,
        weights_dir=weights,
        sample=sample,
        progress=print_progress,
    )
    print_tables(make_scale_table(report["scale"]), make_passage_table(report))
    typer.echo(f"\nEverything is in {out}: frame.json and frame.png.")


@study.command()
def landmarks(
    *,
    data: options.DataOption,
    out: options.ResultsOption,
    model: options.TrainedModelOption = options.ALL_MODELS,
    weights: options.WeightsOption = None,
    sample: Annotated[
        int, typer.Option("--sample", min=14, help="Number of validation faces to use.")
    ] = 1000,
    photos: Annotated[
        Path | None,
        typer.Option(
            "--photos",
            metavar="DIR_OR_ZIP",
            help="Photos in folders named by emotion, to compare mesh, five points and box there.",
        ),
    ] = None,
    human_points: Annotated[
        Path | None,
        typer.Option(
            "--points",
            metavar="DIR_OR_ZIP",
            help="Photos with 68 points placed by people (300-W: a .pts file beside each).",
        ),
    ] = None,
) -> None:
    """Measure how precise landmarks must be for the answer to stay the same.

    Shifts the landmarks of validation faces by known errors, cuts faces out in other ways, and
    compares the networks' answers.
    """
    from training.studies.landmarks import study_landmarks

    check_output_folder("--out", out, [*data, photos, human_points])
    report = study_landmarks(
        data,
        out,
        models=options.list_models(model, weights),
        weights_dir=weights,
        sample=sample,
        photos=photos,
        points=human_points,
        progress=print_progress,
    )
    for name, figures in report["models"].items():
        print_tables(make_noise_table(name, figures))
        typer.echo()
    for faces, ways in (("validation faces", report["ways"]), ("photos", report["photos"])):
        if ways and ways["models"]:
            print_tables(make_ways_table(faces, ways))
            distance = ways["distance"].get("mean")
            if distance is not None:
                typer.echo(f"Mesh and five points lie {distance:.1%} of the eyes' distance apart.")
            typer.echo()
    people = report["human_points"]
    if people and people["found"]:
        typer.echo(
            f"Compared with people's points on {people['found']} faces the mesh errs by "
            f"{people['inner']['mean']:.1%} of the eyes' distance (without the jaw)."
        )
    typer.echo(f"Everything is in {out}: landmarks.json and landmarks.png.")


@study.command()
def mirrored(
    *,
    images: Annotated[
        Path, typer.Option("--images", metavar="DIR_OR_ZIP", help="Any photos with faces.")
    ],
    out: options.ResultsOption,
) -> None:
    """Measure how far landmarks move when a photo is mirrored: how stable they are."""
    from training.studies.mirrored import study_mirrored

    check_output_folder("--out", out, [images])
    report = study_mirrored(images, out, progress=print_progress)
    table = make_table(
        f"{report['by_all']:,} of {report['faces']:,} faces", "found", "mean", "median", "95 %"
    )
    for way, row in report["ways"].items():
        distances = (format_percent(row, name) for name in ("mean", "median", "p95"))
        table.add_row(way.replace("_", " "), f"{report['found'][way]:,}", *distances)
    print_tables(table)
    typer.echo("Distances are shares of the face's longer side.")
    typer.echo(f"Everything is in {out}: mirrored.json.")


@study.command()
def ensemble(
    *,
    data: options.DataOption,
    votes: options.RequiredVotesOption,
    out: options.ResultsOption,
    weights: options.WeightsOption = None,
) -> None:
    """Compare the networks, their pairs and all three, with equal, fitted and learned shares."""
    from training.studies.ensemble import study_ensemble

    check_output_folder("--out", out, [*data, votes])
    report = study_ensemble(data, votes, out, weights_dir=weights, progress=print_progress)
    for reading, figures in report["readings"].items():
        print_tables(make_ensemble_table(reading, figures))
    typer.echo("Shares are fitted on one half of the faces and measured on the other.")
    typer.echo(f"Everything is in {out}: ensemble.json.")


@study.command()
def flip(
    *,
    data: options.DataOption,
    votes: options.RequiredVotesOption,
    out: options.ResultsOption,
    weights: options.WeightsOption = None,
) -> None:
    """Measure what a face's mirror image is worth, and for which faces it changes the answer."""
    from training.studies.flip import study_flip

    check_output_folder("--out", out, [*data, votes])
    report = study_flip(data, votes, out, weights_dir=weights, progress=print_progress)
    for name, entries in report["models"].items():
        print_tables(make_flip_table(name, entries))
    typer.echo("The mirror image is used where a head's most likely emotion is below the limit.")
    typer.echo(f"Everything is in {out}: flip.json.")


def _format_over(measured: float, limit: float) -> str:
    """Return ``measured`` with as many decimals as it takes to differ from ``limit``."""
    texts = (f"{measured:.{decimals}f}" for decimals in range(3, 17))
    return next((text for text in texts if float(text) != limit), str(measured))


@study.command()
def turned(
    *,
    images: Annotated[
        Path, typer.Option("--images", metavar="DIR_OR_ZIP", help="Upright photos with a face.")
    ],
    out: options.ResultsOption,
    negatives: Annotated[
        Path | None,
        typer.Option("--negatives", metavar="DIR_OR_ZIP", help="Photos without faces."),
    ] = None,
    ordinary: Annotated[
        Path | None,
        typer.Option("--ordinary", metavar="DIR_OR_ZIP", help="Photos that show what it costs."),
    ] = None,
    sample: Annotated[
        int, typer.Option("--sample", min=1, help="Number of photos to turn as well.")
    ] = 400,
    weights: options.WeightsOption = None,
) -> None:
    """Measure in how many photos a face is found, and whether turned photos are turned back."""
    from training.studies.turned import TURNS, study_turned

    check_output_folder("--out", out, [images, negatives, ordinary])
    report = study_turned(
        images,
        out,
        negatives=negatives,
        ordinary=ordinary,
        sample=sample,
        weights_dir=weights,
        progress=print_progress,
    )
    headings = (f"upright after {degrees}°" for degrees in TURNS)
    table = make_table(f"{report['photos']:,} photos", "a face is found", *headings)
    for preset, row in report["presets"].items():
        shares = (format_percent(each, "share") for each in row["upright_after"].values())
        table.add_row(preset, format_percent(row["found"], "share"), *shares)
    print_tables(table)
    for preset, row in report["presets"].items():
        for kind, counts in (row["negatives"] or {}).items():
            typer.echo(
                f"{preset}, {counts['photos']} photos without a face ({kind}): "
                f"{counts['per_100_turned']:.1f} false faces per 100, "
                f"{counts['per_100_as_given']:.1f} without trying other turns."
            )
        if cost := row["cost"]:
            typer.echo(
                f"{preset}: median time of {cost['photos']} ordinary photos "
                f"{100 * (cost['ratio'] - 1):+.1f} %."
            )
    typer.echo(f"Everything is in {out}: turned.json.")
