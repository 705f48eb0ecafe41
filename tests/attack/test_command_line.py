"""What is done to the command line: hostile files, names, links, journals, manifests, kills."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.batch.outputs import journal_path
from core.files import part_path
from core.weights import MANIFEST_NAME, SHIPPED_DIR
from tests.browser.serving import ROOT
from tests.cli.test_batch_process import PROGRAM, wait_until
from tests.core.batch.batch_parts import fill_folder
from tests.core.reading import picture_files
from tests.load.servers import descendants

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs POSIX links, signals and /proc"),
]
FAILED_SOME = 1
REFUSED = 2
COSTLY = {
    "bomb.jpg": picture_files.jpeg_of_size(65_000, 65_000),
    "lossless.jpg": picture_files.lossless_jpeg(8_000, 8_000),
    "bomb.gif": picture_files.gif_of_size(65_000, 65_000),
    "bomb.bmp": picture_files.bmp_of_size(60_000, 60_000),
    "bomb.webp": picture_files.webp_of_size(16_000, 16_000),
    "empty.png": b"",
    "text.jpg": b"not a picture",
    "line\nError: forged\x1b[31m.jpg": b"",
}


def emotion(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command with a quick fake model for batch runs."""
    command = [sys.executable, "-c", PROGRAM, *map(os.fspath, arguments)]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert "Traceback" not in run.stderr + run.stdout
    return run


def read_rows(table: Path) -> dict[str, dict[str, object]]:
    rows = map(json.loads, table.read_text(encoding="utf-8").splitlines())
    return {str(row["path"]): row for row in rows}


def test_costly_files_and_forged_names_cost_one_row_each(tmp_path):
    folder = fill_folder(tmp_path / "photos", 3)
    for name, content in COSTLY.items():
        (folder / name).write_bytes(content)
    out = tmp_path / "table.jsonl"
    run = emotion("batch", folder, "--out", out, "--workers", "1")
    assert run.returncode == FAILED_SOME
    rows = read_rows(out)
    assert set(rows) >= set(COSTLY)
    assert all(rows[name]["status"] == "failed" for name in COSTLY)
    assert "\nError: forged" not in run.stderr
    assert "\x1b" not in run.stderr
    for name in COSTLY:
        run = emotion("analyze", folder / name)
        assert run.returncode != 0
        assert "\nError: forged" not in run.stderr


def test_links_pipes_and_devices_are_not_opened(tmp_path):
    folder = fill_folder(tmp_path / "photos", 3)
    secret = tmp_path / "secret.png"
    shutil.copy(folder / "000.png", secret)
    (folder / "link.png").symlink_to(secret)
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "around").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")
    out = tmp_path / "table.jsonl"
    for place in (folder, f"file://{folder}"):
        emotion("batch", place, "--out", out, "--workers", "1", "--fresh")
        assert sorted(Path(each).name for each in read_rows(out)) == [
            "000.png",
            "001.png",
            "002.png",
        ]


def test_planted_links_and_foreign_files_are_not_overwritten(tmp_path):
    folder = fill_folder(tmp_path / "photos", 3)
    photo, secret, out = folder / "000.png", tmp_path / "secret", tmp_path / "table.jsonl"
    before = photo.read_bytes()
    secret.write_bytes(b"secret")
    journal_path(out).symlink_to(secret)
    assert emotion("batch", folder, "--out", out).returncode == REFUSED
    journal_path(out).unlink()
    part_path(out).symlink_to(secret)
    emotion("batch", folder, "--out", out, "--workers", "1")
    assert len(read_rows(out)) == 3
    table = folder / "table.csv"  # a photo, whatever it is called
    shutil.copy(photo, table)
    for options in (
        ("--out", tmp_path / "other.csv", "--report", photo, "--overwrite"),
        ("--out", tmp_path / "other.csv", "--annotate", folder),
        ("--out", table, "--overwrite"),
    ):
        assert emotion("batch", folder, *options).returncode == REFUSED
    assert (photo.read_bytes(), table.read_bytes()) == (before, before)
    assert secret.read_bytes() == b"secret"


def test_changed_lines_of_a_journal_are_computed_again(tmp_path):
    folder = fill_folder(tmp_path / "photos", 6)
    out = tmp_path / "table.jsonl"
    emotion("batch", folder, "--out", out, "--workers", "1")
    right, journal = out.read_bytes(), journal_path(out)
    lines = journal.read_bytes().splitlines(keepends=True)
    for broken in (
        [each.replace(b"happy", b"angry") for each in lines],
        [lines[0], *(each.replace(b'"', b"'") for each in lines[1:])],
        [lines[0], b"[" * 100_000 + b"\n", *lines[1:]],
        [lines[0], *lines[2:], lines[1][:20]],
    ):
        journal.write_bytes(b"".join(broken))
        out.unlink()
        emotion("batch", folder, "--out", out, "--workers", "1")
        assert out.read_bytes() == right


@pytest.mark.parametrize("text", ["1e999", "[" * 100_000], ids=["infinite", "nested"])
def test_hostile_manifest_is_refused_in_a_sentence(tmp_path, text):
    document = json.loads((SHIPPED_DIR / MANIFEST_NAME).read_text(encoding="utf-8"))
    # A number that nothing else checks.
    document["models"]["mobilenet_v2"]["metrics"]["accuracy"] = "HERE"
    manifest = tmp_path / MANIFEST_NAME
    manifest.write_text(json.dumps(document).replace('"HERE"', text), encoding="utf-8")
    data = ("--data", tmp_path, "--split", "test", "--out", tmp_path / "out")
    run = emotion("evaluate", *data, "--weights", tmp_path)
    assert run.returncode >= REFUSED
    assert "cannot be understood" in run.stderr.replace("\n", " ")


def is_worker(process: int) -> bool:
    return b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes()


def test_killed_worker_costs_no_row_and_prints_no_traceback(tmp_path):
    folder = fill_folder(tmp_path / "photos", 60)
    clean, out = tmp_path / "clean.jsonl", tmp_path / "table.jsonl"
    emotion("batch", folder, "--out", clean, "--workers", "1")
    command = [sys.executable, "-c", PROGRAM, "batch", folder, "--out", out, "--workers", "2"]
    with subprocess.Popen(
        list(map(str, command)), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        wait_until(lambda: journal_path(out).exists() and journal_path(out).stat().st_size > 2000)
        # Not a decoder's process, nor that which counts shared memory.
        worker = max(each for each in descendants(process.pid) if is_worker(each))
        os.kill(worker, signal.SIGKILL)
        _, messages = process.communicate(timeout=300)
    assert b"Traceback" not in messages
    assert out.read_bytes() == clean.read_bytes()
