"""A batch run writes over no photo, and over no file of the user unless asked to."""

from __future__ import annotations

import json
import os

import pytest

from core import ConfigError, Emotion
from core.batch.outputs import journal_path
from tests.core.batch.batch_parts import run
from tests.fakes import picture, png

ONE = png(picture(Emotion.HAPPY))


def read_paths(table):
    return [json.loads(line)["path"] for line in table.read_bytes().splitlines()]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


@pytest.mark.parametrize("option", ["out", "report"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_photo_is_never_written_over(folder, tmp_path, option, overwrite):
    (folder / "a.png").write_bytes(ONE)
    outputs = {"out": tmp_path / "table.jsonl", "report": tmp_path / "report.html"}
    os.link(folder / "a.png", outputs[option])
    with pytest.raises(ConfigError, match=r"would overwrite the input|not an earlier result"):
        run(folder, **outputs, overwrite=overwrite)
    assert (folder / "a.png").read_bytes() == outputs[option].read_bytes() == ONE


def test_photo_with_the_name_of_the_table_is_never_written_over(folder):
    photo = folder / "photo.csv"  # what a file is called does not matter
    photo.write_bytes(ONE)
    with pytest.raises(ConfigError, match="would overwrite the input"):
        run(folder, photo, overwrite=True)
    assert photo.read_bytes() == ONE
    assert list(folder.iterdir()) == [photo]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_own_table_and_report_are_replaced_and_other_files_kept(folder, tmp_path, ending):
    (folder / "a.png").write_bytes(ONE)
    out, report = tmp_path / f"table.{ending}", tmp_path / "report.html"
    run(folder, out, report=report)
    journal_path(out).unlink()
    run(folder, out, report=report)
    journal_path(out).unlink()
    for file in (out, report):
        content = file.read_bytes()
        file.write_bytes(b"a file of the user")
        with pytest.raises(ConfigError, match="not an earlier result"):
            run(folder, out, report=report)
        assert file.read_bytes() == b"a file of the user"
        assert not journal_path(out).exists()
        file.write_bytes(content)
    out.write_bytes(b"a file of the user")
    run(folder, out, report=report, overwrite=True)
    assert out.read_bytes() != b"a file of the user"


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_results_of_an_older_version_are_replaced(folder, tmp_path, ending):
    (folder / "a.png").write_bytes(ONE)
    out, report = tmp_path / f"table.{ending}", tmp_path / "report.html"
    run(folder, out, report=report)
    journal_path(out).unlink()
    older = out.read_text().replace('"turned": 0, ', "").replace(",turned,", ",")
    assert older != out.read_text()
    out.write_text(older)
    mark = '<meta name="generator" content="emotion batch">'
    assert mark in report.read_text()
    report.write_text(report.read_text().replace(mark, ""))
    run(folder, out, report=report)
    assert "turned" in out.read_text()
    assert mark in report.read_text()


def test_table_and_report_are_two_files(folder, tmp_path):
    (folder / "a.png").write_bytes(ONE)
    for report in (tmp_path / "table.jsonl", tmp_path / "table.jsonl.journal"):
        with pytest.raises(ConfigError, match="are the same file"):
            run(folder, tmp_path / "table.jsonl", report=report)


def test_annotated_copies_do_not_join_the_photos(folder, tmp_path):
    (folder / "a.png").write_bytes(ONE)
    (tmp_path / "linked").symlink_to(folder, target_is_directory=True)
    for copies in (folder, tmp_path, tmp_path / "linked"):
        with pytest.raises(ConfigError, match="has the photos in it"):
            run(folder, tmp_path / "table.jsonl", annotate=copies)
    assert list(folder.iterdir()) == [folder / "a.png"]
    run(folder, tmp_path / "table.jsonl", annotate=folder / "copies")
    assert len(read_paths(tmp_path / "table.jsonl")) == 1
