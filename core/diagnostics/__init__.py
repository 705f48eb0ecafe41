"""What is missing or unfit in an installation, each with the command that mends it.

Only the standard library is imported here, so that the diagnosis still runs where the
packages it is about are broken. No check opens a network connection.
"""

from __future__ import annotations

from pathlib import Path

from .findings import Finding, Status
from .networks import prepare_networks
from .packages import check_packages
from .system import check_camera, check_libraries, check_python
from .trials import check_trials, run_trials
from .weights import check_weights

__all__ = ["Finding", "Status", "diagnose", "prepare_networks"]

ROOT = Path(__file__).resolve().parents[2]


def diagnose(root: Path = ROOT) -> tuple[Finding, ...]:
    """Every finding about the installation of the repository at ``root``, the good ones too.

    Takes some seconds, because fragile packages are imported for a trial.
    """
    failed = run_trials()
    packages = check_packages(root / "requirements.txt", root / "constraints.txt")
    libraries = tuple(check_libraries(opencv_works="cv2" not in failed))
    return (
        check_python(),
        *packages,
        *libraries,
        *check_trials(failed, known=(*packages, *libraries)),
        *check_weights(root / "weights", _architectures()),
        check_camera(),
    )


def _architectures() -> tuple[str, ...]:
    """The networks there can be; none when the packages their list needs are missing."""
    try:
        from ..classifiers import ARCHITECTURES
    except ImportError:
        return ()
    return ARCHITECTURES
