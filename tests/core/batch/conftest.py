"""Folders of photos shared by the tests of batch runs."""

from __future__ import annotations

import pytest

from tests.core.batch.batch_parts import fill_folder, run


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twenty files, four of them damaged; tests must not change them."""
    return fill_folder(tmp_path_factory.mktemp("batch") / "photos")


@pytest.fixture(scope="module")
def clean_tables(photos, tmp_path_factory):
    """The bytes of the tables of an uninterrupted run, by file ending."""
    folder = tmp_path_factory.mktemp("clean")
    tables = {}
    for ending in ("csv", "jsonl", "parquet"):
        run(photos, folder / f"table.{ending}")
        tables[ending] = (folder / f"table.{ending}").read_bytes()
    return tables
