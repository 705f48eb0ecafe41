# ruff: noqa: INP001 - a script beside others in sh
"""Print the packages of several lists with hashes, each once: `.ci/join_hashes.py LIST...`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PACKAGE = re.compile(r"^(\S+==\S+)((?: \\\n    --hash=\S+)+)$", re.MULTILINE)

packages: dict[str, set[str]] = {}
for path in sys.argv[1:]:
    for name, hashes in PACKAGE.findall(Path(path).read_text(encoding="utf-8")):
        packages.setdefault(name, set()).update(re.findall(r"--hash=\S+", hashes))
for name, found in sorted(packages.items()):
    print(" \\\n    ".join([name, *sorted(found)]))  # noqa: T201 - the list goes to a file
