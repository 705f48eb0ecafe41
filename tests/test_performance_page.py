"""docs/performance.md tells what the files in docs/results hold."""

from __future__ import annotations

import json

import pytest

from tests.browser.first_page import first_page_table
from tests.browser.live_rate import live_table
from training.benchmark.tables import precision_table

PARTS = {"precision": precision_table, "first_page": first_page_table, "live_rate": live_table}


@pytest.mark.parametrize("name", PARTS)
def test_table_is_as_it_was_measured(root, name):
    page = (root / "docs" / "performance.md").read_text(encoding="utf-8")
    report = json.loads((root / "docs" / "results" / f"{name}.json").read_text(encoding="utf-8"))
    told = page.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]
    assert told == PARTS[name](report)
