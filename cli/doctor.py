"""`emotion doctor`: check the installation and suggest fixes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from cli.terminal import print_progress
from core import Finding, diagnose, prepare_networks

STDERR = 2
"""File descriptor to give to a child process."""

_SYMBOLS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


def doctor(
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Install missing system libraries (on Debian, as root) and compile the networks "
            "for this processor.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check the installation and suggest fixes.

    Exit code: 1 if something keeps the application from working.
    """
    print_progress("Checking the installation …")
    findings = diagnose()
    packages = sorted({name for finding in findings for name in finding.debian_packages})
    if fix and packages and install_debian_packages(packages):
        findings = diagnose()
    if fix and not any(finding.is_problem for finding in findings):
        findings = (*findings, prepare_networks())
    if as_json:
        typer.echo(json.dumps({"findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        _print_findings(findings)
    if any(finding.is_problem for finding in findings):
        raise typer.Exit(1)


def install_debian_packages(packages: Sequence[str]) -> bool:
    """Return whether ``apt-get`` installed ``packages``; False without apt-get or root rights."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    typer.echo(f"Installing {' '.join(packages)} with apt-get", err=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps = (["update"], ["install", "--yes", "--no-install-recommends", *packages])
    return all(
        subprocess.run(
            # Stdout is for results, so apt-get's messages go to stderr.
            ["apt-get", "-qq", *step],
            env=environment,
            stdout=STDERR,
            check=False,
        ).returncode
        == 0
        for step in steps
    )


def _print_findings(findings: Sequence[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        symbol, colour = _SYMBOLS[finding.status]
        typer.echo(f"{typer.style(symbol, fg=colour)} {finding.name:<{width}}  {finding.detail}")
        if finding.remedy:
            typer.echo(f"  {'':<{width}}  → {finding.remedy}")
