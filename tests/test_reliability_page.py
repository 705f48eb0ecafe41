"""Load and soak are told as they were measured; `python -m tests.load.tables --write` mends it."""

from __future__ import annotations

import json

import pytest

from tests.load.tables import load_table, parts, tables


@pytest.mark.parametrize("mark", ["load", "soak"])
def test_load_and_soak_are_told_as_they_were_measured(mark):
    page, table = tables()[mark]
    assert parts(page, mark)[1] == table


def test_what_was_not_looked_at_is_not_told_as_none(root):
    load = json.loads((root / "docs" / "results" / "load.json").read_text(encoding="utf-8"))
    told = {"gradio": None, "streamlit": ["temporary/a.png"]}
    for front, left in told.items():
        load[front] = {**load[front], "photos_left_on_disk": left}
    rows = load_table(load).splitlines()
    assert "| photos left on disk | – | 1 |" in rows
