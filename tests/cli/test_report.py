"""`emotion report`: which results are measured again, and by which command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from training.reporting.measures import MEASURES
from training.reporting.report import Report

FAKE_REPORT = Report(
    (Path("report.md"), Path("ethics.md")), {"frame": ("resnet50",)}, ("landmarks",)
)


@pytest.fixture
def results(monkeypatch, tmp_path):
    """The folder of the results; writing the report is faked."""
    folder = tmp_path / "docs" / "results"
    folder.mkdir(parents=True)
    monkeypatch.setattr("training.reporting.report.RESULTS", folder)
    monkeypatch.setattr("training.reporting.report.write_report", lambda _out: FAKE_REPORT)
    return folder


@pytest.fixture
def commands(monkeypatch, results):
    """The commands that were started; measure writes a fake result at once."""
    started = []

    def run(command, cwd=None, **_options):
        started.append((*command, cwd))
        if "--out" in command:
            out = Path(command[command.index("--out") + 1])
            paths = [out] if out.suffix else [out / measure.output_file for measure in MEASURES]
            for path in paths:
                if path != out or out.suffix:
                    path.write_text('{"a": 1}', encoding="utf-8")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("cli.report.subprocess.run", run)
    return started


def report(*arguments):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_outdated_and_missing_results_are_named(results):
    result = report("--out", "here")
    assert result.exit_code == 0
    assert result.stdout == "Wrote 2 files to here.\n"
    assert "frame was not measured with the shipped weights (resnet50)" in result.stderr
    assert "landmarks is not measured yet" in result.stderr


def test_result_is_measured_by_the_command_that_the_report_names(commands, results):
    data = ["--data", "a.zip", "--data", "b.zip"]
    result = report("--measure", "duplicates", *data)
    assert result.exit_code == 0, result.stderr
    [command] = commands
    assert command[:3] == (sys.executable, "-m", "cli")
    assert command[3:8] == ("duplicates", *data)
    assert (results / "duplicates.json").read_text(encoding="utf-8") == '{"a": 1}'


GIVEN = {
    "data": "faces.zip",
    "votes": "votes.csv",
    "photos": "photos.zip",
    "natural-photos": "natural.zip",
    "images": "val.zip",
    "boxes": "val.json",
    "negatives": "none.zip",
}


def test_all_measures_every_result_that_needs_no_training(commands, results):
    result = report("--measure", "all", *(f"--{name}={value}" for name, value in GIVEN.items()))
    assert result.exit_code == 0, result.stderr
    assert len(commands) == len(MEASURES)
    assert "Left as it is" not in result.stderr
    written = {measure.artefact for measure in MEASURES if measure.output_file}
    assert {path.stem for path in results.iterdir()} == written
    # The operating points are written beside the weights, where the app reads them.
    assert {measure.artefact for measure in MEASURES} - written == {"detection"}


def test_programs_of_the_tests_run_in_the_repository_and_commands_in_the_user_s_folder(
    commands, results
):
    report("--measure", "load", "--measure", "bench", "--images", "val.zip")
    assert [command[2:-3] for command in commands] == [
        ("tests.load",),
        ("cli", "bench", "--photos", "val.zip"),
    ]
    assert [command[-1] for command in commands] == [results.parents[1], None]
    assert {path.name for path in results.iterdir()} == {"load.json", "bench.json"}


def test_all_measures_what_the_data_allow_and_names_the_rest(commands):
    result = report("--measure", "all")
    assert result.exit_code == 0, result.stderr
    able = [measure for measure in MEASURES if not measure.needs]
    assert len(commands) == len(able) > 0
    for measure in MEASURES:
        assert (f"Left as it is: {measure.artefact} (" in result.stderr) == (measure not in able)


def test_natural_photos_are_measured_as_whole_photos(commands, results):
    result = report("--measure", "photos_natural", "--natural-photos", "natural.zip")
    assert result.exit_code == 0, result.stderr
    [command] = commands
    assert command[3:6] == ("evaluate", "--photos", "natural.zip")
    [measure] = [each for each in MEASURES if each.artefact == "photos_natural"]
    assert "--photos photos_natural.zip " in measure.format_command()
    failed = report("--measure", "photos_natural", "--photos", "photos.zip")
    assert "give --natural-photos" in failed.stderr


def test_light_leaves_out_what_needs_an_idle_computer(commands):
    given = [f"--{name}={value}" for name, value in GIVEN.items()]
    result = report("--measure", "light", *given)
    assert len(commands) == sum(not measure.idle for measure in MEASURES)
    for measure in MEASURES:
        assert (f"Left as it is: {measure.artefact} (" in result.stderr) == measure.idle
    commands.clear()
    result = report("--measure", "light", "--measure", "load", *given)
    assert "tests.load" in {command[2] for command in commands}
    assert "load, about 15 minutes, on a computer that should do nothing else" in result.stderr


def test_missing_data_are_named(commands):
    result = report("--measure", "frame", "--data", "a.zip")
    assert result.exit_code == 2
    assert "give --photos" in result.stderr
    assert not commands


def test_unknown_result_is_refused_with_the_list_of_known_ones(commands):
    result = report("--measure", "luck")
    assert result.exit_code == 2
    assert "duplicates" in result.stderr
    assert not commands


def test_failed_measurement_ends_the_command_and_keeps_the_old_result(monkeypatch, results):
    failed = subprocess.CompletedProcess([], 3)
    monkeypatch.setattr("cli.report.subprocess.run", lambda *_a, **_o: failed)
    result = report("--measure", "duplicates", "--data", "a.zip")
    assert result.exit_code == 3
    assert not list(results.iterdir())


@pytest.mark.usefixtures("results")
def test_report_of_someone_else_is_kept(tmp_path):
    out = tmp_path / "documents"
    out.mkdir()
    (out / "report.md").write_text("My own report.", encoding="utf-8")
    result = report("--out", out)
    assert result.exit_code == 2
    assert "--overwrite" in result.stderr
    assert report("--out", out, "--overwrite").exit_code == 0
    (out / "report.md").write_text("Written by `emotion report` once.", encoding="utf-8")
    (out / "ethics.md").touch()
    assert report("--out", out).exit_code == 0


def test_report_is_not_written_beside_its_inputs(tmp_path, commands):
    votes = tmp_path / "votes.csv"
    votes.touch()
    result = report("--out", tmp_path, "--votes", votes, "--measure", "light")
    assert result.exit_code == 2
    assert "where the input" in result.stderr
    assert commands == []
