"""Folders in object stores, and the addresses that are refused."""

from __future__ import annotations

import pytest

from core import ConfigError
from tests.core.batch.batch_parts import run


@pytest.fixture
def out(tmp_path):
    return tmp_path / "table.jsonl"


def test_object_store_gives_the_rows_of_a_folder(photos, clean_tables, tmp_path):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.put(str(photos), "/bucket/photos", recursive=True)
    try:
        for _ in range(2):
            summary = run("memory://bucket/photos", tmp_path / "table.csv")
            assert (tmp_path / "table.csv").read_bytes() == clean_tables["csv"]
        assert summary.already_done == 20
    finally:
        memory.rm("/bucket", recursive=True)


def test_store_without_its_package_is_refused(out):
    with pytest.raises(ConfigError, match="cannot be read from oci://"):
        run("oci://bucket", out)


@pytest.mark.parametrize(
    "address",
    [
        *("http://127.0.0.1:9/", "https://example.org/people/", "HTTPS://example.org/"),
        *("ftp://example.org/", "webdav://example.org/", "github://a:b@main/", "nowhere://bucket"),
        *("simplecache::https://example.org/", "memory://::https://example.org/"),
    ],
)
def test_photos_are_never_fetched_from_the_web(out, monkeypatch, address):
    import fsspec

    def fail(*_arguments):
        raise AssertionError("the address was opened")

    monkeypatch.setattr(fsspec.core, "url_to_fs", fail)
    with pytest.raises(ConfigError, match="Photos are not read from") as caught:
        run(address, out)
    assert "not fetched" in caught.value.hint
    assert not out.exists()
