"""Update the tables of load and soak in the documents: `python -m tests.load.tables --write`.

Without `--write`, print them.
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

Metrics = Mapping[str, Any]

_ROWS: tuple[tuple[str, Callable[[Metrics], str]], ...] = (
    ("answered / wrong / lost", lambda m: f"{m['answered']:,} / {m['wrong']} / {m['lost']}"),
    ("photos a second", lambda m: f"{m['photos_per_second']:.1f}"),
    (
        "time for an answer: p50 / p95 / slowest, s",
        lambda m: _seconds(m, "p50_s", "p95_s", "slowest_s"),
    ),
    ("told to try again, and did", lambda m: f"{m['told_busy']:,}"),
    (
        'time until "busy": p95 / slowest, s',
        lambda m: _seconds(m, "busy_told_after_p95_s", "busy_told_after_most_s"),
    ),
    ("memory once warm / right after / at rest, MB", lambda m: _format_memory(m["memory_mb"])),
    ("photos left on disk", lambda m: _count(m["photos_left_on_disk"])),
    ("connections tried", lambda m: _count(m["connections_tried"])),
)


def load_table(load: Metrics) -> str:
    """Return the results of a run at all fronts as a Markdown table."""
    visitors = f"{load['visitors']} visitors with {load['photos_each']} photos each"
    machine = f"{load['processors']} processors for them and the server"
    fronts = {
        "Gradio": load["gradio"],
        "Streamlit": load["streamlit"],
        "the API alone": load["api"],
    }
    lines = [(f"{visitors}, {machine}", *fronts), ("---",) * (len(fronts) + 1)]
    lines += [(name, *map(format_value, fronts.values())) for name, format_value in _ROWS]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _seconds(metrics: Metrics, *names: str) -> str:
    values = [metrics[name] for name in names]
    return " / ".join("–" if value is None else f"{value:.1f}" for value in values)


def _format_memory(memory: Metrics) -> str:
    return f"{memory['warm']:,} / {memory['after_each_round'][-1]:,} / {memory['at_rest']:,}"


def _count(names: list[str] | None) -> str:
    return "–" if names is None else str(len(names))


def tables() -> dict[str, tuple[Path, str]]:
    """Return, by its mark, each table with the page that shows it."""

    def read_results(name: str) -> Metrics:
        file = ROOT / "docs" / "results" / f"{name}.json"
        return json.loads(file.read_text(encoding="utf-8"))

    return {
        "load": (ROOT / "docs" / "reliability.md", load_table(read_results("load"))),
        "soak": (ROOT / "docs" / "batch.md", soak_table(read_results("batch_soak"))),
    }


def split_page(page: Path, mark: str) -> tuple[str, str, str]:
    """Return the text before the table, the table, and the text after it."""
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
            before, _, after = split_page(page, mark)
            page.write_text(before + table + after, encoding="utf-8")
        else:
            sys.stdout.write(f"{table}\n")


if __name__ == "__main__":
    main()
