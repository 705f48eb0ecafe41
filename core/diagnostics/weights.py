"""Checks of the weight files: present, unchanged, and which networks have none yet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..files import read_json
from .findings import Finding, Status


def check_weights(directory: Path, architectures: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Yield a finding for each network in the manifest, and for each architecture without one.

    The manifest also describes our detectors, the networks that check faces, and those of other
    projects.

    Checks size and SHA-256, which must be right before a file may be parsed.
    """
    try:
        document = read_json(directory / "manifest.json")
        models: Mapping[str, Mapping[str, Any]] = document["models"]
        described = [
            (name, directory / str(entry["file"]), int(entry["bytes"]), str(entry["sha256"]))
            for kind in ("models", "detectors", "checks", "published")
            for name, entry in document.get(kind, {}).items()
        ]
    except FileNotFoundError:
        yield _report_manifest("manifest.json is missing, so no network can answer.")
        return
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        yield _report_manifest(f"manifest.json cannot be understood ({error!r}).")
        return
    for name, file, size, sha256 in described:
        yield _check_file(name, file, size, sha256)
    for name in architectures:
        if name not in models:
            train = f"emotion train --model {name} --data DIR_OR_ZIP"
            yield Finding(f"weights {name}", Status.WARNING, "Not trained yet.", train)


def _report_manifest(detail: str) -> Finding:
    return Finding("weights", Status.PROBLEM, detail, "git checkout -- weights/")


def _check_file(name: str, file: Path, size: int, sha256: str) -> Finding:
    title, remedy = f"weights {name}", f"git checkout -- weights/{file.name}"
    try:
        data = file.read_bytes()
    except OSError:
        return Finding(title, Status.PROBLEM, f"{file.name} is missing.", remedy)
    if len(data) != size or hashlib.sha256(data).hexdigest() != sha256:
        detail = f"{file.name} differs from the file that was measured."
        return Finding(title, Status.PROBLEM, detail, remedy)
    return Finding(title, Status.OK, f"{file.name}, {size / 1e6:.1f} MB, unchanged.")
