"""Checks outside of Python packages: Python's version, shared libraries, a camera."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from .findings import Finding, Status

PYTHONS = ((3, 11), (3, 12))
"""mediapipe 0.10.21 has no wheel beyond 3.12; before 3.11 ``StrEnum`` is missing."""


LIBRARIES: Mapping[str, Mapping[str, str]] = {
    "libGL.so.1": {
        "apt-get": "libgl1",
        "dnf": "mesa-libGL",
        "pacman": "libglvnd",
        "zypper": "libGL1",
    },
    "libgthread-2.0.so.0": {
        "apt-get": "libglib2.0-0",
        "dnf": "glib2",
        "pacman": "glib2",
        "zypper": "libgthread-2_0-0",
    },
}
"""Shared libraries that OpenCV needs and its wheel lacks, each with the name of its package by
package manager."""

_INSTALL = {
    "apt-get": "apt-get update && {sudo}apt-get install -y",
    "dnf": "dnf install -y",
    "pacman": "pacman -S --needed",
    "zypper": "zypper install -y",
}
_MANAGERS = {
    "debian": "apt-get",
    "ubuntu": "apt-get",
    "fedora": "dnf",
    "rhel": "dnf",
    "arch": "pacman",
    "suse": "zypper",
}


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Check whether the project runs on this Python."""
    text = ".".join(map(str, version))
    if version in PYTHONS:
        return Finding("Python", Status.OK, f"{text} at {sys.executable}")
    return Finding(
        "Python",
        Status.PROBLEM,
        f"{text} is running; 3.11 or 3.12 is needed (mediapipe 0.10.21 has no other wheels).",
        "make clean install PYTHON=python3.12",
    )


def loads(soname: str) -> bool:
    """Return whether the dynamic loader finds a shared library."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def check_libraries(
    *,
    opencv_works: bool,
    loads: Callable[[str], bool] = loads,
    system: str = sys.platform,
    manager: str | None = None,
) -> Iterator[Finding]:
    """Yield a finding for each missing library, or one if none is missing; Linux only.

    Elsewhere the wheels include all they need. If ``opencv_works`` anyway (the headless wheel was
    installed last), a missing library is only a warning.
    """
    if system != "linux":
        return
    missing = [soname for soname in LIBRARIES if not loads(soname)]
    manager = find_package_manager() if manager is None else manager
    for soname in missing:
        package = LIBRARIES[soname].get(manager)
        yield Finding(
            soname,
            Status.WARNING if opencv_works else Status.PROBLEM,
            "This shared library is missing; OpenCV "
            + ("works here without it." if opencv_works else "cannot be imported without it."),
            install_command(manager, package) if package else f"Install what provides {soname}.",
            (LIBRARIES[soname]["apt-get"],) if manager == "apt-get" else (),
        )
    if not missing:
        yield Finding("libraries", Status.OK, f"{', '.join(LIBRARIES)} are there.")


def find_package_manager() -> str:
    """Return the command that installs system packages here, "" if it is unknown."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    families = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    return next((_MANAGERS[family] for family in families if family in _MANAGERS), "")


def install_command(manager: str, package: str) -> str:
    """Return the command with which ``manager`` installs ``package``, or several with blanks."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}{_INSTALL[manager].format(sudo=sudo)} {package}"


def check_camera(devices: Path = Path("/dev"), system: str = sys.platform) -> Finding:
    """Check for a camera; never a problem, because photos can be uploaded."""
    if system != "linux":
        return Finding("camera", Status.OK, "The browser asks for it when it is needed.")
    if any(devices.glob("video*")):
        return Finding("camera", Status.OK, "There is one.")
    return Finding(
        "camera", Status.WARNING, "There is none on this computer.", "Upload photos instead."
    )
