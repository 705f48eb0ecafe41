"""The tables of docs/performance.md show what is in docs/results."""

from __future__ import annotations

import json

import pytest

from tests.browser.first_page import first_page_table
from tests.browser.live_rate import live_table
from tests.serving.measure import format_table
from training.benchmark.tables import format_precision_table

PARTS = {
    "precision": format_precision_table,
    "first_page": first_page_table,
    "live_rate": live_table,
    "installation": format_table,
}


@pytest.mark.parametrize("name", PARTS)
def test_table_shows_the_measured_results(root, name):
    page = (root / "docs" / "performance.md").read_text(encoding="utf-8")
    report = json.loads((root / "docs" / "results" / f"{name}.json").read_text(encoding="utf-8"))
    table = page.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]
    assert table == PARTS[name](report)
