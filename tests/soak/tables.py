"""The results of a run over ten thousand files, as a table for docs/batch.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def soak_table(soak: Mapping[str, Any]) -> str:
    """Return the results of `python -m tests.soak --out FILE.json` as a Markdown table."""
    rows = (
        ("files / damaged files among them", f"{soak['files']:,} / {soak['bad']:,}"),
        (
            "files in the table / failed files among them",
            f"{soak['files_in_table']:,} / {soak['failed_in_table']:,}",
        ),
        (f"files a second, {soak['workers']} workers", f"{soak['files_a_second']:.1f}"),
        (
            "memory once warm / at the end, MB",
            f"{soak['megabytes_warm']:.0f} / {soak['megabytes_end']:.0f}",
        ),
        ("memory growth for every thousand files, MB", f"{soak['megabytes_a_thousand_files']:.1f}"),
        (
            "open file descriptors once warm / at most",
            f"{soak['descriptors_warm']} / {soak['descriptors_most']}",
        ),
        ("temporary files left", f"{soak['temporary_files_left']}"),
    )
    lines = "".join(f"| {name} | {value} |\n" for name, value in rows)
    return f"| `python -m tests.soak` | |\n|---|---|\n{lines}"
