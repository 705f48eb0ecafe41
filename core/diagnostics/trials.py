"""Trials of what may not work even in the right version: packages, and the networks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from .findings import Finding, Status
from .packages import INSTALL, REBUILD

# Each touches what breaks: uninstalling one OpenCV wheel empties the folder of the others, later
# releases of mediapipe have no `solutions`, torchvision must fit the build of torch.
APP_TRIALS: Mapping[str, str] = {
    "cv2": "import cv2; cv2.resize",
    "openvino": "import openvino; openvino.Core",
}
TRIALS: Mapping[str, str] = {
    **APP_TRIALS,
    "mediapipe": "import mediapipe; mediapipe.solutions.face_mesh",
    "torchvision": "import torchvision",
}

FORMATS: Mapping[str, str] = {
    # Both come with the wheels; a build of one's own may lack the library that decodes them.
    "HEIC": """
import pillow_heif
if not pillow_heif.libheif_info()["decoders"]:
    raise SystemExit("pillow-heif was built without a decoder")
""",
    "AVIF": """
from PIL import features
if not features.check("avif"):
    raise SystemExit("Pillow was built without AVIF")
""",
}

_LOAD_NETWORKS = """
from core import Analyzer, ProjectError
try:
    Analyzer.from_config()
except ProjectError as error:
    raise SystemExit(error.message)
"""

_TIMEOUT_S = 180
"""A first import after an installation compiles every module, the first start of the networks
traces and compiles them; on a slow disk that takes minutes."""


def run_trials(trials: Mapping[str, str] = TRIALS) -> dict[str, str]:
    """Return the last line of each failed package's error, by name.

    Every trial runs in its own process, which may crash or take over the terminal.
    """
    with ThreadPoolExecutor() as pool:
        errors = pool.map(_run_trial, trials.values())
        return {name: error for name, error in zip(trials, errors, strict=True) if error}


def check_trials(
    failed: Mapping[str, str], known: Iterable[Finding], tried: Iterable[str] = TRIALS
) -> Iterator[Finding]:
    """Yield a problem for each failure whose cause is not in ``known``; one line if all work."""
    causes = [finding.name for finding in known if finding.status is Status.PROBLEM]
    for name, error in failed.items():
        if name not in causes and not any(cause in error for cause in causes):
            yield Finding(name, Status.PROBLEM, f"It cannot be imported: {error}", REBUILD)
    if not failed:
        yield Finding("imports", Status.OK, f"{', '.join(tried)} work.")


def check_formats(failed: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a warning for each kind of photo that is not read; one line if all are."""
    for name, error in failed.items():
        detail = f"Photos of this kind are not read: {error}"
        remedy = INSTALL if "ModuleNotFoundError" in error else REBUILD
        yield Finding(f"{name} photos", Status.WARNING, detail, remedy)
    if not failed:
        yield Finding("photos", Status.OK, f"{' and '.join(FORMATS)} can be read too.")


def prepare_networks(program: str = _LOAD_NETWORKS) -> Finding:
    """Load and cache the networks of the default configuration, so that the first photo is fast.

    It runs in a separate process, which may crash. A failure is only a warning, because it is
    reported again, with a hint, when a network is needed.
    """
    error = _run_trial(program)
    if not error:
        return Finding("networks", Status.OK, "Loaded, and ready for the first photo.")
    return Finding("networks", Status.WARNING, f"They cannot be loaded: {error}")


def _run_trial(code: str) -> str:
    # -P: a file in the working folder must not be imported instead of the package.
    command = [sys.executable, "-P", "-c", code]
    try:
        trial = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {_TIMEOUT_S} seconds"
    if trial.returncode == 0:
        return ""
    lines = trial.stderr.strip().splitlines()
    return lines[-1].strip() if lines else f"it ended with status {trial.returncode}"
