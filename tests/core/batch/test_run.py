"""Batch runs: which files get rows, what is in them, and what is left alone."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import Counter

import pyarrow.parquet as pq
import pytest

from core import (
    ConfigError,
    DataError,
    Emotion,
    InferenceError,
    IsolatedReader,
    read_image,
)
from core.batch.worker import get_annotated_path
from core.output.table import COLUMN_NAMES, COLUMNS, ColumnType, make_rows
from tests.core.batch.batch_parts import InlinePool, fill_folder, inline_pool, run
from tests.core.reading.faulty_decoder import COMMAND, with_fault
from tests.fakes import FakeAnalyzer, picture, png

ONE = png(picture(Emotion.HAPPY))


def read_rows(table):
    return [json.loads(line) for line in table.read_bytes().splitlines()]


def read_paths(table):
    return [row["path"] for row in read_rows(table)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "table.jsonl"


def test_each_file_has_rows_with_the_values_of_analyze(photos, tmp_path):
    summary = run(photos, tmp_path / "table.jsonl")
    rows = read_rows(tmp_path / "table.jsonl")
    assert all(tuple(row) == COLUMN_NAMES for row in rows)
    counts = Counter()
    for path in sorted(path for path in photos.rglob("*") if path.is_file()):
        file_rows = [row for row in rows if row["path"] == path.relative_to(photos).as_posix()]
        counts[file_rows[0]["status"]] += 1
        if file_rows[0]["status"] == "failed":
            (row,) = file_rows
            assert row["error"] == "UnreadableImage"
            assert "damaged or cut off" in row["message"]
            continue
        expected = make_rows(FakeAnalyzer().analyze(read_image(path)))
        own_path = path.relative_to(photos).as_posix()
        blank = dict.fromkeys(COLUMN_NAMES)
        assert file_rows == [{**blank, **row, "path": own_path} for row in expected]
    assert counts == {
        "face": summary.with_faces,
        "no face": summary.without_faces,
        "failed": summary.failed,
    }
    assert summary.failed == 4
    assert summary.files == 20
    assert summary.faces == sum(row["status"] == "face" for row in rows)
    assert summary.uncertain == sum(row["answer"] == "not sure" for row in rows) > 0
    assert len({(row["reading"], row["model"], row["run"]) for row in rows}) == 1


def test_all_formats_hold_the_same_values(photos, tmp_path):
    for ending in ("csv", "jsonl", "parquet"):
        run(photos, tmp_path / f"table.{ending}")
    rows = read_rows(tmp_path / "table.jsonl")
    parquet = pq.read_table(tmp_path / "table.parquet")
    assert parquet.drop_columns("path_bytes").to_pylist() == rows
    assert json.loads(parquet.schema.metadata[b"photo_emotion"])["run"] == rows[0]["run"]
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        csv_rows = list(csv.DictReader(file))
    types = {column.name: column.type for column in COLUMNS}
    for row, expected in zip(csv_rows, rows, strict=True):
        for name, text in row.items():
            value = expected[name]
            if value is None:
                assert text == ""
            elif types[name] is ColumnType.BOOLEAN:
                assert text == ("yes" if value else "no")
            elif types[name] is ColumnType.TEXT:
                assert text == value
            else:
                assert float(text) == value


def test_order_and_chunk_size_change_no_byte(photos, clean_tables, tmp_path):
    class ReversedPool(InlinePool):
        def analyze(self, paths):
            return super().analyze(reversed(list(paths)))

    for number, pool in enumerate(
        (
            inline_pool(photos_per_chunk=1),
            inline_pool(photos_per_chunk=7),
            lambda setup, *_: ReversedPool(setup),
        )
    ):
        run(photos, tmp_path / f"table{number}.csv", pool=pool)
        assert (tmp_path / f"table{number}.csv").read_bytes() == clean_tables["csv"]


def test_files_with_the_same_name_in_several_folders_stay_separate(folder, out):
    for name in ("a/photo.png", "b/photo.png", "b/c/photo.png", "photo.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(ONE)
    run(folder, out)
    assert read_paths(out) == ["a/photo.png", "b/c/photo.png", "b/photo.png", "photo.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")
def test_links_pipes_and_system_files_are_counted_and_not_opened(folder, out, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.png").write_bytes(ONE)
    (folder / "photo.png").write_bytes(ONE)
    (folder / "link.png").symlink_to(tmp_path / "elsewhere" / "secret.png")
    (folder / "folder").symlink_to(tmp_path / "elsewhere")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")
    (folder / ".DS_Store").write_bytes(b"\0")
    assert run(folder, out).skipped == 5
    assert read_paths(out) == ["photo.png"]


def test_photo_is_recognised_by_its_content_not_by_its_name(folder, out):
    (folder / "photo.txt").write_bytes(ONE)
    (folder / "text.png").write_bytes(b"no picture")
    (folder / ".hidden").write_bytes(ONE)
    run(folder, out)
    assert {row["path"]: row["status"] for row in read_rows(out)} == {
        ".hidden": "face",
        "photo.txt": "face",
        "text.png": "failed",
    }


def test_folder_without_permission_gets_a_row(folder, out, monkeypatch):
    (folder / "private").mkdir()
    (folder / "photo.png").write_bytes(ONE)
    real = os.scandir

    def scandir(path):
        if str(path).endswith("private"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    run(folder, out)
    (row,) = (row for row in read_rows(out) if row["path"] == "private")
    assert (row["status"], row["message"]) == (
        "failed",
        "You have no permission to open this folder.",
    )


def test_files_of_the_run_itself_are_not_taken_for_photos(folder):
    (folder / "photo.png").write_bytes(ONE)
    out = folder / "table.jsonl"
    for _ in range(2):
        summary = run(folder, out, annotate=folder / "marked", report=folder / "page.html")
        assert (summary.files, summary.failed) == (1, 0)
    assert (folder / "marked" / "photo.png.annotated.png").is_file()


def test_file_that_vanished_gets_a_row(folder, out):
    fill_folder(folder, 6)

    def open_pool(setup, *_):
        (folder / "000.png").unlink()
        return InlinePool(setup)

    run(folder, out, pool=open_pool)
    (row,) = (row for row in read_rows(out) if row["path"] == "000.png")
    assert (row["status"], row["message"]) == ("failed", "There is no such file.")


def test_files_added_during_the_run_are_analyzed_too(folder, out, tmp_path):
    fill_folder(folder, 12)

    def grow(progress):
        number = progress.done
        if number and not (folder / f"more{number}.png").exists() and progress.total < 20:
            (folder / f"more{number}.png").write_bytes(ONE)

    run(folder, out, on_progress=grow, pool=inline_pool(photos_per_chunk=3))
    run(folder, tmp_path / "clean.jsonl")
    assert out.read_bytes() == (tmp_path / "clean.jsonl").read_bytes()
    assert sum("more" in path for path in read_paths(out)) > 4


def test_file_that_changes_during_the_run_is_analyzed_as_it_is_in_the_end(folder, out):
    (folder / "photo.png").write_bytes(ONE)

    changed = png(picture(Emotion.SAD, Emotion.SAD))

    def change(progress):
        if progress.done == 1:
            (folder / "photo.png").write_bytes(changed)
            os.utime(folder / "photo.png", (1, 1))

    run(folder, out, on_progress=change)
    assert [row["top"] for row in read_rows(out)] == ["sad", "sad"]


def test_file_that_changes_all_the_time_keeps_its_last_result(folder, out):
    (folder / "photo.png").write_bytes(ONE)
    times = iter(range(100))

    def touch(progress):
        os.utime(folder / "photo.png", (1, next(times)))

    run(folder, out, on_progress=touch)
    assert [row["top"] for row in read_rows(out)] == ["happy"]


def test_face_without_a_usable_answer_fails_only_its_own_file(folder, out):
    class Broken(FakeAnalyzer):
        def classify(self, photos, **options):
            if any(photo.answer.width == 200 for photo in photos):
                raise InferenceError("The network returned NaN.")
            return super().classify(photos, **options)

    fill_folder(folder, 4)
    (folder / "odd.png").write_bytes(png(picture(Emotion.SAD, size_wh=(200, 200))))
    summary = run(folder, out, pool=inline_pool(make_analyzer=Broken))
    (row,) = (row for row in read_rows(out) if row["path"] == "odd.png")
    assert (row["status"], row["error"]) == ("failed", "InferenceError")
    assert (summary.files, summary.failed) == (5, 1)


def test_decoder_that_crashes_or_hangs_fails_only_that_file(folder, out, tmp_path):
    fill_folder(folder, 5)
    run(folder, tmp_path / "clean.jsonl")
    faults = {
        "crash.png": ("crash", "made the decoder crash"),
        "hang.png": ("sleep", "took longer than 2 seconds"),
    }
    for name, (fault, _) in faults.items():
        (folder / name).write_bytes(with_fault(ONE, fault))
    with IsolatedReader(1, seconds=2, command=COMMAND) as reader:
        summary = run(folder, out, pool=inline_pool(reader=reader))
    assert (summary.files, summary.failed) == (7, 3)  # one of the five is damaged
    rows = {row["path"]: row for row in read_rows(out) if row["path"] in faults}
    for name, (_, message) in faults.items():
        assert (rows[name]["status"], rows[name]["error"]) == ("failed", "UnreadableImage")
        assert message in rows[name]["message"]
    others = [
        line for line in out.read_bytes().splitlines() if json.loads(line)["path"] not in faults
    ]
    assert others == (tmp_path / "clean.jsonl").read_bytes().splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_names_are_exact_in_json_and_parquet_and_safe_in_csv(folder, tmp_path):
    raw = [b"=1+1.png", b"@x", b"-y", b"\ttab", b"red\x1b[31m", b"\xe2\x80\xaegnp.png"]
    raw += [b"two\nlines", b"<b>.png", b'quote".png', b"\xe9t\xe9.png", "Grüße 你好".encode()]
    for name in raw:
        (folder / os.fsdecode(name)).write_bytes(ONE)
    names = {os.fsdecode(name) for name in raw}
    for ending in ("csv", "jsonl", "parquet"):
        run(folder, tmp_path / f"table.{ending}")
    assert set(read_paths(tmp_path / "table.jsonl")) == names
    table = pq.read_table(tmp_path / "table.parquet").to_pylist()
    exact = {os.fsdecode(row["path_bytes"]) if row["path_bytes"] else row["path"] for row in table}
    assert exact == names
    assert sum(row["path_bytes"] is not None for row in table) == 1
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = {row["path"] for row in csv.DictReader(file)}
    assert {"'=1+1.png", "'@x", "'-y", "'\ttab", "two\nlines", "\\udce9t\\udce9.png"} <= cells
    assert not [cell for cell in cells if cell[0] in "=+-@\t\r\n"]


def test_annotated_copies_are_in_the_same_subfolders(photos, tmp_path):
    run(photos, tmp_path / "table.csv", annotate=tmp_path / "marked")
    copies = {
        path.relative_to(tmp_path / "marked") for path in (tmp_path / "marked").rglob("*.png")
    }
    assert len(copies) == 16
    copy = read_image(tmp_path / "marked" / "inner" / "001.png.annotated.png")
    assert (copy.pixels != read_image(photos / "inner" / "001.png").pixels).any()


def test_annotated_copies_never_collide_or_leave_their_folder(tmp_path):
    long = "x" * 250
    paths = ["a/b.png", "b.png", f"{long}1", f"{long}2", "../b.png", "/b.png", "c/../../b.png"]
    targets = [get_annotated_path(tmp_path, path) for path in paths]
    assert len(set(targets)) >= len(paths) - 1
    for target in targets:
        assert target.resolve().is_relative_to(tmp_path)
        assert len(target.name) <= 255


def test_annotate_option_added_later_needs_a_fresh_run_and_makes_copies_of_all(photos, tmp_path):
    run(photos, tmp_path / "table.csv")
    with pytest.raises(ConfigError, match="another folder for annotated copies, or none"):
        run(photos, tmp_path / "table.csv", annotate=tmp_path / "marked")
    summary = run(photos, tmp_path / "table.csv", annotate=tmp_path / "marked", fresh=True)
    assert summary.already_done == 0
    assert len(list((tmp_path / "marked").rglob("*.png"))) == 16


def test_folder_without_files_is_refused(folder, out):
    with pytest.raises(DataError, match="no files in the folder"):
        run(folder, out)
    assert not out.exists()


@pytest.mark.parametrize("name", ["absent", "file.png"])
def test_path_that_is_not_a_folder_is_refused(folder, out, name):
    (folder / "file.png").write_bytes(ONE)
    with pytest.raises(ConfigError, match=r"cannot be opened|is a file"):
        run(folder / name, out)


@pytest.mark.parametrize("name", ["table", "table.xlsx", "table.jsonl.gz"])
def test_unknown_table_format_is_refused(folder, tmp_path, name):
    with pytest.raises(ConfigError, match="known table format") as caught:
        run(folder, tmp_path / name)
    assert ".parquet" in caught.value.hint


def test_error_while_loading_networks_ends_the_run(photos, out):
    def raise_error(_config):
        raise InferenceError("Not trained.")

    with pytest.raises(InferenceError, match="Not trained"):
        run(photos, out, pool=inline_pool(make_analyzer=raise_error))
    assert not out.exists()


def test_progress_counts_every_file(photos, out):
    calls = []
    run(photos, out, on_progress=calls.append)
    assert [progress.done for progress in calls] == [0, 8, 16, 20]
    assert {progress.total for progress in calls} == {20}
