"""The audit of the locked packages: the list itself, and what the script says about it."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import stat
import subprocess
import sys
from datetime import date, timedelta

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

IDENTIFIER = re.compile(r"CVE-\d{4}-\d{4,}|GHSA(-[2-9cfghjmpqrvwx]{4}){3}|PYSEC-\d{4}-\d+")
CHECKED = date(2026, 1, 1)
ENTRY = {
    "packages": ["pillow"],
    "ids": ["CVE-2023-50447"],
    "affected": ["<10.2.0"],
    "fixed": "10.2.0",
    "what": "It runs code.",
    "checked": CHECKED,
}


@pytest.fixture(scope="module")
def script(root):
    spec = importlib.util.spec_from_file_location("audit", root / ".ci" / "audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def audit(script, tmp_path, monkeypatch):
    """Return the script's answer for the given pins and entries."""

    def run(pins, *, days=0, **entries):
        listed = {"reads_strangers_bytes": [], "must_be_fixed": [], "accepted": [], **entries}
        monkeypatch.setattr(script, "read_list", lambda _: {"checked": CHECKED, **listed})
        (tmp_path / "constraints.txt").write_text(pins, encoding="utf-8")
        return script.audit(tmp_path, CHECKED + timedelta(days=days))

    return run


def test_no_locked_package_has_a_known_flaw_that_we_did_not_accept(root):
    command = [sys.executable, "-I", root / ".ci" / "audit.py"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert "looked through by hand" in result.stdout


def test_every_entry_says_what_it_is_about_and_an_accepted_one_why(script, root):
    listed = script.read_list(root)
    for kind in ("must_be_fixed", "accepted"):
        for entry in listed[kind]:
            extra = {"why"} if kind == "accepted" else set()
            assert set(entry) == set(ENTRY) | extra, entry
            assert all(IDENTIFIER.fullmatch(each) for each in entry["ids"]), entry
            assert entry["packages"] == [canonicalize_name(name) for name in entry["packages"]]
            assert all(len(entry[field]) > 20 for field in {"what"} | extra), entry
            assert entry["checked"] <= listed["checked"]


def test_fixed_version_of_every_entry_is_not_affected(script, root):
    for entry in script.read_list(root)["must_be_fixed"]:
        for version in re.findall(r"[\d.]*\d", entry["fixed"]):
            assert not script.is_within(version, entry["affected"]), entry


@pytest.mark.parametrize(
    "version", ["9", "10.1.0", "10.2", "10.2.0", "10.2.0.1", "10.10", "11.2.3", "2026.10.19.post1"]
)
@pytest.mark.parametrize("bounds", ["<10.2.0", ">=10.2,<11", "<=10.2", "==10.2.0", ">10.2.0"])
def test_versions_are_compared_as_pip_compares_them(script, version, bounds):
    expected = SpecifierSet(bounds).contains(Version(version))
    assert script.is_within(version, [bounds]) == expected


def test_affected_version_is_named_with_the_next_step(audit):
    [problem], _ = audit("pillow==10.1.0\n", must_be_fixed=[ENTRY])
    assert "pillow 10.1.0 is affected by CVE-2023-50447" in problem
    assert "Fixed in 10.2.0" in problem
    assert "make lock" in problem


def test_version_in_any_of_several_ranges_is_affected(script):
    ranges = [">=2,<2.4.0", "<1.10.13"]
    found = [script.is_within(each, ranges) for each in ("1.9", "1.10.13", "2.3.9", "2.4")]
    assert found == [True, False, True, False]


def test_version_in_a_requirements_file_is_compared_too(audit, tmp_path):
    (tmp_path / "requirements-x.txt").write_text("Pillow==10.1.0  # why\n", encoding="utf-8")
    assert len(audit("pillow==10.2.0\n", must_be_fixed=[ENTRY])[0]) == 1


def test_fixed_or_accepted_version_is_no_problem(audit):
    assert audit("pillow==10.2.0\n", must_be_fixed=[ENTRY])[0] == []
    assert audit("pillow==10.1.0\n", accepted=[ENTRY])[0] == []


def test_decision_that_is_no_longer_needed_is_named(audit):
    assert "CVE-2023-50447" in audit("pillow==10.2.0\n", accepted=[ENTRY])[1][0]
    assert "CVE-2023-50447" not in " ".join(audit("pillow==10.1.0\n", accepted=[ENTRY])[1])


def test_old_list_is_a_remark_but_no_failure(audit):
    assert "179 days ago" not in " ".join(audit("pillow==10.2.0\n", days=179)[1])
    problems, remarks = audit("pillow==10.2.0\n", days=181)
    assert problems == []
    assert "181 days ago" in remarks[0]


def test_packages_that_read_strangers_bytes_and_have_no_entry_are_named(audit):
    readers = ["av", "pillow", "tornado"]
    _, remarks = audit(
        "av==1\npillow==10.2.0\n", must_be_fixed=[ENTRY], reads_strangers_bytes=readers
    )
    assert remarks[0].endswith("no advisory on them is listed: av.")


@pytest.fixture
def database(script, audit, tmp_path, monkeypatch):
    """Return what the script makes of an answer of pip-audit, or of none."""
    audit("pillow==10.1.0\n", accepted=[ENTRY])

    def ask(answer):
        program = tmp_path / "pip-audit"
        wrote = f"open(sys.argv[-1], 'w').write({answer!r})" if answer else "sys.exit('no route')"
        program.write_text(f"#!{sys.executable}\nimport sys\n{wrote}\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path))
        return script.ask_database(tmp_path)

    return ask


@pytest.mark.skipif(sys.platform == "win32", reason="the fake program is a script")
def test_flaws_that_only_the_database_knows_are_problems(database):
    flaw = {"id": "PYSEC-1", "aliases": ["CVE-2023-50447"], "fix_versions": ["10.2.0"]}
    other = {"id": "PYSEC-2", "aliases": [], "fix_versions": []}
    packages = [{"name": "Pillow", "version": "10.1.0", "vulns": [flaw, other]}]
    [problem], _ = database(json.dumps({"dependencies": packages}))
    assert "PYSEC-2" in problem


@pytest.mark.skipif(sys.platform == "win32", reason="the fake program is a script")
def test_packages_that_the_database_does_not_know_are_not_taken_for_flawless(database):
    packages = [
        {"name": "pillow", "version": "10.1.0", "vulns": []},
        {"name": "av", "skip_reason": "Dependency not found on PyPI"},
    ]
    answer = database(json.dumps({"dependencies": packages}))
    assert answer == ([], ["The public database knew 1 of 2 packages."])


@pytest.mark.skipif(sys.platform == "win32", reason="the fake program is a script")
def test_database_that_does_not_answer_is_a_remark(database):
    assert database(None) == ([], ["The public database did not answer (no route)."])


def test_opencv_decodes_nothing_that_a_user_sends(root):
    """OpenCV 4.11 has a flaw in its JPEG decoder, which .ci/advisories.toml accepts."""
    decoders = {"imread", "imreadmulti", "imreadanimation", "imdecode", "imdecodemulti"}
    for folder in ("core", "cli", "frontends"):
        for path in (root / folder).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            assert not used & decoders, path
