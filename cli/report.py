"""`emotion report`: the project's report, written from measured artefacts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from core import ConfigError

if TYPE_CHECKING:
    from training.reporting.measures import Measure

ALL, LIGHT = "all", "light"
"""Every measure; every one but those that want a computer that does nothing else."""


def report(
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the documents are written.")
    ] = Path("docs"),
    measure: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            metavar="NAME",
            help="Measure this artefact anew before writing; all for every one whose data are "
            "given, light for those that need no idle computer. Can be given several times.",
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
        Path | None, typer.Option("--photos", metavar="DIR_OR_ZIP", help="Photos by emotion.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", metavar="DIR_OR_ZIP", help="Photos with boxes.")
    ] = None,
    boxes: Annotated[
        Path | None, typer.Option("--boxes", metavar="JSON", help="Their boxes, COCO format.")
    ] = None,
    negatives: Annotated[
        Path | None, typer.Option("--negatives", metavar="DIR_OR_ZIP", help="Photos without faces.")
    ] = None,
) -> None:
    """Write report.md, ethics.md, figures and one HTML file from the measured artefacts.

    Artefacts lie in docs/results; every number of the documents is read from one. With --measure
    the commands that make them are run first.
    """
    from training.reporting.report import RESULTS, write_report

    single = {"votes": votes, "photos": photos, "images": images, "boxes": boxes}
    single["negatives"] = negatives
    given = {"data": [str(path) for path in data or ()]}
    given |= {name: [str(path)] if path else [] for name, path in single.items()}
    for chosen in _chosen(measure or [], given):
        _measure(chosen, given, RESULTS)
    told = write_report(out)
    for name, networks in told.outdated.items():
        typer.secho(
            f"{name} was measured with other weights than ship ({', '.join(networks)}).",
            fg="yellow",
            err=True,
        )
    for name in told.absent:
        typer.secho(f"{name} was not measured yet; its part is left out.", fg="yellow", err=True)
    typer.echo(f"Wrote {len(told.files)} files into {out}.")


def _chosen(names: Sequence[str], given: Mapping[str, Sequence[str]]) -> list[Measure]:
    """The measures that were asked for; ConfigError for an unknown one or one without its data."""
    from training.reporting.measures import MEASURES

    known = {each.artefact: each for each in MEASURES}
    many = {ALL: MEASURES, LIGHT: [each for each in MEASURES if not each.idle]}
    for name in names:
        if name not in {*many, *known}:
            possible = ", ".join((*known, *many))
            raise ConfigError(f"There is no artefact named '{name}'.", hint=f"Known: {possible}.")
        missing = [] if name in many else [need for need in known[name].needs if not given[need]]
        if missing:
            raise ConfigError(
                f"To measure {name}, give {' and '.join(f'--{each}' for each in missing)}.",
                hint=known[name].shown(),
            )
    if not many.keys() & set(names):
        return [known[name] for name in dict.fromkeys(names)]
    named = {each.artefact for name in names for each in many.get(name, [known.get(name)]) if each}
    able = {each.artefact for each in MEASURES if all(given[need] for need in each.needs)}
    for each in MEASURES:
        if each.artefact not in named & able:
            typer.echo(f"Left as it is: {each.artefact} ({each.shown()})", err=True)
    return [each for each in MEASURES if each.artefact in named & able]


def _measure(chosen: Measure, given: Mapping[str, Sequence[str]], results: Path) -> None:
    """Run the very command that the report names, and keep what it wrote."""
    with TemporaryDirectory() as folder:
        words = chosen.words(given, folder)
        asked = ", on a computer that should do nothing else" if chosen.idle else ""
        typer.echo(
            f"Measuring {chosen.artefact}, about {chosen.minutes} minutes{asked} …", err=True
        )
        done = subprocess.run(
            [sys.executable, "-m", chosen.module, *words],
            stdout=subprocess.DEVNULL,
            check=False,
            # The programs of the tests lie in the repository; what the user gave, where he is.
            cwd=None if chosen.module == "cli" else results.parents[1],
        )
        if done.returncode:
            raise typer.Exit(done.returncode)
        if chosen.written:
            (results / f"{chosen.artefact}.json").write_bytes(
                (Path(folder) / chosen.written).read_bytes()
            )
