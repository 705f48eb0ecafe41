"""An hour's film takes no more memory than a minute's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core import (
    Emotion,
    FaceFollower,
    FilmSummary,
    Reading,
    annotate,
    answer_video,
    open_film_table,
    open_video,
    video_writer,
)
from tests.fakes import FakeAnalyzer, picture
from tests.films import make_film

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="reads memory from /proc"),
]

FRAMES = 3 * 3600
"""An hour at three frames a second: memory would grow with frames, not with their distance."""
MEASURED_AT = (FRAMES // 10, FRAMES - FRAMES // 10)
"""At the very end the decoder's process is gone already."""
MOST_GROWTH_MB = 16


def measure_mb(process):
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def test_memory_stays_flat_over_an_hour(tmp_path, record_property):
    one, other = (picture(emotion, size_wh=(160, 120)) for emotion in (Emotion.HAPPY, Emotion.SAD))
    pictures = (one if number // 900 % 2 else other for number in range(FRAMES))
    film = make_film(tmp_path / "film.mp4", pictures, rate=3, options={"preset": "ultrafast"})
    timeline, memory = FilmSummary(Reading.PEOPLE), []
    with (
        open_video(film) as video,
        video_writer(
            tmp_path / "out.mp4", size_wh=(video.width, video.height), frames_per_s=3
        ) as write,
        open_film_table(tmp_path / "rows.csv") as add_rows,
    ):
        decoder = video.frames.gi_frame.f_locals["link"]._process.pid
        follower = FaceFollower(FakeAnalyzer())
        for number, each in enumerate(answer_video(video, follower)):
            follower.analyzer.detector.seen.clear()
            timeline.add(each.frame, each.analysis)
            add_rows(each.frame, each.analysis)
            write(annotate(each.frame.image, each.analysis), each.frame.time_s)
            if number in MEASURED_AT:
                memory.append((measure_mb(os.getpid()), measure_mb(decoder)))
    growth = [after - before for before, after in zip(*memory, strict=True)]
    record_property("growth_mb", growth)
    print(f"{FRAMES} frames: {memory[0]} MB, grown by {growth} MB")  # noqa: T201
    assert min(map(min, memory)) > 1
    assert max(growth) < MOST_GROWTH_MB
