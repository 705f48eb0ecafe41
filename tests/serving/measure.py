"""Measure an installation from an empty folder to the first answer: time, download, disk, memory.

`python -m tests.serving.measure --with pip` clones the commit that is checked out, installs what
`make app` installs, with an empty cache of the installer, and opens the app. `--requirements
requirements.txt` does the same with the full installation. Needs Linux and the package index.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import httpx

from core import write_json
from tests.browser.serving import ROOT, free_port
from tests.load.servers import descendants, resident_mb
from tests.serving.answers import PHOTO, post_photo, serve

PHOTOS = 20
"""Answered before the memory is read, so that it has settled."""
STARTS = 5
"""Of the command line and of the API; the best counts, so that other programs do not."""
FIGURES = (
    DOWNLOAD := "packages to download, MB",
    DISK := "`.venv` on the disk, MB",
    INSTALLED := "empty folder to installed, s",
    FIRST_PAGE := "empty folder to the first page, s",
    COMMAND := "first answer of `emotion analyze`, nothing cached, s",
    API_ANSWER := "first answer of the HTTP API, nothing cached, s",
    MEMORY := "resident memory of the HTTP API after 21 photos, MB",
)


def main() -> None:
    """Measure one installation, and add its figures to a file if one is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with", dest="installer", choices=["uv", "pip"], default="pip")
    parser.add_argument("--requirements", default="requirements-app.txt")
    parser.add_argument("--commit", default="HEAD", help="of this repository")
    parser.add_argument("--record", type=Path, help="JSON file to which the figures are added")
    parser.add_argument("--name", help="name of the figures in that file")
    parser.add_argument("--installed", type=Path, help="measure only the answers of this clone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="photo-emotion-installed-") as made:
        figures = (
            measure(Path(made), options.installer, options.requirements, commit=options.commit)
            if options.installed is None
            else measure_answers(options.installed)
        )
    for name, value in figures.items():
        sys.stdout.write(f"{name}: {value}\n")
    if options.record:
        known = json.loads(options.record.read_text("utf-8")) if options.record.exists() else {}
        write_json(options.record, {**known, options.name: known.get(options.name, {}) | figures})


def measure(folder: Path, installer: str, requirements: str, *, commit: str) -> dict[str, float]:
    """Install ``requirements`` into a clone below ``folder``; return the figures by name."""
    clone, caches = folder / "clone", folder / "caches"
    environment = make_environment(folder, caches, installer)
    started = time.monotonic()
    run(["git", "clone", "--quiet", ROOT, clone], environment)
    run(["git", "-C", clone, "checkout", "--quiet", commit], environment)
    run([clone / ".ci" / "install", requirements], environment)
    figures = {INSTALLED: round(time.monotonic() - started)}
    python, port = clone / ".venv" / "bin" / "python", free_port()
    run([clone / ".venv" / "bin" / "emotion", "doctor", "--fix"], environment)
    app = [clone / ".venv" / "bin" / "emotion", "app", "--port", port]
    with serve(app, environment, port, "/_stcore/health", clone) as (address, _):
        httpx.get(f"{address}/", timeout=60).raise_for_status()
        figures[FIRST_PAGE] = round(time.monotonic() - started)
    figures[DISK] = size_mb(clone / ".venv")
    packages = [python, "-m", "pip", "download", "--quiet", "--dest", folder / "packages"]
    run([python, "-m", "ensurepip"], environment)
    run([*packages, "-r", requirements, "-c", "constraints.txt"], environment, folder=clone)
    figures[DOWNLOAD] = size_mb(folder / "packages")
    return figures | measure_answers(clone)


def measure_answers(clone: Path) -> dict[str, float]:
    """Return the time of the first answers with nothing cached, and the memory of a server."""
    python = clone / ".venv" / "bin" / "python"
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment = {**kept, "PHOTO_EMOTION_CACHE": ""}
    by_command, by_api, memory = [], [], []
    for _ in range(STARTS):
        before = time.monotonic()
        run([python, "-m", "cli", "analyze", PHOTO], environment, folder=clone)
        by_command.append(time.monotonic() - before)
        port = free_port()
        command = [python, clone / "frontends" / "api" / "app.py", "--port", port]
        with serve(command, environment, port, "/api/health", clone) as (address, process):
            before = time.monotonic()
            post_photo(address)
            by_api.append(time.monotonic() - before)
            for _ in range(PHOTOS):
                post_photo(address)
            memory.append(sum(map(resident_mb, (process, *descendants(process)))))
    return {
        COMMAND: round(min(by_command), 1),
        API_ANSWER: round(min(by_api), 1),
        MEMORY: round(median(memory)),
    }


def format_table(report: Mapping[str, Mapping[str, float]]) -> str:
    """Return the recorded figures as a table in Markdown, one column for each installation."""
    head = [f"| | {' | '.join(report)} |", f"| --- |{' ---: |' * len(report)}"]
    rows = [
        f"| {name} | {' | '.join(f'{figures[name]:,}' for figures in report.values())} |"
        for name in FIGURES
    ]
    return "\n".join([*head, *rows]) + "\n"


def make_environment(folder: Path, caches: Path, installer: str) -> dict[str, str]:
    """Return variables with empty caches and a PATH on which only ``installer`` is found."""
    tools = folder / "tools"
    tools.mkdir()
    if installer == "uv":
        (tools / "uv").symlink_to(shutil.which("uv") or sys.exit("uv is not installed"))
    else:
        (tools / "uv").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (tools / "uv").chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {
        **kept,
        "PATH": os.pathsep.join((str(tools), os.environ["PATH"])),
        "PIP_CACHE_DIR": str(caches / "pip"),
        "UV_CACHE_DIR": str(caches / "uv"),
        "PHOTO_EMOTION_CACHE": str(caches / "compiled"),
    }


def run(
    command: list[object], environment: Mapping[str, str], *, folder: Path | None = None
) -> None:
    """Run a command without its output; end with that if it fails."""
    result = subprocess.run(
        [str(each) for each in command],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        sys.exit(f"{command[0]}: {result.stdout}{result.stderr}")


def size_mb(folder: Path) -> int:
    """Return what ``folder`` takes on the disk, in MB; a file with several names counts once."""
    blocks = subprocess.run(
        ["du", "--summarize", "--block-size=1000000", folder],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(blocks.stdout.split()[0])


if __name__ == "__main__":
    main()
