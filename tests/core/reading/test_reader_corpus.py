"""A corpus of 326 untrusted files, each with its expected result."""

from __future__ import annotations

import csv
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from core.errors import InputError
from core.reading.isolation import IsolatedReader
from core.reading.limits import MAX_SIDE
from core.reading.reader import read_in_process
from tests.core.reading.picture_files import save

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def corpus(shared_dir: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(shared_dir / "image_intake" / "corpus.zip") as archive:
        yield archive


@pytest.fixture(scope="module")
def rows(shared_dir: Path) -> list[dict[str, str]]:
    with (shared_dir / "image_intake" / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


_PIXEL = save(Image.new("RGB", (1, 1)), "PNG")


def _memory_mb(process: int) -> dict[str, float]:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    kilobytes = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    return {name: int(size) / 1024 for name, size in kilobytes.items()}


def _outcome(source: bytes | Path) -> str:
    try:
        read = read_in_process(source)
    except InputError as refusal:
        return "reject" if refusal.message and refusal.hint else "a refusal without words"
    assert max(read.width, read.height) <= MAX_SIDE
    return "accept"


def test_every_file_gives_what_the_manifest_expects(
    corpus: zipfile.ZipFile, rows: list[dict[str, str]], capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = []
    for row in rows:
        outcome = _outcome(corpus.read(row["file"]))
        allowed = {"accept": ("accept",), "reject": ("reject",)}
        # The manifest leaves these two open; both are valid.
        phone = row["file"].endswith((".heic", ".avif"))
        other = ("accept",) if phone else ("accept", "reject")
        if outcome not in allowed.get(row["expect"], other):
            wrong.append((row["file"], row["expect"], outcome))
    assert wrong == []
    assert len(rows) > 300
    assert "".join(capfd.readouterr()) == ""


def test_files_give_the_same_from_disk_and_from_memory(
    corpus: zipfile.ZipFile, rows: list[dict[str, str]], tmp_path: Path
) -> None:
    for number, row in enumerate(rows[::7]):
        content = corpus.read(row["file"])
        path = tmp_path / f"{number}-{Path(row['file']).name}"
        path.write_bytes(content)
        assert _outcome(path) == _outcome(content), row["file"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak of memory")
def test_bombs_take_less_than_30_mb(corpus: zipfile.ZipFile, rows: list[dict[str, str]]) -> None:
    tried = 0
    with IsolatedReader(1, several_owners=False) as reader:  # else TIFFs get new processes
        for row in rows:
            if row["class"] == "bomb" and row["expect"] == "reject":
                reader.read(_PIXEL)
                [link] = reader._running
                # Reset the peak, so that one bomb does not hide the peak of the next.
                Path(f"/proc/{link._process.pid}/clear_refs").write_text("5")
                before = _memory_mb(link._process.pid)["VmRSS"]
                with pytest.raises(InputError):
                    reader.read(corpus.read(row["file"]))
                most = _memory_mb(link._process.pid)["VmHWM"]
                assert most - before < 30, row["file"]
                tried += 1
    assert tried > 20


@pytest.mark.slow
def test_no_file_takes_two_seconds_and_no_bomb_a_tenth(
    corpus: zipfile.ZipFile, rows: list[dict[str, str]]
) -> None:
    slow = {}
    for row in rows:
        content = corpus.read(row["file"])
        started = time.process_time()  # another program's work does not count
        _outcome(content)
        taken = time.process_time() - started
        bomb = row["class"] == "bomb" and row["expect"] == "reject"
        if taken > (0.1 if bomb else 2.0):
            slow[row["file"]] = taken
    assert slow == {}


def test_the_eight_orientations_of_the_same_photo_agree(
    corpus: zipfile.ZipFile,
) -> None:
    names = corpus.namelist()
    for stem in ("recurser_exif__Landscape_", "recurser_exif__Portrait_"):
        same = [read_in_process(corpus.read(name)) for name in names if stem in name]
        assert len(same) > 2
        assert len({(read.width, read.height) for read in same}) == 1
        first = same[0].pixels.astype(int)
        for read in same[1:]:
            # They differ by their JPEG compression only.
            assert abs(read.pixels.astype(int) - first).mean() < 6
