"""`emotion report`: what is measured anew, and by which command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from training.reporting.measures import MEASURES
from training.reporting.report import Report

WRITTEN = Report((Path("report.md"), Path("ethics.md")), {"frame": ("resnet50",)}, ("landmarks",))


@pytest.fixture
def results(monkeypatch, tmp_path):
    """Where artefacts are kept, beside a report that is written at once."""
    kept = tmp_path / "docs" / "results"
    kept.mkdir(parents=True)
    monkeypatch.setattr("training.reporting.report.RESULTS", kept)
    monkeypatch.setattr("training.reporting.report.write_report", lambda _out: WRITTEN)
    return kept


@pytest.fixture
def ran(monkeypatch, results):
    """The commands that were run instead of measuring for minutes."""
    commands = []

    def run(command, cwd=None, **_options):
        commands.append((*command, cwd))
        if "--out" in command:
            out = Path(command[command.index("--out") + 1])
            names = [out] if out.suffix else [out / each.written for each in MEASURES]
            for each in names:
                if each != out or out.suffix:
                    each.write_text('{"a": 1}', encoding="utf-8")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("cli.report.subprocess.run", run)
    return commands


def report(*arguments):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_what_was_written_is_told_with_what_is_old_or_missing(results):
    shown = report("--out", "here")
    assert shown.exit_code == 0
    assert shown.stdout == "Wrote 2 files into here.\n"
    assert "frame was measured with other weights than ship (resnet50)" in shown.stderr
    assert "landmarks was not measured yet" in shown.stderr


def test_artefact_is_measured_by_the_command_that_the_report_names(ran, results):
    data = ["--data", "a.zip", "--data", "b.zip"]
    shown = report("--measure", "duplicates", *data)
    assert shown.exit_code == 0, shown.stderr
    [command] = ran
    assert command[:3] == (sys.executable, "-m", "cli")
    assert command[3:8] == ("duplicates", *data)
    assert (results / "duplicates.json").read_text(encoding="utf-8") == '{"a": 1}'


GIVEN = {
    "data": "faces.zip",
    "votes": "votes.csv",
    "photos": "photos.zip",
    "images": "val.zip",
    "boxes": "val.json",
    "negatives": "none.zip",
}


def test_all_measures_every_artefact_that_needs_no_training(ran, results):
    shown = report("--measure", "all", *(f"--{name}={value}" for name, value in GIVEN.items()))
    assert shown.exit_code == 0, shown.stderr
    assert len(ran) == len(MEASURES)
    assert "Left as it is" not in shown.stderr
    written = {each.artefact for each in MEASURES if each.written}
    assert {path.stem for path in results.iterdir()} == written
    # The operating points lie beside the weights, where the fronts read them.
    assert {each.artefact for each in MEASURES} - written == {"detection"}


def test_programs_of_the_tests_run_in_the_repository_and_commands_where_they_were_typed(
    ran, results
):
    report("--measure", "load", "--measure", "bench", "--images", "val.zip")
    assert [command[2:-3] for command in ran] == [
        ("tests.load",),
        ("cli", "bench", "--photos", "val.zip"),
    ]
    assert [command[-1] for command in ran] == [results.parents[1], None]
    assert {path.name for path in results.iterdir()} == {"load.json", "bench.json"}


def test_all_measures_what_its_data_allow_and_names_the_rest(ran):
    shown = report("--measure", "all")
    assert shown.exit_code == 0, shown.stderr
    able = [each for each in MEASURES if not each.needs]
    assert len(ran) == len(able) > 0
    for each in MEASURES:
        assert (f"Left as it is: {each.artefact} (" in shown.stderr) == (each not in able)


def test_light_leaves_out_what_wants_an_idle_computer(ran):
    given = [f"--{name}={value}" for name, value in GIVEN.items()]
    shown = report("--measure", "light", *given)
    assert len(ran) == sum(not each.idle for each in MEASURES)
    for each in MEASURES:
        assert (f"Left as it is: {each.artefact} (" in shown.stderr) == each.idle
    ran.clear()
    shown = report("--measure", "light", "--measure", "load", *given)
    assert "tests.load" in {command[2] for command in ran}
    assert "load, about 15 minutes, on a computer that should do nothing else" in shown.stderr


def test_missing_data_are_named(ran):
    shown = report("--measure", "frame", "--data", "a.zip")
    assert shown.exit_code == 2
    assert "give --photos" in shown.stderr
    assert not ran


def test_unknown_artefact_is_refused_with_the_known_ones(ran):
    shown = report("--measure", "luck")
    assert shown.exit_code == 2
    assert "duplicates" in shown.stderr
    assert not ran


def test_failed_measurement_ends_it_and_keeps_the_artefact(monkeypatch, results):
    failed = subprocess.CompletedProcess([], 3)
    monkeypatch.setattr("cli.report.subprocess.run", lambda *_a, **_o: failed)
    shown = report("--measure", "duplicates", "--data", "a.zip")
    assert shown.exit_code == 3
    assert not list(results.iterdir())
