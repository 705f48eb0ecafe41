"""Whatever becomes of a picture's bytes, the reader answers or refuses, and does nothing else."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz import reader_target
from tests.fuzz.reader_target import check, generated

PICTURES = generated()


def cut_off(data: bytes, most: int) -> Iterator[bytes]:
    """The first bytes of a file: every length near its front, where its structure is, then some."""
    near = range(min(len(data), most // 2))
    spread = range(most // 2, len(data), max(1, len(data) // (most // 2 + 1)))
    for length in (*near, *spread, len(data) - 1):
        yield data[:length]


def flipped(data: bytes, count: int, seed: str) -> Iterator[bytes]:
    """The file with some bytes changed, half of the time near its front."""
    rng = random.Random(seed)
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4, 16))):
            place = rng.randrange(rng.choice((min(64, len(data)), len(data))))
            changed[place] = rng.choice((0, 0xFF, 0x7F, changed[place] ^ 1 << rng.randrange(8)))
        yield bytes(changed)


@pytest.mark.parametrize("name", PICTURES)
def test_every_generated_picture_can_be_read(name: str) -> None:
    assert check(PICTURES[name]) == (name != "front.webp")


@pytest.mark.parametrize("name", PICTURES)
def test_a_file_cut_off_anywhere_is_read_or_refused(name: str) -> None:
    for data in cut_off(PICTURES[name], 60):
        check(data)


@pytest.mark.parametrize("name", PICTURES)
def test_a_file_with_changed_bytes_is_read_or_refused(name: str) -> None:
    for data in flipped(PICTURES[name], 60, name):
        check(data)


@pytest.fixture(scope="module")
def valid_files(shared_dir: Path) -> dict[str, bytes]:
    """What the shared corpus says must be read."""
    folder = shared_dir / "image_intake"
    with (folder / "manifest.csv").open(newline="") as file:
        names = [row["file"] for row in csv.DictReader(file) if row["expect"] == "accept"]
    with zipfile.ZipFile(folder / "corpus.zip") as archive:
        return {name: archive.read(name) for name in names}


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.timeout(3600)
def test_every_valid_file_of_the_corpus_may_be_cut_off_or_changed(
    valid_files: dict[str, bytes],
) -> None:
    tried = 0
    for name, data in valid_files.items():
        # Few of the large ones: each takes as long as the whole picture does.
        count = max(8, min(200, 20_000_000 // len(data) // 4))
        for changed in (*cut_off(data, count), *flipped(data, count, name)):
            try:
                check(changed)
            except Exception as error:
                raise AssertionError(f"{name}, {len(changed)} bytes") from error
            tried += 1
    sys.stdout.write(f"{len(valid_files)} files, {tried} changed copies\n")


def test_the_target_notices_what_must_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_data: bytes) -> None:
        raise IndexError("a decoder's own error")

    monkeypatch.setattr(reader_target, "read_image", fails)
    with pytest.raises(IndexError):
        check(b"")


def test_the_target_notices_a_slow_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_target, "MOST_SECONDS", 0.0)
    with pytest.raises(AssertionError, match="took"):
        check(PICTURES["plain.png"])


@pytest.mark.skipif(find_spec("atheris") is None, reason="needs atheris, which is for Linux")
def test_a_short_guided_search_finds_nothing(root: Path, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for name, data in PICTURES.items():
        (seeds / name).write_bytes(data)
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.guided", seeds, "-runs=200", "-seed=1"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "Done 200 runs" in run.stderr
