"""Checks of Python packages: installed, in a version that works and is tested, no conflicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from .findings import Finding, Status

if TYPE_CHECKING:
    from packaging.requirements import Requirement

INSTALL = "make install"
TRAINING = "make training"
REBUILD = "make clean install"

_NAMED_AT_MOST = 5
"""Most packages named in one line; more would hide the remedy."""


Installed = Mapping[str, metadata.Distribution]
"""Distributions by normalised name."""


def list_installed_packages() -> Installed:
    """Return every installed distribution; of two with one name the one that is imported."""
    found: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        # A folder left by an interrupted installation has neither name nor version.
        if name := distribution.metadata["Name"]:
            found.setdefault(_normalise_name(name), distribution)
    return found


def check_packages(
    requirements: Path, constraints: Path, installed: Installed | None = None
) -> tuple[Finding, ...]:
    """Check the packages of ``requirements`` and their dependencies."""
    packages = list_installed_packages() if installed is None else installed
    try:
        wanted = {
            _normalise_name(req.name): (req, why) for req, why in _read_requirements(requirements)
        }
        tested = {
            _normalise_name(req.name): str(req.specifier)
            for req, _ in _read_requirements(constraints)
        }
    except ModuleNotFoundError:
        return (Finding("packaging", Status.PROBLEM, "It is not installed.", INSTALL),)
    except OSError as error:
        file = Path(error.filename).name
        remedy = f"git checkout -- {file}"
        return (Finding("packages", Status.PROBLEM, f"{file} cannot be read.", remedy),)

    unmet = tuple(_find_unmet_requirements(wanted, packages))
    summary = Finding("packages", Status.OK, f"{len(wanted)} direct requirements are met.")
    return (
        *(unmet or (summary,)),
        *_find_opencv_clash(packages),
        *_find_conflicts(wanted, packages),
        *_find_untested(tested, packages, known={finding.name for finding in unmet}),
    )


def check_training(installed: Installed) -> Finding:
    """Say whether there is what only training, measuring and exporting need; never a problem."""
    if "torch" in installed:
        return Finding("training", Status.OK, "PyTorch is installed, so networks can be trained.")
    detail = f"PyTorch is not installed; answering needs none, and `{TRAINING}` adds it."
    return Finding("training", Status.OK, detail)


def _normalise_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _read_requirements(path: Path) -> Iterator[tuple[Requirement, str]]:
    from packaging.requirements import Requirement

    for line in path.read_text(encoding="utf-8").splitlines():
        text, _, reason = line.partition("#")
        if text.strip():
            yield Requirement(text.strip()), reason.strip()


def _find_unmet_requirements(
    wanted: Mapping[str, tuple[Requirement, str]], installed: Installed
) -> Iterator[Finding]:
    for name, (requirement, reason) in wanted.items():
        package = installed.get(name)
        if package is None:
            yield Finding(name, Status.PROBLEM, "It is not installed.", INSTALL)
        elif not requirement.specifier.contains(package.version, prereleases=True):
            detail = f"{package.version} is installed, needed is {requirement.specifier}"
            because = f" ({reason})" if reason else ""
            yield Finding(name, Status.PROBLEM, f"{detail}{because}.", INSTALL)


def _find_opencv_clash(installed: Installed) -> Iterator[Finding]:
    versions = {
        name: package.version for name, package in installed.items() if name.startswith("opencv-")
    }
    if len(set(versions.values())) > 1:
        listed = _join(f"{name} {version}" for name, version in sorted(versions.items()))
        detail = f"Wheels of several versions overwrite each other in one folder: {listed}."
        yield Finding("OpenCV", Status.PROBLEM, detail, REBUILD)


def _find_conflicts(wanted: Iterable[str], installed: Installed) -> Iterator[Finding]:
    """Yield requirements of the packages in use that are not met."""
    from packaging.requirements import InvalidRequirement, Requirement

    waiting, seen = [name for name in wanted if name in installed], set(wanted)
    conflicts = []
    while waiting:
        name = waiting.pop()
        for text in installed[name].requires or ():
            try:
                needed = Requirement(text)
            except InvalidRequirement:
                continue
            if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
                continue
            other = _normalise_name(needed.name)
            found = installed.get(other)
            if found is None:
                conflicts.append(f"{name} needs {needed.name}, which is not installed")
            elif not needed.specifier.contains(found.version, prereleases=True):
                conflicts.append(f"{name} needs {other}{needed.specifier}, not {found.version}")
            if found is not None and other not in seen:
                seen.add(other)
                waiting.append(other)
    if conflicts:
        yield Finding("versions", Status.WARNING, f"{_join(sorted(conflicts))}.", INSTALL)


_INSTALLERS = ("pip", "setuptools", "wheel")
"""Come with the environment; PyTorch names setuptools, nothing that answers photos uses it."""


def _find_untested(
    tested: Mapping[str, str], installed: Installed, known: Iterable[str]
) -> Iterator[Finding]:
    untested = [
        f"{name} {package.version} (tested: {tested[name].removeprefix('==')})"
        for name, package in sorted(installed.items())
        # A local label such as +cpu is another build of the same version.
        if name in tested
        and name not in (*known, *_INSTALLERS)
        and f"=={package.version.partition('+')[0]}" != tested[name]
    ]
    if untested:
        detail = f"Not the versions this was tested with: {_join(untested)}."
        yield Finding("versions", Status.WARNING, detail, INSTALL)


def _join(items: Iterable[str]) -> str:
    texts = list(items)
    more = len(texts) - _NAMED_AT_MOST
    return ", ".join(texts[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
