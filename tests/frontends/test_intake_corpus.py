"""Files of the intake corpus in both fronts, which must agree and reveal nothing."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from streamlit.testing.v1 import AppTest

from core import to_json
from frontends.analyzers import Analyzers
from frontends.cards import cards_html
from frontends.gradio_app.answering import make_page_handler
from frontends.gradio_app.photo_upload import UploadedPhoto
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.workspace import Refusal, Workspace
from tests.browser.serving import gradio
from tests.fakes import FakeAnalyzer

pytestmark = pytest.mark.data

TOLD_TOO_MUCH = re.compile(r"Traceback|File \\?\"|/tmp|/root|/home|site-packages|0x[0-9a-f]{6}")
EXTENT = ["one of each kind", pytest.param("all", marks=pytest.mark.slow)]


@dataclass(frozen=True)
class Sample:
    """A file of the corpus."""

    path: str
    kind: tuple[str, ...]
    """What is special about the file, whether it must be answered, and how its name ends."""
    data: bytes

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def fits(self, *, refused: bool) -> bool:
        return {"accept": not refused, "reject": refused}.get(self.kind[1], True)


@pytest.fixture(scope="module")
def corpus(shared_dir: Path) -> list[Sample]:
    folder = shared_dir / "image_intake"
    with (
        (folder / "manifest.csv").open(encoding="utf-8") as file,
        zipfile.ZipFile(folder / "corpus.zip") as archive,
    ):
        return [
            Sample(
                row["file"],
                (row["class"], row["expect"], row["file"].rpartition(".")[2].lower()),
                archive.read(row["file"]),
            )
            for row in csv.DictReader(file)
        ]


@pytest.fixture
def samples(corpus: list[Sample], extent: str) -> Sequence[Sample]:
    """All of the corpus, or the first of each kind."""
    if extent == "all":
        return corpus
    return list({each.kind: each for each in reversed(corpus)}.values())


def test_both_fronts_answer_good_photos_and_refuse_the_others(corpus, tmp_path):
    analyzer = FakeAnalyzer()
    show = make_page_handler(Analyzers(analyzer))
    wrong = []
    for sample in corpus:
        answer = Workspace().answer(Photo.of(sample.name, sample.data), analyzer)
        refused = isinstance(answer, Refusal)
        if isinstance(answer, Refusal):
            result = f"{answer.message} {answer.hint}"
        else:
            result = to_json(answer) + cards_html(answer.faces)
        stored = tmp_path / "blob"
        stored.write_bytes(sample.data)
        shown, cards, document, *_ = show(UploadedPhoto(stored, sample.name), "mobilenet_v2")
        outcomes = {refused, shown["value"] is None, document == ""}
        if len(outcomes) > 1 or not sample.fits(refused=refused):
            wrong.append((sample.path, sample.kind, outcomes))
        everything = "\n".join((result, cards, document, shown.get("alt_text", "")))
        if secret := TOLD_TOO_MUCH.search(everything):
            wrong.append((sample.path, sample.kind, secret[0]))
    assert not wrong
    assert corpus


@pytest.mark.parametrize("extent", EXTENT)
@pytest.mark.usefixtures("made", "catalog")
def test_streamlit_page_shows_an_answer_or_a_reason(samples, root):
    page = AppTest.from_file(
        str(root / "frontends" / "streamlit_app" / "script.py"), default_timeout=200
    ).run()
    wrong = []
    for sample in samples:
        page.file_uploader[0].set_value((sample.name, sample.data, "image/jpeg")).run()
        reasons = [each.value for each in page.error]
        shown = "\n".join(str(each.proto) for each in page.main)
        answered = len(page.get("download_button")) >= 3
        if page.exception or answered == bool(reasons) or not sample.fits(refused=bool(reasons)):
            wrong.append((sample.path, sample.kind, reasons))
        if secret := TOLD_TOO_MUCH.search(shown):
            wrong.append((sample.path, sample.kind, secret[0]))
    assert not wrong


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of a server whose models answer at once."""
    with gradio("tests.frontends.fake_demo") as address:
        yield Client(address, verbose=False)


@pytest.mark.parametrize("extent", EXTENT)
def test_gradio_server_gives_an_answer_or_a_reason(samples, client, tmp_path):
    wrong = []
    for sample in samples:
        file = tmp_path / sample.name
        file.write_bytes(sample.data)
        try:
            _, cards, document = client.predict(
                handle_file(file), "mobilenet_v2", api_name="/analyze"
            )
        except AppError as error:
            refused, result = True, str(error)
        else:
            refused, result = False, cards + document
            if json.loads(document)["name"] != sample.name:
                wrong.append((sample.path, sample.kind, document))
        if not sample.fits(refused=refused):
            wrong.append((sample.path, sample.kind, result))
        if secret := TOLD_TOO_MUCH.search(result):
            wrong.append((sample.path, sample.kind, secret[0]))
    assert not wrong
