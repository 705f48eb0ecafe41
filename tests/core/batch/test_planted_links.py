"""Links that others put where a run reads and writes lead it nowhere."""

from __future__ import annotations

import json
import os
import sys

import pytest

from core import ConfigError, Emotion
from core.batch.outputs import journal_path
from core.batch.source import LocalFolder, open_source
from core.files import atomic_write, part_path
from tests.core.batch.batch_parts import PlainReader, run
from tests.fakes import picture, png

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links as POSIX has them")
ONE = png(picture(Emotion.HAPPY))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(ONE)
    return tmp_path / "photos"


@pytest.fixture
def secret(tmp_path):
    (tmp_path / "secret").write_bytes(ONE)
    return tmp_path / "secret"


def read_rows(table):
    return [json.loads(line) for line in table.read_bytes().splitlines()]


def test_link_in_place_of_an_unfinished_file_is_removed_and_not_followed(tmp_path, secret):
    target = tmp_path / "table.csv"
    part_path(target).symlink_to(secret)
    atomic_write(target, b"new")
    assert (target.read_bytes(), secret.read_bytes()) == (b"new", ONE)
    assert not target.is_symlink()


@pytest.mark.parametrize("overwrite", [False, True])
def test_link_in_place_of_the_journal_is_not_followed(folder, tmp_path, secret, overwrite):
    for content in (b"", b"{", b'{"journal":', ONE):
        secret.write_bytes(content)
        out = tmp_path / "table.jsonl"
        journal_path(out).symlink_to(secret)
        why = "Cannot write" if overwrite else "not an earlier result"
        with pytest.raises(ConfigError, match=why):
            run(folder, out, overwrite=overwrite)
        assert secret.read_bytes() == content
        journal_path(out).unlink()


@pytest.mark.parametrize("content", [b"\0" * 512 + b"a database's journal", b"notes", ONE])
def test_another_program_s_journal_is_kept(folder, tmp_path, content):
    out = tmp_path / "table.jsonl"
    journal_path(out).write_bytes(content)
    with pytest.raises(ConfigError, match="not an earlier result"):
        run(folder, out)
    assert journal_path(out).read_bytes() == content


def test_photo_that_became_a_link_since_it_was_listed_is_not_followed(folder, secret):
    source = LocalFolder(folder)
    (found,) = source.walk()
    (folder / "a.png").unlink()
    (folder / "a.png").symlink_to(secret)
    with pytest.raises(Exception, match="This is a link") as caught:
        source.read(found.path, PlainReader())
    assert type(caught.value).__name__ == "UnreadableImage"


@pytest.mark.parametrize("protocol", ["file", "local"])
def test_addresses_of_local_folders_have_the_rules_of_folders(folder, tmp_path, secret, protocol):
    (folder / "link.png").symlink_to(secret)
    (folder / "zero.png").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.png")
    address = f"{protocol}://{folder}"
    assert open_source(address) == LocalFolder(folder.resolve())
    summary = run(address, tmp_path / "table.jsonl")
    assert [row["path"] for row in read_rows(tmp_path / "table.jsonl")] == ["a.png"]
    assert summary.skipped == 3
