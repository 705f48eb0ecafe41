"""The pages show the measured load and soak; `python -m tests.load.tables --write` updates them."""

from __future__ import annotations

import json

import pytest

from tests.load.tables import load_table, split_page, tables


@pytest.mark.parametrize("mark", ["load", "soak"])
def test_table_shows_the_measured_results(mark):
    page, table = tables()[mark]
    assert split_page(page, mark)[1] == table


def test_a_check_that_was_not_made_is_shown_as_a_dash(root):
    load = json.loads((root / "docs" / "results" / "load.json").read_text(encoding="utf-8"))
    left_on_disk = {"gradio": None, "streamlit": ["temporary/a.png"], "api": []}
    for front, left in left_on_disk.items():
        load[front] = {**load[front], "photos_left_on_disk": left}
    rows = load_table(load).splitlines()
    assert "| photos left on disk | – | 1 | 0 |" in rows
