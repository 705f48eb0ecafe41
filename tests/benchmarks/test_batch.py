"""How much faster a batch run is than a loop over the library's own call: `make bench`."""

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

PHOTOS = 160
LOOP = """
import json, sys, time
from pathlib import Path
from core import Analyzer, AnalyzerConfig, read_image

paths = sorted(Path(sys.argv[1]).iterdir())
analyzer = Analyzer.from_config(AnalyzerConfig())
for path in paths[:8]:
    analyzer.analyze(read_image(path))
began = time.perf_counter()
faces = sum(len(analyzer.analyze(read_image(path)).faces) for path in paths)
print(json.dumps({"seconds": time.perf_counter() - began, "faces": faces}))
"""


@pytest.fixture(scope="module")
def folder(astronaut, tmp_path_factory):
    """Photos of 1024 x 768 with no face, one or two, none of them like another."""
    folder = tmp_path_factory.mktemp("photos")
    dice = np.random.default_rng(3)
    for number in range(PHOTOS):
        canvas = np.full((768, 1024, 3), dice.integers(40, 200, 3), np.uint8)
        for place in range(number % 3):
            side = int(dice.integers(300, 500))
            face = np.asarray(Image.fromarray(astronaut).resize((side, side)))
            y, x = int(dice.integers(0, 768 - side)), place * 512 + int(dice.integers(0, 12))
            canvas[y : y + side, x : x + side] = (face * dice.uniform(0.7, 1.0)).astype(np.uint8)
        noisy = np.clip(canvas + dice.normal(0, 6, canvas.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{number:03d}.jpg", quality=90)
    return folder


def loop(root, folder):
    """Seconds and faces of a loop over the library's call, without its start."""
    shown = subprocess.run(
        [sys.executable, "-c", LOOP, folder], cwd=root, capture_output=True, check=True
    )
    told = json.loads(shown.stdout)
    return told["seconds"], told["faces"]


def batch(folder, out):
    """Seconds and faces of a batch run from the moment the first worker is ready."""
    moments = []
    summary = run_batch(
        BatchOptions(str(folder), out), tell=lambda _: moments.append(time.perf_counter())
    )
    return moments[-1] - moments[0], summary.faces


def test_batch_run_is_faster_than_a_loop(root, folder, tmp_path, capsys):
    loops, batches = [], []
    for turn in range(2):  # by turns, so that a busy minute hits both
        loops.append(loop(root, folder))
        batches.append(batch(folder, tmp_path / f"{turn}.csv"))
    assert len({faces for _, faces in [*loops, *batches]}) == 1
    seconds = [min(each)[0] for each in (loops, batches)]
    rates = [PHOTOS / each for each in seconds]
    with capsys.disabled():
        print(  # noqa: T201 - the figure is what this is for
            f"\nbatch {rates[1]:.1f} photos/s, loop {rates[0]:.1f}: {rates[1] / rates[0]:.2f} times"
        )
    assert rates[1] >= 1.6 * rates[0]
