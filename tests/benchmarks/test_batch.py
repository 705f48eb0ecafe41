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

PHOTOS = 320
LOOP = """
import json, sys, time
from pathlib import Path
from core import Analyzer, AnalyzerConfig, keep_blocks, read_image, read_isolated

folder, read = Path(sys.argv[1]), {"isolated": read_isolated, "own": read_image}[sys.argv[2]]
keep_blocks()
paths = sorted(folder.iterdir())
analyzer = Analyzer.from_config(AnalyzerConfig())
for path in paths[:8]:
    analyzer.analyze(read(path))
began = time.perf_counter()
faces = sum(len(analyzer.analyze(read(path)).faces) for path in paths)
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


def loop(root, folder, read):
    """Seconds and faces of a loop over the library's calls, without its start."""
    shown = subprocess.run(
        [sys.executable, "-c", LOOP, folder, read], cwd=root, capture_output=True, check=True
    )
    told = json.loads(shown.stdout)
    return told["seconds"], told["faces"]


def batch(folder, out):
    """Seconds and faces of a batch run from the moment the first worker is ready."""
    moments = []
    summary = run_batch(
        BatchOptions(str(folder), out), on_progress=lambda _: moments.append(time.perf_counter())
    )
    return moments[-1] - moments[0], summary.faces


def test_batch_run_is_faster_than_a_loop(root, folder, tmp_path, capsys):
    """A loop over what `emotion analyze` calls, which decodes in a process of its own as well.

    Beside it, one that decodes in its own process, which no front does with a stranger's photo.
    """
    taken = {"isolated": [], "own": [], "batch": []}
    for turn in range(3):  # by turns, so that a busy minute hits all
        for read in ("isolated", "own"):
            taken[read].append(loop(root, folder, read))
        taken["batch"].append(batch(folder, tmp_path / f"{turn}.csv"))
    assert len({faces for each in taken.values() for _, faces in each}) == 1
    rates = {way: PHOTOS / min(each)[0] for way, each in taken.items()}
    ratios = {way: rates["batch"] / rate for way, rate in rates.items()}
    with capsys.disabled():
        print(  # noqa: T201 - the figures are what this is for
            f"\nbatch {rates['batch']:.1f} photos/s; "
            f"loop as in emotion analyze {rates['isolated']:.1f}: {ratios['isolated']:.2f} times; "
            f"loop without isolation {rates['own']:.1f}: {ratios['own']:.2f} times"
        )
    assert ratios["isolated"] >= 1.6
