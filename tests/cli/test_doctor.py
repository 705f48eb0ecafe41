"""`emotion doctor` prints the findings, sets its exit code by them, and fixes what it may."""

from __future__ import annotations

import json
import subprocess

import pytest
from typer.testing import CliRunner

from cli import doctor as doctor_module
from cli.main import app
from core.diagnostics import Finding, Status

FINE = Finding("Python", Status.OK, "3.12")
CAMERA = Finding("camera", Status.WARNING, "There is none.", "Upload photos instead.")
NETWORKS = Finding("networks", Status.OK, "Ready.")
LIBRARY = Finding("libGL.so.1", Status.PROBLEM, "Missing.", "apt-get install libgl1", ("libgl1",))


@pytest.fixture
def doctor(monkeypatch):
    """Run the command on fake findings: one list for each time it diagnoses."""

    def run(*diagnoses, options=()):
        findings = iter(diagnoses)
        monkeypatch.setattr(doctor_module, "diagnose", lambda: tuple(next(findings)))
        monkeypatch.setattr(doctor_module, "prepare_networks", lambda: NETWORKS)
        return CliRunner().invoke(app, ["doctor", *options])

    return run


class Apt:
    """An apt-get that only records its commands."""

    def __init__(self):
        self.calls = []
        self.status = 0

    def run(self, command, **_):
        self.calls.append(command)
        return subprocess.CompletedProcess(command, self.status)


@pytest.fixture
def apt(monkeypatch):
    """The apt-get of a Debian computer on which we are root."""
    fake = Apt()
    monkeypatch.setattr(doctor_module.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(doctor_module.os, "geteuid", lambda: 0)
    monkeypatch.setattr(doctor_module.subprocess, "run", fake.run)
    return fake


def test_complete_installation_ends_with_0(doctor):
    result = doctor([FINE])
    assert result.exit_code == 0
    assert result.stdout == "✓ Python  3.12\n"


def test_warning_is_printed_with_its_remedy_and_ends_with_0(doctor):
    result = doctor([FINE, CAMERA])
    assert result.exit_code == 0
    assert "! camera  There is none.\n          → Upload photos instead.\n" in result.stdout


def test_problem_ends_with_1(doctor):
    result = doctor([FINE, LIBRARY])
    assert result.exit_code == 1
    assert "✗ libGL.so.1  Missing." in result.stdout
    assert "→ apt-get install libgl1" in result.stdout
    assert "networks" not in result.stdout


def test_json_holds_the_same_findings(doctor):
    result = doctor([FINE, LIBRARY], options=["--json"])
    assert result.exit_code == 1
    fine, library = json.loads(result.stdout)["findings"]
    assert fine["status"] == "ok"
    assert library == {
        "name": "libGL.so.1",
        "status": "problem",
        "detail": "Missing.",
        "remedy": "apt-get install libgl1",
        "debian_packages": ["libgl1"],
    }


def test_fix_installs_and_checks_again(doctor, apt):
    result = doctor([LIBRARY], [FINE], options=["--fix"])
    assert result.exit_code == 0
    assert [call[:3] for call in apt.calls] == [
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install"],
    ]
    assert apt.calls[1][-1] == "libgl1"
    assert "libGL" not in result.stdout


def test_fix_compiles_the_networks_for_the_first_photo(doctor):
    assert "networks  Ready." in doctor([FINE], options=["--fix"]).stdout
    assert "networks" not in doctor([FINE]).stdout


def test_nothing_is_installed_without_fix(doctor, apt):
    assert doctor([LIBRARY]).exit_code == 1
    assert apt.calls == []


def test_fix_installs_nothing_if_nothing_is_missing(doctor, apt):
    assert doctor([FINE, CAMERA], options=["--fix"]).exit_code == 0
    assert apt.calls == []


def test_fix_without_root_only_prints_the_command(doctor, apt, monkeypatch):
    monkeypatch.setattr(doctor_module.os, "geteuid", lambda: 1000)
    result = doctor([LIBRARY], options=["--fix"])
    assert result.exit_code == 1
    assert apt.calls == []
    assert "→ apt-get install libgl1" in result.stdout
    assert "networks" not in result.stdout


def test_fix_that_fails_still_reports_the_problem(doctor, apt):
    apt.status = 100
    result = doctor([LIBRARY], options=["--fix"])
    assert result.exit_code == 1
    assert "libGL.so.1" in result.stdout
