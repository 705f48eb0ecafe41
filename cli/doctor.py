"""`emotion doctor`: what is missing or unfit, and the command that mends it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from core import Finding, diagnose, prepare_networks

STDERR = 2
"""The file descriptor, for a child process."""

_LOOKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


def doctor(
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Install missing system libraries (on Debian, as root), and compile the networks "
            "for this processor.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Name what is missing or unfit, with the command that mends it.

    Ends with 1 if anything keeps the application from working.
    """
    if sys.stderr.isatty():
        typer.echo("Looking at the installation …", err=True)
    findings = diagnose()
    if fix and (packages := _debian_packages(findings)) and install_debian_packages(packages):
        findings = diagnose()
    if fix and not any(finding.is_problem for finding in findings):
        findings = (*findings, prepare_networks())
    typer.echo(_document(findings) if as_json else _table(findings))
    if any(finding.is_problem for finding in findings):
        raise typer.Exit(1)


def _debian_packages(findings: Sequence[Finding]) -> list[str]:
    return sorted({name for finding in findings for name in finding.debian_packages})


def install_debian_packages(packages: Sequence[str]) -> bool:
    """Whether ``apt-get`` installed ``packages``; False where it is absent or not allowed to."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    typer.echo(f"Installing {' '.join(packages)} with apt-get", err=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps = (["update"], ["install", "--yes", "--no-install-recommends", *packages])
    return all(
        subprocess.run(
            # Results belong to stdout, so apt-get talks on stderr.
            ["apt-get", "-qq", *step],
            env=environment,
            stdout=STDERR,
            check=False,
        ).returncode
        == 0
        for step in steps
    )


def _document(findings: Sequence[Finding]) -> str:
    return json.dumps({"findings": [asdict(finding) for finding in findings]}, indent=2)


def _table(findings: Sequence[Finding]) -> str:
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        sign, colour = _LOOKS[finding.status]
        lines.append(f"{typer.style(sign, fg=colour)} {finding.name:<{width}}  {finding.detail}")
        if finding.remedy:
            lines.append(f"  {'':<{width}}  → {finding.remedy}")
    return "\n".join(lines)
