"""The diagnosis asks for what was installed: all of it, or only what answering needs."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from core import diagnostics
from core.diagnostics import Status, diagnose
from core.diagnostics.packages import check_training, list_installed_packages


def test_missing_pytorch_is_no_problem_but_says_what_adds_it():
    assert check_training({"torch": SimpleNamespace(version="2.15.0")}).status is Status.OK
    finding = check_training({})
    assert (finding.status, finding.remedy) == (Status.OK, "")
    assert "`make training` adds it" in finding.detail


@pytest.mark.parametrize("trains", [True, False])
def test_only_what_was_installed_is_diagnosed(root, monkeypatch, trains):
    everything = list_installed_packages()
    lines = (root / "requirements-app.txt").read_text(encoding="utf-8").splitlines()
    names = {line.split("#")[0].strip() for line in lines}
    known = {re.split(r"[=<>!]", name)[0].lower() for name in names if name}
    there = everything if trains else {name: everything[name] for name in known}
    monkeypatch.setattr(diagnostics, "list_installed_packages", lambda: there)
    tried = []
    monkeypatch.setattr(diagnostics, "run_trials", lambda trials: tried.extend(trials) or {})
    by_name = {finding.name: finding for finding in diagnose(root)}
    assert by_name["packages"].status is Status.OK
    assert ("mediapipe" in tried) is trains
    if not trains:
        assert "libraries" not in by_name  # the headless OpenCV needs none
