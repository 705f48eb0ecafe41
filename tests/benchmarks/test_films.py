"""Compare a film of which 15 frames a second are read with one read whole: `make bench`."""

from __future__ import annotations

import time
from contextlib import ExitStack

import cv2
import numpy as np
import pytest

from core import (
    Analyzer,
    AnalyzerConfig,
    FaceFollower,
    FilmSummary,
    Preset,
    answer_video,
    open_marked_film,
    open_video,
)
from tests.films import make_film

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

FRAMES, RATE = 450, 30
EVERY_FRAME = 1000


@pytest.fixture(scope="module")
def film(astronaut, tmp_path_factory):
    """Return a film of 1280 x 720 in which one face moves."""
    face = cv2.resize(astronaut, (1000, 1000))

    def draw():
        for number in range(FRAMES):
            canvas = np.full((720, 1280, 3), (60, 70, 80), np.uint8)
            x, y = int(140 + 100 * np.sin(number / 25)), int(140 + 20 * np.sin(number / 13))
            canvas[:, x : x + 1000] = face[y : y + 720]
            yield canvas

    return make_film(tmp_path_factory.mktemp("film") / "film.mp4", draw(), rate=RATE)


def read(film, analyzer, reads_per_s, out=None):
    """Return frames a second, and milliseconds of this process's processor time for a frame.

    The decoder is a process of its own beside it. With ``out`` the film is marked too, as on the
    pages. From the first answer on, so that loading does not count.
    """
    with open_video(film) as video, ExitStack() as stack:
        takers = [FilmSummary(analyzer.config.reading).add]
        if out is not None:
            takers.append(stack.enter_context(open_marked_film(out, video)))
        answers = answer_video(video, FaceFollower(analyzer), reads_per_s=reads_per_s)
        next(answers)
        began_s, used_s, faces = time.perf_counter(), time.process_time(), 0
        for answered in answers:
            for take in takers:
                take(answered.frame, answered.analysis)
            faces += len(answered.analysis.faces)
        past_s, used_s = time.perf_counter() - began_s, time.process_time() - used_s
    assert faces == FRAMES - 1
    return faces / past_s, 1000 * used_s / faces


def test_film_read_fifteen_times_a_second_takes_less_time(film, tmp_path, capsys):
    analyzer = Analyzer.from_config(AnalyzerConfig(preset=Preset.FAST, threads=1))
    runs = {"all": [], "sampled": [], "marked": []}
    for _ in range(3):  # in turns, so that a busy minute affects all
        runs["all"].append(read(film, analyzer, EVERY_FRAME))
        runs["sampled"].append(read(film, analyzer, 15))
        runs["marked"].append(read(film, analyzer, 15, tmp_path / "marked.mp4"))
    best = {
        way: (max(rate for rate, _ in results), min(ms for _, ms in results))
        for way, results in runs.items()
    }
    ratio = best["all"][1] / best["sampled"][1]
    with capsys.disabled():
        for way, (rate, ms) in best.items():
            print(f"\n{way}: {rate:.0f} frames/s, {ms:.1f} ms of processor time a frame")  # noqa: T201
        print(f"every frame takes {ratio:.2f} times as long")  # noqa: T201
    assert ratio >= 1.5
