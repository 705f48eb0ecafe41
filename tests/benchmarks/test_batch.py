"""Compare a batch run with a loop over the library's own calls: `make bench`."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from core import BatchOptions, run_batch

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

PHOTOS = 320
LOOP = """
import json, sys, time
from pathlib import Path
from core import Analyzer, AnalyzerConfig, keep_blocks, read_image
from core.reading.reader import read_in_process

folder, read = Path(sys.argv[1]), {"isolated": read_image, "own": read_in_process}[sys.argv[2]]
keep_blocks()
paths = sorted(folder.iterdir())
analyzer = Analyzer.from_config(AnalyzerConfig())
for path in paths[:8]:
    analyzer.analyze(read(path))
started = time.perf_counter()
faces = sum(len(analyzer.analyze(read(path)).faces) for path in paths)
print(json.dumps({"seconds": time.perf_counter() - started, "faces": faces}))
"""


@pytest.fixture(scope="module")
def folder(astronaut, tmp_path_factory):
    """Return a folder of different photos of 1024 x 768 with no face, one face or two."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(3)
    for number in range(PHOTOS):
        canvas = np.full((768, 1024, 3), rng.integers(40, 200, 3), np.uint8)
        for place in range(number % 3):
            side = int(rng.integers(300, 500))
            face = np.asarray(Image.fromarray(astronaut).resize((side, side)))
            y, x = int(rng.integers(0, 768 - side)), place * 512 + int(rng.integers(0, 12))
            canvas[y : y + side, x : x + side] = (face * rng.uniform(0.7, 1.0)).astype(np.uint8)
        noisy = np.clip(canvas + rng.normal(0, 6, canvas.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{number:03d}.jpg", quality=90)
    return folder


def run_loop(root, folder, read):
    """Return seconds and faces of a loop over the library's calls, without its start-up."""
    process = subprocess.run(
        [sys.executable, "-c", LOOP, folder, read], cwd=root, capture_output=True, check=True
    )
    result = json.loads(process.stdout)
    return result["seconds"], result["faces"]


def time_batch(folder, out):
    """Return seconds and faces of a batch run, from when its first worker is ready."""
    moments = []
    summary = run_batch(
        BatchOptions(str(folder), out), on_progress=lambda _: moments.append(time.perf_counter())
    )
    return moments[-1] - moments[0], summary.faces


def test_batch_run_is_faster_than_a_loop(root, folder, tmp_path, capsys):
    """Compare with a loop over the calls of `emotion analyze`, which also isolates its decoder.

    A second loop decodes in its own process, which no front does with a stranger's photo.
    """
    runs = {"isolated": [], "own": [], "batch": []}
    for turn in range(3):  # in turns, so that a busy minute affects all
        for read in ("isolated", "own"):
            runs[read].append(run_loop(root, folder, read))
        runs["batch"].append(time_batch(folder, tmp_path / f"{turn}.csv"))
    assert len({faces for results in runs.values() for _, faces in results}) == 1
    rates = {way: PHOTOS / min(results)[0] for way, results in runs.items()}
    ratios = {way: rates["batch"] / rate for way, rate in rates.items()}
    with capsys.disabled():
        print(  # noqa: T201 - a benchmark prints its result
            f"\nbatch {rates['batch']:.1f} photos/s; "
            f"loop as in emotion analyze {rates['isolated']:.1f}: {ratios['isolated']:.2f} times; "
            f"loop without isolation {rates['own']:.1f}: {ratios['own']:.2f} times"
        )
    assert ratios["isolated"] >= 1.6
