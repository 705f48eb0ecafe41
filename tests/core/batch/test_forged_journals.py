"""Anyone can compute the checksum of a line: what it says is checked as well."""

from __future__ import annotations

import json
import sys

import pytest

from core.batch.journal import _compute_checksum
from core.batch.outputs import journal_path
from tests.core.batch.batch_parts import fill_folder, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX locks")


def seal(text):
    return text + b" " + _compute_checksum(text) + b"\n"


def forge(line, **changes):
    """Return a line of a journal with other values and the right checksum."""
    return seal(json.dumps(json.loads(line[:-10]) | changes).encode())


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_line_that_is_no_result_is_not_used_though_its_checksum_is_right(tmp_path, ending):
    folder, out = fill_folder(tmp_path / "photos", 4), tmp_path / f"table.{ending}"
    run(folder, out)
    right = out.read_bytes()
    header, first, *others = journal_path(out).read_bytes().splitlines(keepends=True)
    row = json.loads(first[:-10])["rows"][0]
    forged = [
        *map(seal, (b"3", b"[]", b"{", b"[" * 100_000, b"{}", b'{"path": 1}', b"\xff")),
        *(forge(first, path=each) for each in (None, 3, ["a"])),
        *(forge(first, stamp=each) for each in (None, 3, "", "g" * 16, "f" * 17, "-" + "1" * 15)),
        *(
            forge(first, rows=each)
            for each in (None, 3, [], [3], [[]], [row[:-1]], [[[]] * len(row)])
        ),
        *(forge(first, rows=[[cell, *row[1:]]]) for cell in (3, True, {})),
    ]
    for each in forged:
        journal_path(out).write_bytes(b"".join([header, each, *others]))
        assert run(folder, out).damaged == 1, each[:100]
        assert out.read_bytes() == right
