"""What the documents say is what was measured."""

from __future__ import annotations

import re

import pytest

from core import ProjectError, model_catalog
from training import comparison_table


@pytest.fixture(scope="module")
def trained():
    """The shipped models."""
    try:
        return [info for info in model_catalog() if info.trained]
    except ProjectError as error:
        pytest.skip(f"needs the shipped weights: {error.message}")


def test_readme_compares_the_models_as_the_command_does(root, trained):
    readme = (root / "README.md").read_text(encoding="utf-8")
    told = readme.split("<!-- models -->\n")[1].split("<!-- /models -->")[0]
    assert told == comparison_table(trained)


def test_every_model_card_compares_the_models(root, trained):
    for info in trained:
        card = root / "weights" / f"{info.name}.md"
        if info.name != "ensemble":
            assert comparison_table(trained) in card.read_text(encoding="utf-8"), card.name


def test_ethics_page_holds_the_short_form_that_the_fronts_show(root):
    page = (root / "docs" / "ethics.md").read_text(encoding="utf-8")
    short = (root / "frontends" / "ethics.md").read_text(encoding="utf-8")
    assert short.strip() in page


def test_every_test_that_a_document_names_exists(root):
    documents = sorted((root / "docs").rglob("*.md"))
    named = {
        (file, test)
        for document in documents
        for file, test in re.findall(
            r"`(tests/[\w/]+\.py)::(test_\w+)`", document.read_text(encoding="utf-8")
        )
    }
    assert named
    for file, test in sorted(named):
        assert f"def {test}(" in (root / file).read_text(encoding="utf-8"), f"{file}::{test}"


def test_guide_to_batch_runs_explains_every_column(root):
    from core.batch.rows import COLUMNS

    guide = (root / "docs" / "batch.md").read_text(encoding="utf-8")
    told = guide.split("<!-- columns -->\n")[1].split("<!-- /columns -->")[0]
    rows = "".join(f"| `{each.name}` | {each.kind} | {each.meaning} |\n" for each in COLUMNS)
    assert told == f"| column | kind | meaning |\n|---|---|---|\n{rows}"
