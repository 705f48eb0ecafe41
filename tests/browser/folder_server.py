"""The app with the page Folder, whose runs wait at held.png, for `streamlit run`."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from pathlib import Path

from streamlit.starlette import App

from frontends.streamlit_app import local_access
from frontends.streamlit_app.folder_runs import FOLDER_RUNS, make_batch_command

_BATCH = """
import functools, sys
from core.batch import run
from tests.core.batch.faulty_analyzers import HeldAnalyzer
run.WorkerSetup = functools.partial(run.WorkerSetup, make_analyzer=HeldAnalyzer)
from cli import main
main.app(sys.argv[1:])
"""


def _make_command(plan, *, fresh=False):
    command = make_batch_command(plan, fresh=fresh)
    return [sys.executable, "-c", _BATCH, *command[3:], "--workers", "1"]


@asynccontextmanager
async def _stop_run(_app):
    yield
    FOLDER_RUNS.stop()


local_access.allow_folders()
FOLDER_RUNS._make_command = _make_command
app = App(Path(__file__).with_name("quick_app.py"), lifespan=_stop_run)
