"""What Streamlit runs for each visitor and after each input."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
# Streamlit puts only this folder on the path; `core` must be the one of this repository.
if sys.path[0] != ROOT:
    sys.path.insert(0, ROOT)

from frontends.streamlit_app.pages import run

run()
