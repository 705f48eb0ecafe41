"""Paths that are too long and disks that fail cost a row or get a sentence, never a traceback."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path

import pytest

from core import ConfigError, Emotion
from core.batch.source import LocalFolder
from core.outputs import Output, check_output_folder, check_outputs
from tests.core.batch.batch_parts import PlainReader, run
from tests.fakes import picture, png

ONE = png(picture(Emotion.HAPPY))
TOO_LONG = Path("/", *["b" * 200] * 30)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos" / "inner").mkdir(parents=True)
    for name in ("a.png", "b.png", "inner/c.png"):
        (tmp_path / "photos" / name).write_bytes(ONE)
    return tmp_path / "photos"


def run_and_read(folder, tmp_path):
    """Return status and message of each row, by path."""
    table = tmp_path / "table.jsonl"
    run(folder, table)
    rows = map(json.loads, table.read_bytes().splitlines())
    return {row["path"]: (row["status"], row["message"]) for row in rows}


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENAMETOOLONG])
def test_folder_that_cannot_be_listed_is_one_row(folder, tmp_path, monkeypatch, number):
    real = os.scandir

    def scandir(path):
        if str(path).endswith("inner"):
            raise OSError(number, os.strerror(number))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    rows = run_and_read(folder, tmp_path)
    assert {path: row[0] for path, row in rows.items()} == {
        "a.png": "face",
        "b.png": "face",
        "inner": "failed",
    }
    assert rows["inner"][1] == f"This folder cannot be opened: {os.strerror(number)}."


def test_folder_that_can_be_listed_again_says_to_run_again(folder):
    with pytest.raises(Exception, match="could not be listed") as caught:
        LocalFolder(folder).read("inner", PlainReader())
    assert caught.value.hint == "Run the command again."


class FailingEntry:
    """An entry of a file system that has to ask the disk what it is."""

    def __init__(self, entry, number):
        self._entry, self._number = entry, number
        self.name, self.path = entry.name, entry.path

    def stat(self, **_):
        raise OSError(self._number, os.strerror(self._number))

    is_dir = stat


class Entries(list):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    close = __exit__


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_file_of_which_the_disk_says_nothing_is_one_row(folder, tmp_path, monkeypatch, number):
    real_scandir, real_open = os.scandir, os.open

    def scandir(path):
        with real_scandir(path) as entries:
            return Entries(
                FailingEntry(each, number) if each.name == "b.png" else each for each in entries
            )

    def open_file(path, *options, **named):
        if str(path).endswith("b.png"):
            raise OSError(number, os.strerror(number))
        return real_open(path, *options, **named)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "open", open_file)
    rows = run_and_read(folder, tmp_path)
    assert [rows[path][0] for path in ("a.png", "b.png", "inner/c.png")] == [
        "face",
        "failed",
        "face",
    ]
    assert rows["b.png"][1] == f"The file cannot be read: {os.strerror(number)}."


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other limits")
def test_folders_below_the_longest_path_are_one_row(folder, tmp_path):
    before, made = Path.cwd(), 0
    os.chdir(folder)
    try:
        while made < 25:  # 5,000 characters, which no single call can name
            Path("d" * 200).mkdir()
            os.chdir("d" * 200)
            made += 1
        Path("deep.png").write_bytes(ONE)
    finally:
        os.chdir(before)
    rows = run_and_read(folder, tmp_path)
    (deep,) = (path for path in rows if path.startswith("ddd"))
    assert rows[deep] == ("failed", "The file cannot be read: File name too long.")
    assert len(rows) == 4


@pytest.mark.parametrize("makes_folders", [False, True])
def test_output_with_a_name_that_is_too_long_is_refused_in_words(makes_folders):
    output = Output("--out", TOO_LONG / "table.csv")
    with pytest.raises(ConfigError, match="--out"):
        check_outputs([output], makes_folders=makes_folders)
    with pytest.raises(ConfigError, match="too long"):
        check_output_folder("--out", TOO_LONG, [])


def test_input_with_a_name_that_is_too_long_is_no_traceback(tmp_path):
    check_output_folder("--out", tmp_path, [TOO_LONG])


@pytest.mark.parametrize("option", ["out", "annotate", "report"])
def test_batch_with_an_output_whose_name_is_too_long_is_refused_in_words(folder, tmp_path, option):
    options = {"out": tmp_path / "table.csv", option: TOO_LONG.with_name(f"{'b' * 300}.csv")}
    with pytest.raises(ConfigError, match="too long"):
        run(folder, options.pop("out"), **options)
