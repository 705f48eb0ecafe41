"""Both fronts as servers: no connections out, no files left, everyone gets their own answer."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from core import Analyzer, AnalyzerConfig, WeightsError
from tests.fakes import FakeAnalyzer
from tests.load.__main__ import FRONTS, load
from tests.load.photos import Album, portraits, squares
from tests.load.servers import CLOSED
from tests.load.visiting import visit

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
ROOT = CLOSED.parents[2]


def closed_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(CLOSED)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("call", "is_refused"),
    [
        ("socket.create_connection(('192.0.2.1', 80))", True),
        ("socket.create_connection(('example.org', 80))", True),
        ("socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))", True),
        ("socket.create_server(('127.0.0.1', 0))", False),
        ("socket.getaddrinfo('localhost', 80)", False),
    ],
)
def test_every_connection_to_another_computer_is_refused_and_logged(call, is_refused):
    run = closed_python("-c", f"import socket; {call}")
    assert ("way out" in run.stderr) == (run.returncode != 0) == is_refused


@pytest.fixture(scope="module")
def album():
    return Album(FakeAnalyzer(), squares(40))


@pytest.mark.slow
@pytest.mark.parametrize("front", FRONTS)
def test_everybody_gets_the_right_answer_however_many_come(album, front):
    metrics = load(front, album, visitors=50, photos=4, real=False)
    assert (metrics["answered"], metrics["wrong"], metrics["lost"]) == (200, 0, 0)
    assert metrics["told_busy"] > 0  # more arrived than fit into the queue
    assert metrics["connections_tried"] == []


@pytest.mark.slow
def test_gradio_deletes_what_was_uploaded_and_what_it_drew(album, tmp_path, monkeypatch):
    monkeypatch.setenv("PHOTOS_KEPT_S", "30")  # long enough for an answer on a busy computer
    serve, front = FRONTS["gradio"]
    [photo] = album.photos_for(0, 1)
    marks = (b"visitor ", photo.content[200:240])
    with serve(tmp_path, real=False) as server:
        own = set(server.temporary.rglob("*.png"))  # the page's sample and figures
        tally = asyncio.run(visit(front, server.address, album, visitors=1, photos=1))
        assert not tally.wrong

        def find_kept_files():
            drawn = set(server.temporary.rglob("*.png")) - own
            return [*server.files_with(*marks), *map(str, drawn)]

        assert find_kept_files()
        end = time.monotonic() + 120
        while (left := find_kept_files()) and time.monotonic() < end:
            time.sleep(0.5)
        assert left == []


@pytest.mark.slow
def test_streamlit_writes_no_upload_to_disk_or_log(album, tmp_path):
    serve, front = FRONTS["streamlit"]
    [photo] = album.photos_for(0, 1)

    async def look(server):
        async with front(server.address) as visitor:
            assert await visitor.ask(photo) == ""
            assert server.files_with(b"visitor ", photo.content[200:240]) == []
            broken = replace(photo, content=photo.content[:200])
            return await visitor.ask(broken)

    with serve(tmp_path, real=False) as server:
        message = asyncio.run(look(server))
        assert "damaged or cut off" in message
        for secret in ("Traceback", "/tmp", str(ROOT), "site-packages"):
            assert secret not in message
        assert server.files_with(b"visitor ") == []


@pytest.mark.slow
def test_all_three_fronts_answer_without_any_network(tmp_path):
    try:
        analyzer = Analyzer.from_config(AnalyzerConfig())
    except WeightsError as error:
        pytest.skip(f"needs the shipped weights: {error.message}")
    album = Album(analyzer, portraits(3))
    for name, (serve, front) in FRONTS.items():
        with serve(tmp_path / name, real=True) as server:
            tally = asyncio.run(visit(front, server.address, album, visitors=2, photos=3))
            assert (tally.wrong, tally.lost, len(tally.seconds)) == ([], [], 6)
            assert server.connection_attempts() == []
    photo = tmp_path / "portrait.jpg"
    photo.write_bytes(portraits(1)[0])
    run = closed_python("-m", "cli", "analyze", str(photo), "--format", "csv")
    assert run.returncode == 0, run.stderr
    assert "way out" not in run.stderr
