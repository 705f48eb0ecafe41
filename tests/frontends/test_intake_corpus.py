"""Every file of the intake corpus through both pages, which must agree and tell no secrets."""

from __future__ import annotations

import csv
import re
import zipfile
from pathlib import Path

import pytest

from frontends.gradio_app.analyzers import OneAnalyzer
from frontends.gradio_app.answering import show_with
from frontends.gradio_app.photo_upload import UploadedPhoto
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.workspace import Refused, Workspace
from tests.fakes import FakeAnalyzer

pytestmark = pytest.mark.data

TOLD_TOO_MUCH = re.compile(r"Traceback|File \"|/tmp|/root|/home|site-packages|0x[0-9a-f]{6}")


@pytest.fixture(scope="module")
def rows(shared_dir: Path) -> list[dict[str, str]]:
    with (shared_dir / "image_intake" / "manifest.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_both_pages_answer_what_is_good_and_refuse_the_rest(shared_dir, rows, tmp_path):
    analyzer = FakeAnalyzer()
    show = show_with(OneAnalyzer(analyzer))
    wrong = []
    with zipfile.ZipFile(shared_dir / "image_intake" / "corpus.zip") as corpus:
        for row in rows:
            data = corpus.read(row["file"])
            name = row["file"].rpartition("/")[2]
            answer = Workspace().answer(Photo.of(name, data), analyzer)
            refused = isinstance(answer, Refused)
            told = f"{answer.message} {answer.hint}" if isinstance(answer, Refused) else ""
            stored = tmp_path / "blob"
            stored.write_bytes(data)
            shown, cards, document, _ = show(UploadedPhoto(stored, name), "mobilenet_v2")
            outcomes = {refused, shown["value"] is None, document == ""}
            allowed = {"accept": [{False}], "reject": [{True}]}.get(
                row["expect"], [{True}, {False}]
            )
            if outcomes not in allowed:
                wrong.append((row["file"], row["expect"], outcomes))
            if TOLD_TOO_MUCH.search(told) or (refused and TOLD_TOO_MUCH.search(cards)):
                wrong.append((row["file"], told, cards))
    assert not wrong
    assert rows
