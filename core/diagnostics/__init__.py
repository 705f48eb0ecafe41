"""Check an installation and suggest a command that fixes each problem.

Only the standard library is imported here, so that the diagnosis still runs if packages are broken.
No check opens a network connection.
"""

from __future__ import annotations

from pathlib import Path

from ..classifiers import ARCHITECTURES
from .confinement import check_confinement
from .findings import Finding, Status
from .packages import check_packages, check_training, list_installed_packages
from .system import check_camera, check_libraries, check_python
from .trials import (
    APP_TRIALS,
    FORMATS,
    TRIALS,
    check_formats,
    check_trials,
    prepare_networks,
    run_trials,
)
from .weights import check_weights
from .window import check_window_libraries

__all__ = ["Finding", "Status", "check_window_libraries", "diagnose", "prepare_networks"]

ROOT = Path(__file__).resolve().parents[2]


def diagnose(root: Path = ROOT) -> tuple[Finding, ...]:
    """Return all findings about the installation of the repository at ``root``, good ones too.

    Takes some seconds, because packages that break easily are imported for a trial.
    """
    installed = list_installed_packages()
    trains = "torch" in installed
    requirements = root / ("requirements.txt" if trains else "requirements-app.txt")
    trials = TRIALS if trains else APP_TRIALS
    failed, formats = run_trials(trials), run_trials(FORMATS)
    packages = check_packages(requirements, root / "constraints.txt", installed)
    libraries: tuple[Finding, ...] = ()
    if "opencv-python" in installed:  # the headless package brings all that it needs
        libraries = tuple(check_libraries(opencv_works="cv2" not in failed))
    return (
        check_python(),
        *packages,
        check_training(installed),
        *libraries,
        *check_trials(failed, known=(*packages, *libraries), tried=trials),
        *check_formats(formats),
        check_confinement(),
        *check_weights(root / "weights", ARCHITECTURES),
        *check_window_libraries(),
        check_camera(),
    )
