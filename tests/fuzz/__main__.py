"""Searches for bytes that break the reader's promises: `make fuzz MINUTES=5`.

Begins with pictures of every kind and with the shared corpus where it is present. Each finding is
kept as a file under build/fuzz/findings; to see one again: `python -m tests.fuzz FILE`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.reader_target import check, corpus, generated

ROOT = Path(__file__).resolve().parents[2]
HANG_SECONDS = 120
MEMORY_MB = 2048


def main() -> int:
    """Exit code 1 if there are findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("file", nargs="*", type=Path, help="findings to try again")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz")
    chosen = parser.parse_args()
    if chosen.file:
        for file in chosen.file:
            _say(f"{file}: {'read' if check(file.read_bytes()) else 'refused'}")
        return 0
    inputs, findings = chosen.folder / "corpus", chosen.folder / "findings"
    _lay_seeds(inputs)
    findings.mkdir(parents=True, exist_ok=True)
    result = _search(inputs, findings, 60 * chosen.minutes)
    (chosen.folder / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    _say(json.dumps(result, indent=2))
    return 1 if result["findings"] else 0


def _lay_seeds(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (*generated().items(), *corpus(ROOT.parent / "shared")):
        (folder / name).write_bytes(content)


def _search(inputs: Path, findings: Path, seconds: float) -> dict[str, object]:
    """Runs the fuzzer until the time is up, anew after every finding."""
    seeds = len(list(inputs.iterdir()))
    before = set(findings.iterdir())
    started = time.monotonic()
    executions = runs = 0
    while (left := seconds - (time.monotonic() - started)) >= 1:
        runs += 1
        log = findings.parent / f"run-{runs}.log"
        with log.open("wb") as file:
            subprocess.run(
                _fuzzer(inputs, findings, int(left)),
                cwd=ROOT,
                stderr=file,
                stdout=file,
                check=False,
            )
        told = log.read_text(errors="replace")
        # The count that ends a run; one that a crash ended shows the last of its progress.
        counts = re.findall(r"number_of_executed_units: (\d+)|^#(\d+)\s", told, re.MULTILINE)
        if not counts:
            raise SystemExit(f"the fuzzer does not run:\n{told[-2000:]}")
        executions += max(int(first or second) for first, second in counts)
    found = sorted(each.name for each in set(findings.iterdir()) - before)
    return {
        "minutes": round((time.monotonic() - started) / 60, 1),
        "seeds": seeds,
        "kept_for_new_branches": len(list(inputs.iterdir())) - seeds,
        "executions": executions,
        "findings": found,
    }


def _fuzzer(inputs: Path, findings: Path, seconds: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "tests.fuzz.guided",
        str(inputs),
        f"-artifact_prefix={findings}{os.sep}",
        f"-max_total_time={seconds}",
        f"-timeout={HANG_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}",
        "-max_len=200000",
        "-print_final_stats=1",
        f"-report_slow_units={HANG_SECONDS}",
    ]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
