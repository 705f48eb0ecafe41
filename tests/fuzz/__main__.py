"""Search for bytes that break the reader: `make fuzz MINUTES=5`.

Starts from images of every format and from the shared corpus, if present. Each finding is written
to a file under build/fuzz/findings; to try one again: `python -m tests.fuzz FILE`.
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

from tests.fuzz.reader_target import check, generate_images, read_corpus

ROOT = Path(__file__).resolve().parents[2]
HANG_SECONDS = 120
MEMORY_MB = 2048


def main() -> int:
    """Return the exit code, 1 if there are findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("file", nargs="*", type=Path, help="findings to try again")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz")
    options = parser.parse_args()
    if options.file:
        for file in options.file:
            _print(f"{file}: {'read' if check(file.read_bytes()) else 'refused'}")
        return 0
    inputs, findings = options.folder / "corpus", options.folder / "findings"
    _write_seeds(inputs)
    findings.mkdir(parents=True, exist_ok=True)
    result = _search(inputs, findings, 60 * options.minutes)
    (options.folder / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    _print(json.dumps(result, indent=2))
    return 1 if result["findings"] else 0


def _write_seeds(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (*generate_images().items(), *read_corpus(ROOT.parent / "shared")):
        (folder / name).write_bytes(content)


def _search(inputs: Path, findings: Path, seconds: float) -> dict[str, object]:
    """Run the fuzzer until the time is up, again after every finding."""
    seeds = len(list(inputs.iterdir()))
    before = set(findings.iterdir())
    started = time.monotonic()
    executions = runs = 0
    while (left := seconds - (time.monotonic() - started)) >= 1:
        runs += 1
        log = findings.parent / f"run-{runs}.log"
        with log.open("wb") as file:
            subprocess.run(
                _fuzzer_command(inputs, findings, int(left)),
                cwd=ROOT,
                stderr=file,
                stdout=file,
                check=False,
            )
        output = log.read_text(errors="replace")
        # The final count, or the last progress line if a crash ended the run.
        counts = re.findall(r"number_of_executed_units: (\d+)|^#(\d+)\s", output, re.MULTILINE)
        if not counts:
            raise SystemExit(f"the fuzzer does not run:\n{output[-2000:]}")
        executions += max(int(first or second) for first, second in counts)
    new = sorted(path.name for path in set(findings.iterdir()) - before)
    return {
        "minutes": round((time.monotonic() - started) / 60, 1),
        "seeds": seeds,
        "kept_for_new_branches": len(list(inputs.iterdir())) - seeds,
        "executions": executions,
        "findings": new,
    }


def _fuzzer_command(inputs: Path, findings: Path, seconds: int) -> list[str]:
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


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
