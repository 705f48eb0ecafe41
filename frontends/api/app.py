"""Starts the API alone: `emotion serve`, or `python frontends/api/app.py`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
# Python puts only this folder on the path; `core` must come from this repository.
if sys.path[0] != ROOT:
    sys.path.insert(0, ROOT)

from frontends.api.serve import serve

if __name__ == "__main__":
    serve()
