"""Every file of the intake corpus through the command line, in one run."""

from __future__ import annotations

import csv
import json
import re
import zipfile

import pytest
from typer.testing import CliRunner

from cli.main import app

pytestmark = pytest.mark.data


def test_good_files_are_analyzed_and_all_others_refused_with_a_message(
    shared_dir, tmp_path, configs
):
    with (shared_dir / "image_intake" / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expected = {}
    with zipfile.ZipFile(shared_dir / "image_intake" / "corpus.zip") as corpus:
        for number, row in enumerate(rows):
            path = tmp_path / f"{number}.jpg"
            path.write_bytes(corpus.read(row["file"]))
            expected[path.name] = row["expect"]
    paths = [str(tmp_path / name) for name in expected]
    result = CliRunner().invoke(app, ["analyze", *paths, "--format", "jsonl"])
    assert result.exit_code == 1
    analyzed = {json.loads(line)["name"] for line in result.stdout.splitlines()}
    refused = set(re.findall(r"/(\d+\.jpg): \S", result.stderr.replace("\n", "\n ")))
    assert analyzed | refused == set(expected)
    assert not analyzed & refused
    assert not [name for name in analyzed if expected[name] == "reject"]
    assert not [name for name in refused if expected[name] == "accept"]
    assert "Traceback" not in result.stderr
    assert len(expected) > 300
