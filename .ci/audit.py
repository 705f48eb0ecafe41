# ruff: noqa: INP001, T201 - a script beside others in sh; it prints
"""Compare every locked package with the advisories in .ci/advisories.toml.

`.ci/audit.py` needs no network and is part of `make check`. `.ci/audit.py --online`, which
`make audit` runs, also asks the public database, if pip-audit is there and the database answers.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LIST = ".ci/advisories.toml"
MAX_AGE_DAYS = 180
"""Popular packages have several advisories in half a year."""

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;#\\]+)", re.MULTILINE)
_NEXT_STEP = (
    "Update it (delete its line in constraints.txt, then `make lock`), or accept it in "
    f"{LIST} and say why."
)


def read_list(root: Path) -> dict[str, Any]:
    """Return the advisories and what was decided on them."""
    return tomllib.loads((root / LIST).read_text(encoding="utf-8"))


def read_locked(root: Path) -> set[tuple[str, str]]:
    """Return name and version of each package that a constraints or requirements file pins."""
    files = [root / "constraints.txt", *sorted(root.glob("requirements*.txt"))]
    pins = (pin for file in files for pin in _PIN.findall(file.read_text(encoding="utf-8")))
    return {(canonicalize_name(name), version) for name, version in pins}


def is_within(version: str, ranges: list[str]) -> bool:
    """Return whether a version is in one of the ranges, such as ``>=2,<2.5``."""
    return any(SpecifierSet(each).contains(version, prereleases=True) for each in ranges)


def find_affected(
    locked: set[tuple[str, str]], advisory: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield name and version of every locked package that an advisory is about."""
    for name, version in sorted(locked):
        if name in advisory["packages"] and is_within(version, advisory["affected"]):
            yield name, version


def audit(root: Path, today: date) -> tuple[list[str], list[str]]:
    """Return what must be changed, and what is only worth knowing."""
    listed, locked = read_list(root), read_locked(root)
    problems = [
        f"{name} {version} is affected by {', '.join(advisory['ids'])}: {advisory['what']} "
        f"Fixed in {advisory['fixed']}. {_NEXT_STEP}"
        for advisory in listed["must_be_fixed"]
        for name, version in find_affected(locked, advisory)
    ]
    remarks = [
        f"No locked version needs the decision on {advisory['ids'][0]} any more: move it to "
        "must_be_fixed."
        for advisory in listed["accepted"]
        if not any(find_affected(locked, advisory))
    ]
    age = (today - listed["checked"]).days
    if age > MAX_AGE_DAYS:
        remarks.append(
            f"The advisories were last looked through {age} days ago. Run `make audit` with a "
            f"network, add what is missing to {LIST} and change its date."
        )
    entries = [*listed["must_be_fixed"], *listed["accepted"]]
    known = {name for advisory in entries for name in advisory["packages"]}
    unknown = {name for name, _ in locked} & set(listed["reads_strangers_bytes"]) - known
    if unknown:
        names = ", ".join(sorted(unknown))
        remarks.append(f"These read strangers' bytes, but no advisory on them is listed: {names}.")
    remarks.append(
        f"{len(locked)} locked packages, {len(entries)} entries looked through by hand on "
        f"{listed['checked']}, {len(listed['accepted'])} of them accepted."
    )
    return problems, remarks


def ask_database(root: Path) -> tuple[list[str], list[str]]:
    """Return what the public database knows of the locked versions and the list does not."""
    command = [shutil.which("pip-audit")] if shutil.which("pip-audit") else ["uvx", "pip-audit"]
    if shutil.which(command[0]) is None:
        return [], ["The public database was not asked: neither pip-audit nor uv is installed."]
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        options = ["--requirement", "constraints.txt", "--no-deps", "--disable-pip"]
        result = subprocess.run(
            [*command, *options, "--format", "json", "--output", answer],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        if not answer.exists():
            reason = (result.stderr.strip() or "no reason given").splitlines()[-1]
            return [], [f"The public database did not answer ({reason})."]
        found = json.loads(answer.read_text(encoding="utf-8"))
    accepted = {
        (name, identifier)
        for advisory in read_list(root)["accepted"]
        for name in advisory["packages"]
        for identifier in advisory["ids"]
    }
    problems = []
    for package in found["dependencies"]:
        name = canonicalize_name(package["name"])
        for each in package.get("vulns", ()):
            ids = [each["id"], *each.get("aliases", ())]
            if not accepted & {(name, identifier) for identifier in ids}:
                fixed = ", ".join(each["fix_versions"]) or "no version yet"
                problems.append(
                    f"The public database says that {name} {package['version']} is affected by "
                    f"{', '.join(ids)}. Fixed in {fixed}. {_NEXT_STEP}"
                )
    # pip-audit also calls it a success if it found no package at all, as behind some mirrors.
    answered = [each for each in found["dependencies"] if "skip_reason" not in each]
    total = len(found["dependencies"])
    return problems, [f"The public database knew {len(answered)} of {total} packages."]


def main() -> int:
    """Print what was found; the exit code is 1 if something must be changed."""
    problems, remarks = audit(ROOT, datetime.now(tz=UTC).date())
    if "--online" in sys.argv[1:]:
        more = ask_database(ROOT)
        problems, remarks = problems + more[0], remarks + more[1]
    for remark in remarks:
        print(f"audit: {remark}")
    for problem in problems:
        print(f"audit: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
