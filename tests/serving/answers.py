"""What an installation answers, by every way of asking it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import httpx
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.browser.serving import APP, ROOT, free_port, run_server
from tests.load.servers import API, DEMO

PHOTO = ROOT / "docs" / "images" / "astronaut.jpg"
QUESTIONS = {
    "standard": (),
    "ensemble": ("--model", "ensemble"),
    "thorough": ("--preset", "thorough"),
}
"""Options of `emotion analyze` that together run every network."""
REFUSE = """
import sys

REFUSED = {names}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuse())
"""


def list_missing_modules(requirements: Path) -> set[str]:
    """Return the modules of this environment that one of only ``requirements`` would lack."""
    lines = (line.partition("#")[0].strip() for line in requirements.read_text().splitlines())
    waiting = [Requirement(line) for line in lines if line]
    # Tools that a virtual environment has or that only run the tests.
    kept = {"photo-emotion", "pip", "setuptools"}
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (requirement.marker and not requirement.marker.evaluate()) or (name, extra) in kept:
                continue
            kept |= {name, (name, extra)}
            for text in metadata.requires(name) or ():
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    needed.marker = None
                    waiting.append(needed)
    owners = metadata.packages_distributions()
    return {
        module
        for module, names in owners.items()
        if not {canonicalize_name(name) for name in names} & kept and module.isidentifier()
    }


def write_refusal(modules: set[str], folder: Path) -> dict[str, str]:
    """Return environment variables with which no Python can import ``modules``."""
    (folder / "sitecustomize.py").write_text(REFUSE.format(names=sorted(modules)))
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}


def collect_answers(
    python: Path | str, folder: Path, environment: Mapping[str, str]
) -> dict[str, bytes]:
    """Return documents and pictures of the sample photo, by the question that was asked.

    ``python`` runs the command line, the HTTP API, the demo and the app, each with nothing cached.
    """
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PHOTO_EMOTION_CACHE": "", **environment}
    answers = {}
    for question, options in QUESTIONS.items():
        heat = folder / question
        command = [python, "-m", "cli", "analyze", PHOTO, "--format", "json", "--explain", heat]
        run = subprocess.run(
            [*command, *options], cwd=ROOT, env=variables, capture_output=True, check=False
        )
        assert run.returncode == 0, run.stderr.decode()
        answers[question] = run.stdout
        (picture,) = heat.iterdir()
        answers[f"{question}, heat map"] = picture.read_bytes()
    port = free_port()
    with serve([python, API, "--port", str(port)], variables, port, "/api/health") as (address, _):
        answers["HTTP API"] = post_photo(address)
    port = free_port()
    demo = {**variables, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    with serve([python, DEMO], demo, port, "/") as (address, _):
        assert "gradio" in httpx.get(f"{address}/", timeout=60).text
        answers["demo"] = post_photo(address)
    port = free_port()
    app = [python, "-m", "streamlit", "run", APP, "--server.port", port]
    app += ["--server.headless", "true"]
    with serve(app, variables, port, "/_stcore/health") as (address, _):
        assert "<html" in httpx.get(f"{address}/", timeout=60).text
    return answers


def post_photo(address: str) -> bytes:
    """Return the document that a server answers for the sample photo."""
    with PHOTO.open("rb") as file:
        answer = httpx.post(f"{address}/api/analyze", files={"file": file}, timeout=240)
    assert answer.status_code == 200, answer.text
    return answer.content


@contextmanager
def serve(
    command: Sequence[object],
    environment: Mapping[str, str],
    port: int,
    health: str,
    folder: Path = ROOT,
) -> Iterator[tuple[str, int]]:
    """Run a server in ``folder`` until the end of the block.

    Yield its address and its process once ``health`` answers.
    """
    address = f"http://127.0.0.1:{port}"
    with run_server([*map(str, command)], environment, f"{address}{health}", folder) as server:
        yield address, server.pid
