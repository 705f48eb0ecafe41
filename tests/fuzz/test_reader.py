"""Whatever happens to the bytes of an image, the reader reads or refuses it, and nothing else."""

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
from tests.fuzz.reader_target import check, generate_images

IMAGES = generate_images()


def cut_off_copies(data: bytes, most: int) -> Iterator[bytes]:
    """Yield the start of a file: all short lengths, where its structure is, some longer ones."""
    near = range(min(len(data), most // 2))
    spread = range(most // 2, len(data), max(1, len(data) // (most // 2 + 1)))
    for length in (*near, *spread, len(data) - 1):
        yield data[:length]


def damaged_copies(data: bytes, count: int, seed: str) -> Iterator[bytes]:
    """Yield copies with some bytes changed, half of them near the beginning."""
    rng = random.Random(seed)
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4, 16))):
            place = rng.randrange(rng.choice((min(64, len(data)), len(data))))
            changed[place] = rng.choice((0, 0xFF, 0x7F, changed[place] ^ 1 << rng.randrange(8)))
        yield bytes(changed)


@pytest.mark.parametrize("name", IMAGES)
def test_every_generated_image_can_be_read(name: str) -> None:
    assert check(IMAGES[name]) == (name != "front.webp")


@pytest.mark.parametrize("name", IMAGES)
def test_a_file_cut_off_anywhere_is_read_or_refused(name: str) -> None:
    for data in cut_off_copies(IMAGES[name], 60):
        check(data)


@pytest.mark.parametrize("name", IMAGES)
def test_a_file_with_changed_bytes_is_read_or_refused(name: str) -> None:
    for data in damaged_copies(IMAGES[name], 60, name):
        check(data)


@pytest.fixture(scope="module")
def valid_files(shared_dir: Path) -> dict[str, bytes]:
    """Return the files of the shared corpus that must be read."""
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
        # Few copies of large files, because each copy takes as long as the whole image.
        count = max(8, min(200, 20_000_000 // len(data) // 4))
        for changed in (*cut_off_copies(data, count), *damaged_copies(data, count, name)):
            try:
                check(changed)
            except Exception as error:
                raise AssertionError(f"{name}, {len(changed)} bytes") from error
            tried += 1
    sys.stdout.write(f"{len(valid_files)} files, {tried} changed copies\n")


def test_the_check_notices_an_unexpected_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_data: bytes) -> None:
        raise IndexError("a decoder's own error")

    monkeypatch.setattr(reader_target, "read_in_process", fails)
    with pytest.raises(IndexError):
        check(b"")


def test_the_check_notices_a_slow_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_target, "MOST_SECONDS", 0.0)
    with pytest.raises(AssertionError, match="took"):
        check(IMAGES["plain.png"])


@pytest.mark.skipif(find_spec("atheris") is None, reason="needs atheris (Linux)")
def test_a_short_guided_search_finds_nothing(root: Path, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for name, data in IMAGES.items():
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
