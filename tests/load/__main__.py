"""Send fifty visitors with twenty photos each to every front: `python -m tests.load`.

Uses only this computer, and is bounded in photos and time. Writes docs/results/load.json, in which
`--front` replaces the results of one front, and exits with 1 if an answer was wrong or lost, or a
photo was left on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from core import Analyzer, AnalyzerConfig
from tests.fakes import FakeAnalyzer
from tests.load.api_visits import api_visit
from tests.load.gradio_visits import gradio_visit
from tests.load.photos import Album, portraits, squares
from tests.load.servers import (
    ROOT,
    Server,
    api_server,
    gradio_server,
    streamlit_server,
    wait_for_memory,
)
from tests.load.streamlit_visits import streamlit_visit
from tests.load.visiting import Front, visit

FRONTS: dict[str, tuple[Callable[..., AbstractContextManager[Server]], Front]] = {
    "gradio": (gradio_server, gradio_visit),
    "streamlit": (streamlit_server, streamlit_visit),
    "api": (api_server, api_visit),
}
_MUST_BE_NONE = ("wrong", "lost", "photos_left_on_disk", "connections_tried")
_IMAGES = 100
_WARM_UP_VISITORS = 2
"""Before the others come: memory for two answers at a time does not count as growth."""
_WARM_UP_PHOTOS = 4
"""Photos of each of these visitors."""
_SETTLE_S = 200
"""Streamlit keeps a broken visit for two minutes, in case its browser comes back."""
_AT_REST_RATIO = 1.1
"""Memory at rest over memory after the warm-up: allocators keep some for the next photo."""


def main() -> int:
    """Return the exit code, 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--front", choices=(*FRONTS, "all"), default="all")
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=1, help="repeat with the same server")
    parser.add_argument("--fake", action="store_true", help="with a fake model")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "load.json")
    options = parser.parse_args()
    if options.fake:
        album = Album(FakeAnalyzer(), squares(_IMAGES))
    else:
        album = Album(Analyzer.from_config(AnalyzerConfig()), portraits(_IMAGES))
    fronts = tuple(FRONTS) if options.front == "all" else (options.front,)
    conditions: dict[str, object] = {
        "command": "python -m tests.load",
        "model": "fake" if options.fake else AnalyzerConfig().model,
        "processors": os.cpu_count(),
        "visitors": options.visitors,
        "photos_each": options.photos,
    }
    result = {**_read_others(options.out, conditions), **conditions}
    broken = False
    for name in fronts:
        metrics = load(
            name,
            album,
            visitors=options.visitors,
            photos=options.photos,
            rounds=options.rounds,
            real=not options.fake,
        )
        result[name] = metrics
        broken |= any(bool(metrics[key]) for key in _MUST_BE_NONE)
    text = json.dumps(result, indent=2) + "\n"
    options.out.write_text(text)
    sys.stdout.write(text)
    return int(broken)


def _read_others(file: Path, conditions: Mapping[str, object]) -> dict[str, object]:
    """Return earlier results; none if the conditions were others."""
    earlier = json.loads(file.read_text()) if file.exists() else {}
    return earlier if conditions.items() <= earlier.items() else {}


def load(
    name: str, album: Album, *, visitors: int, photos: int, rounds: int = 1, real: bool
) -> dict[str, object]:
    """Return the results of one front under that load."""
    serve, front = FRONTS[name]
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), real=real) as server:
        warm_up = visit(
            front, server.address, album, visitors=_WARM_UP_VISITORS, photos=_WARM_UP_PHOTOS
        )
        warm = asyncio.run(warm_up)
        before = server.megabytes()
        memory: list[int] = []
        metrics: dict[str, object] = {}
        for _ in range(rounds):
            started = time.monotonic()
            tally = asyncio.run(
                visit(front, server.address, album, visitors=visitors, photos=photos)
            )
            metrics = tally.metrics(time.monotonic() - started)
            memory.append(round(server.megabytes()))
        for problem in (*warm.wrong, *warm.lost, *tally.wrong, *tally.lost):
            sys.stderr.write(f"{name}: {problem}\n")
        after = wait_for_memory(server, before * _AT_REST_RATIO, _SETTLE_S if real else 0)
        # The demo deletes uploads after ten minutes; a test with a shorter time checks that.
        left = None if name == "gradio" else server.files_with(b"visitor ")
        return {
            **metrics,
            "memory_mb": {
                "warm": round(before),
                "after_each_round": memory,
                "at_rest": round(after),
            },
            "photos_left_on_disk": left,
            "connections_tried": server.connection_attempts(),
        }


if __name__ == "__main__":
    sys.exit(main())
