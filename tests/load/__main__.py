"""Fifty visitors with twenty photos each at both fronts: `python -m tests.load`.

Loopback only, bounded in photos and time. Writes docs/results/load.json and ends with 1 if an
answer was wrong or lost, or a photo was left on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from core import Analyzer, AnalyzerConfig
from tests.fakes import FakeAnalyzer
from tests.load.gradio_visits import gradio_visit
from tests.load.photos import Album, portraits, squares
from tests.load.servers import ROOT, Server, gradio_server, settled_megabytes, streamlit_server
from tests.load.streamlit_visits import streamlit_visit
from tests.load.visiting import Front, visit

FRONTS: dict[str, tuple[Callable[..., AbstractContextManager[Server]], Front]] = {
    "gradio": (gradio_server, gradio_visit),
    "streamlit": (streamlit_server, streamlit_visit),
}
_MUST_BE_NONE = ("wrong", "lost", "photos_left_on_disk", "connections_tried")
_PICTURES = 100
_AT_ONCE = 2
"""Visitors before the others come: what both answers at a time take is no growth."""
_WARM_UP = 4
"""Photos of each of them."""
_SETTLE_S = 200
"""Streamlit keeps a visit that broke off for two minutes, in case its browser comes back."""
_LEVEL = 1.1
"""Times the memory after the warm-up: what allocators keep for the next photo."""


def main() -> int:
    """Exit code 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--front", choices=(*FRONTS, "both"), default="both")
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=1, help="how often, with one server")
    parser.add_argument("--fake", action="store_true", help="with a fake model")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "load.json")
    chosen = parser.parse_args()
    if chosen.fake:
        album = Album(FakeAnalyzer(), squares(_PICTURES))
    else:
        album = Album(Analyzer.from_config(AnalyzerConfig()), portraits(_PICTURES))
    fronts = tuple(FRONTS) if chosen.front == "both" else (chosen.front,)
    result: dict[str, object] = {
        "command": "python -m tests.load",
        "model": "fake" if chosen.fake else AnalyzerConfig().model,
        "processors": os.cpu_count(),
        "visitors": chosen.visitors,
        "photos_each": chosen.photos,
    }
    broken = False
    for name in fronts:
        figures = load(
            name,
            album,
            visitors=chosen.visitors,
            photos=chosen.photos,
            rounds=chosen.rounds,
            real=not chosen.fake,
        )
        result[name] = figures
        broken |= any(bool(figures[key]) for key in _MUST_BE_NONE)
    text = json.dumps(result, indent=2) + "\n"
    chosen.out.write_text(text)
    sys.stdout.write(text)
    return int(broken)


def load(
    name: str, album: Album, *, visitors: int, photos: int, rounds: int = 1, real: bool
) -> dict[str, object]:
    """The figures of one front under that load."""
    serve, front = FRONTS[name]
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), real=real) as server:
        few = visit(front, server.address, album, visitors=_AT_ONCE, photos=_WARM_UP)
        warm = asyncio.run(few)
        before = server.megabytes()
        memory: list[int] = []
        figures: dict[str, object] = {}
        for _ in range(rounds):
            started = time.monotonic()
            tally = asyncio.run(
                visit(front, server.address, album, visitors=visitors, photos=photos)
            )
            figures = tally.figures(time.monotonic() - started)
            memory.append(round(server.megabytes()))
        for problem in (*warm.wrong, *warm.lost, *tally.wrong, *tally.lost):
            sys.stderr.write(f"{name}: {problem}\n")
        after = settled_megabytes(server, before * _LEVEL, _SETTLE_S if real else 0)
        # What the demo deletes after ten minutes, a test with a shorter time looks for.
        left = server.files_with(b"visitor ") if name == "streamlit" else None
        return {
            **figures,
            "memory_mb": {
                "warm": round(before),
                "after_each_round": memory,
                "at_rest": round(after),
            },
            "photos_left_on_disk": left,
            "connections_tried": server.ways_out(),
        }


if __name__ == "__main__":
    sys.exit(main())
