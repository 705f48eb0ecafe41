"""`emotion batch`: options, exit codes and messages."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys

import pytest
from typer.testing import CliRunner

from cli import main
from core import Emotion
from core.batch import run as batch_run
from tests.core.batch.batch_parts import fill_folder, inline_pool
from tests.fakes import picture, png


@pytest.fixture(autouse=True)
def opened_pools(monkeypatch):
    """The setups and options of the pools that were opened; none starts a process."""
    opened = []

    def open_pool(setup, options, files):
        opened.append((setup, options))
        return inline_pool()(setup, options, files)

    monkeypatch.setattr(batch_run, "_open_pool", open_pool)
    return opened


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


def batch(*arguments):
    return CliRunner().invoke(main.app, ["batch", *map(str, arguments)])


def test_table_is_written_and_its_rows_are_counted(tmp_path):
    result = batch(fill_folder(tmp_path / "photos"), "--out", tmp_path / "deep" / "table.csv")
    assert result.exit_code == 1
    assert result.stdout == ""
    (summary, wrote) = result.stderr.splitlines()
    assert summary.startswith("20 files: ")
    assert "4 files not read" in summary
    assert wrote == f"Wrote {tmp_path / 'deep' / 'table.csv'}"
    with (tmp_path / "deep" / "table.csv").open(encoding="utf-8-sig") as file:
        assert len({row["path"] for row in csv.DictReader(file)}) == 20


def test_exit_code_depends_on_whether_all_some_or_no_files_were_read(folder, tmp_path):
    (folder / "photo.png").write_bytes(png(picture(Emotion.SAD)))
    assert batch(folder, "--out", tmp_path / "table.csv").exit_code == 0
    (folder / "bad.png").write_bytes(b"nothing")
    assert batch(folder, "--out", tmp_path / "table.csv").exit_code == 1
    (folder / "photo.png").unlink()
    assert batch(folder, "--out", tmp_path / "table.csv").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent", "--out", "table.csv"], "cannot be opened"),
        ([".", "--out", "table.xlsx"], "known table format"),
        ([".", "--out", "table.csv"], "no files in the folder"),
        ([".", "--out", "table.csv", "--workers", "0"], "--workers"),
        (["."], "--out"),
        ([".", "--out", "table.csv", "--engine", "spark"], "'spark' is not one of"),
    ],
)
def test_run_that_cannot_start_ends_with_2(folder, monkeypatch, arguments, message):
    monkeypatch.chdir(folder)
    result = batch(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (folder / "table.csv").exists()


def test_options_reach_the_run(folder, tmp_path, opened_pools):
    (folder / "photo.png").write_bytes(png(picture(Emotion.SAD)))
    result = batch(
        folder,
        *("--out", tmp_path / "table.jsonl", "--workers", 3, "--fresh", "--engine", "ray"),
        *("--annotate", tmp_path / "marked", "--report", tmp_path / "page.html", "--thumbnails"),
        *("--model", "resnet50", "--preset", "fast", "--device", "cpu"),
        *("--certain-from", 0.9, "--detection-threshold", 0.7, "--reading", "fer2013"),
    )
    assert result.exit_code == 0, result.stderr
    ((setup, options),) = opened_pools
    assert (setup.config.model, setup.config.preset, setup.config.device) == (
        "resnet50",
        "fast",
        "cpu",
    )
    assert (setup.config.certain_from, setup.config.detection_threshold) == (0.9, 0.7)
    assert setup.config.reading == "fer2013"
    assert (options.workers, options.fresh, options.engine) == (3, True, "ray")
    assert (tmp_path / "page.html").is_file()
    assert (tmp_path / "marked" / "photo.png.annotated.png").is_file()
    assert f"Wrote {tmp_path / 'page.html'}" in result.stderr


def test_second_run_says_how_many_files_were_already_done(folder, tmp_path):
    (folder / "photo.png").write_bytes(png(picture(Emotion.SAD)))
    batch(folder, "--out", tmp_path / "table.csv")
    result = batch(folder, "--out", tmp_path / "table.csv", "--resume")
    assert "1 had already been done." in result.stderr


def test_other_reading_is_refused_with_what_to_do_and_nothing_is_lost(folder, tmp_path):
    (folder / "photo.png").write_bytes(png(picture(Emotion.SAD)))
    out = tmp_path / "table.csv"
    batch(folder, "--out", out)
    before = out.read_bytes()
    result = batch(folder, "--out", out, "--reading", "fer2013")
    assert result.exit_code == 2
    assert "a run with reading people instead of fer2013" in result.stderr
    assert "--fresh" in result.stderr
    assert out.read_bytes() == before
    assert batch(folder, "--out", out, "--reading", "fer2013", "--fresh").exit_code == 0
    with out.open(encoding="utf-8-sig", newline="") as file:
        assert [row["reading"] for row in csv.DictReader(file)] == ["fer2013"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_the_run_cleanly_and_the_same_command_continues(tmp_path, monkeypatch, number):
    folder, out = fill_folder(tmp_path / "photos"), tmp_path / "table.csv"
    append = batch_run.Journal.append

    def append_and_signal(self, index, results):
        append(self, index, results)
        os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(batch_run.Journal, "append", append_and_signal)
        result = batch(folder, "--out", out)
    assert result.exit_code == 128 + number
    assert result.stderr.startswith("Stopped. The results so far are kept")
    assert not out.exists()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    again = batch(folder, "--out", out)
    assert "8 had already been done." in again.stderr
    batch(folder, "--out", tmp_path / "clean.csv")
    assert out.read_bytes() == (tmp_path / "clean.csv").read_bytes()


def test_progress_counts_and_errors_are_json_lines_for_other_programs(folder, tmp_path):
    out = tmp_path / "table.csv"
    refused = batch(folder, "--out", out, "--json-progress")
    assert json.loads(refused.stdout)["error"] == "There are no files in the folder."
    (folder / "photo.png").write_bytes(png(picture(Emotion.SAD)))
    lines = [
        json.loads(line)
        for line in batch(folder, "--out", out, "--json-progress").stdout.splitlines()
    ]
    assert lines[:2] == [{"done": 0, "total": 1}, {"done": 1, "total": 1}]
    assert lines[-1]["summary"]["faces"] == 1
