"""`emotion report`: write the project's report from measured results."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.terminal import print_warning
from core import ConfigError, Output, check_output_folder, check_outputs, contains

if TYPE_CHECKING:
    from training.reporting.measures import Measure

ALL, LIGHT = "all", "light"
"""All results; those that can be measured while the computer does other work."""


def report(
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where to write the documents.")
    ] = Path("docs"),
    overwrite: options.OverwriteOption = False,
    measure: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            metavar="NAME",
            help="Measure this result again first; all for every result whose data are given, "
            "light for those that need no idle computer. Can be given several times.",
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="DIR_OR_ZIP", help="Faces; can be given several times."),
    ] = None,
    votes: Annotated[
        Path | None, typer.Option("--votes", metavar="CSV", help="FER+ crowd votes.")
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option("--photos", metavar="DIR_OR_ZIP", help="Photos in folders named by emotion."),
    ] = None,
    natural_photos: Annotated[
        Path | None,
        typer.Option(
            "--natural-photos",
            metavar="DIR_OR_ZIP",
            help="Natural photos in folders named by emotion.",
        ),
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", metavar="DIR_OR_ZIP", help="Photos with boxes.")
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option("--boxes", metavar="JSON", help="Boxes around their faces, in COCO format."),
    ] = None,
    negatives: Annotated[
        Path | None, typer.Option("--negatives", metavar="DIR_OR_ZIP", help="Photos without faces.")
    ] = None,
) -> None:
    """Write the project's report from the measured results.

    Writes report.md, ethics.md, figures and one HTML file. Every number in the documents comes from
    a file in docs/results. --measure first runs the commands that make these files.
    """
    from training.reporting.report import DOCUMENTS, PAGE, RESULTS, write_report

    inputs = [*(data or ()), votes, photos, natural_photos, images, boxes, negatives]
    check_output_folder("--out", out, inputs)
    ours = contains(b"Written by `emotion report`")(out / DOCUMENTS[0])
    documents = [Output("--out", out / name, is_ours=lambda _: ours) for name in (*DOCUMENTS, PAGE)]
    given_files = [path for path in inputs if path is not None]
    check_outputs(documents, given_files, overwrite=overwrite, makes_folders=True)
    single = {"votes": votes, "photos": photos, "images": images, "boxes": boxes}
    single |= {"negatives": negatives, "natural-photos": natural_photos}
    given = {name: [str(path)] if path else [] for name, path in single.items()}
    given["data"] = [str(path) for path in data or ()]
    for selected in _select_measures(measure or [], given):
        _run_measure(selected, given, RESULTS)
    result = write_report(out)
    for name, networks in result.outdated.items():
        print_warning(f"{name} was not measured with the shipped weights ({', '.join(networks)}).")
    for name in result.absent:
        print_warning(f"{name} is not measured yet; its part is left out.")
    typer.echo(f"Wrote {len(result.files)} files to {out}.")


def _select_measures(names: Sequence[str], given: Mapping[str, Sequence[str]]) -> list[Measure]:
    """Return the wanted measures; ConfigError for an unknown one or one without its data."""
    from training.reporting.measures import MEASURES

    known = {measure.artefact: measure for measure in MEASURES}
    groups = {ALL: [*known], LIGHT: [name for name, measure in known.items() if not measure.idle]}
    for name in names:
        if name not in {*groups, *known}:
            choices = ", ".join((*known, *groups))
            raise ConfigError(f"There is no result named '{name}'.", hint=f"Known: {choices}.")
        missing = [] if name in groups else [need for need in known[name].needs if not given[need]]
        if missing:
            raise ConfigError(
                f"To measure {name}, give {' and '.join(f'--{need}' for need in missing)}.",
                hint=known[name].format_command(),
            )
    if not groups.keys() & set(names):
        return [known[name] for name in dict.fromkeys(names)]
    wanted = {each for name in names for each in groups.get(name, [name])}
    selected = []
    for measure in MEASURES:
        if measure.artefact in wanted and all(given[need] for need in measure.needs):
            selected.append(measure)
        else:
            typer.echo(f"Left as it is: {measure.artefact} ({measure.format_command()})", err=True)
    return selected


def _run_measure(measure: Measure, given: Mapping[str, Sequence[str]], results: Path) -> None:
    """Run the command that the report names, and copy its result to ``results``."""
    with TemporaryDirectory() as folder:
        idle = ", on a computer that should do nothing else" if measure.idle else ""
        typer.echo(
            f"Measuring {measure.artefact}, about {measure.minutes} minutes{idle} …", err=True
        )
        finished = subprocess.run(
            [sys.executable, "-m", measure.module, *measure.build_arguments(given, folder)],
            stdout=subprocess.DEVNULL,
            check=False,
            # Programs of the tests need the repository as working directory; commands keep the
            # user's, because the given paths are relative to it.
            cwd=None if measure.module == "cli" else results.parents[1],
        )
        if finished.returncode:
            raise typer.Exit(finished.returncode)
        if measure.output_file:
            written = Path(folder) / measure.output_file
            (results / f"{measure.artefact}.json").write_bytes(written.read_bytes())
