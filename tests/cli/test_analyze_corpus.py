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


def test_all_that_is_good_is_answered_and_the_rest_refused_in_words(shared_dir, tmp_path, made):
    with (shared_dir / "image_intake" / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expected = {}
    with zipfile.ZipFile(shared_dir / "image_intake" / "corpus.zip") as corpus:
        for number, row in enumerate(rows):
            path = tmp_path / f"{number}.jpg"
            path.write_bytes(corpus.read(row["file"]))
            expected[path.name] = row["expect"]
    paths = [str(tmp_path / name) for name in expected]
    shown = CliRunner().invoke(app, ["analyze", *paths, "--format", "jsonl"])
    assert shown.exit_code == 1
    answered = {json.loads(line)["name"] for line in shown.stdout.splitlines()}
    refused = set(re.findall(r"/(\d+\.jpg): \S", shown.stderr.replace("\n", "\n ")))
    assert answered | refused == set(expected)
    assert not answered & refused
    assert not [name for name in answered if expected[name] == "reject"]
    assert not [name for name in refused if expected[name] == "accept"]
    assert "Traceback" not in shown.stderr
    assert len(expected) > 300
