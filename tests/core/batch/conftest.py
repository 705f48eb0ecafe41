"""Folders of photos that the tests of batch runs share."""

from __future__ import annotations

import pytest

from tests.core.batch.batch_parts import fill, run


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twenty files, four of them damaged; not to be changed."""
    return fill(tmp_path_factory.mktemp("batch") / "photos")


@pytest.fixture(scope="module")
def clean(photos, tmp_path_factory):
    """The bytes of each table of a run that nothing interrupted, by ending."""
    folder = tmp_path_factory.mktemp("clean")
    tables = {}
    for ending in ("csv", "jsonl", "parquet"):
        run(photos, folder / f"table.{ending}")
        tables[ending] = (folder / f"table.{ending}").read_bytes()
    return tables
