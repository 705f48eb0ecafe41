"""What load and soak measured, in the pages that tell it: `python -m tests.load.tables --write`.

Without `--write` the tables are printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.soak.tables import soak_table

ROOT = Path(__file__).resolve().parents[2]

Figures = Mapping[str, Any]

_ROWS: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("answered / wrong / lost", lambda t: f"{t['answered']:,} / {t['wrong']} / {t['lost']}"),
    ("photos a second", lambda told: f"{told['photos_per_second']:.1f}"),
    ("p50 / p95 / slowest, s", lambda told: _seconds(told, "p50_s", "p95_s", "slowest_s")),
    ("told busy", lambda told: f"{told['told_busy']:,}"),
    (
        "how soon, p95 / slowest, s",
        lambda told: _seconds(told, "busy_told_after_p95_s", "busy_told_after_most_s"),
    ),
    ("memory once warm / right after / at rest, MB", lambda told: _memory(told["memory_mb"])),
    ("photos left on disk", lambda told: _count(told["photos_left_on_disk"])),
    ("connections tried", lambda told: _count(told["connections_tried"])),
)


def load_table(load: Figures) -> str:
    """The figures of a run at both fronts."""
    who = f"{load['visitors']} visitors with {load['photos_each']} photos each"
    where = f"{load['processors']} processors for them and the server"
    fronts = {"Gradio": load["gradio"], "Streamlit": load["streamlit"]}
    lines = [(f"{who}, {where}", *fronts), ("---",) * (len(fronts) + 1)]
    lines += [(name, *map(tell, fronts.values())) for name, tell in _ROWS]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _seconds(told: Figures, *names: str) -> str:
    return " / ".join("–" if told[name] is None else f"{told[name]:.1f}" for name in names)


def _memory(told: Figures) -> str:
    return f"{told['warm']:,} / {told['after_each_round'][-1]:,} / {told['at_rest']:,}"


def _count(found: list[str] | None) -> str:
    return "–" if found is None else str(len(found))


def tables() -> dict[str, tuple[Path, str]]:
    """By its mark, each table with the page that holds it."""

    def measured(name: str) -> Figures:
        file = ROOT / "docs" / "results" / f"{name}.json"
        return json.loads(file.read_text(encoding="utf-8"))

    return {
        "load": (ROOT / "docs" / "reliability.md", load_table(measured("load"))),
        "soak": (ROOT / "docs" / "batch.md", soak_table(measured("batch_soak"))),
    }


def parts(page: Path, mark: str) -> tuple[str, str, str]:
    """What stands before the table, the table, what stands after it."""
    before, opening, rest = page.read_text(encoding="utf-8").partition(f"<!-- {mark} -->\n")
    table, closing, after = rest.partition(f"<!-- /{mark} -->")
    if not opening or not closing:
        raise ValueError(f"{page.name} has no marks for {mark}")
    return before + opening, table, closing + after


def main() -> None:
    """Print the tables, or write them into their pages."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.tables", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write them into docs/")
    write = parser.parse_args().write
    for mark, (page, table) in tables().items():
        if write:
            before, _, after = parts(page, mark)
            page.write_text(before + table + after, encoding="utf-8")
        else:
            sys.stdout.write(f"{table}\n")


if __name__ == "__main__":
    main()
