"""The same bytes give the same document everywhere: library, command line, both pages."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from cli.main import app as command_line
from core import (
    Analyzer,
    AnalyzerConfig,
    Emotion,
    ProjectError,
    model_catalog,
    read_image,
    to_json,
)
from frontends.gradio_app.analyzers import Analyzers
from frontends.gradio_app.answering import answer_with
from frontends.gradio_app.photo_upload import PhotoUpload
from frontends.sample import sample_photo
from frontends.streamlit_app.downloads import json_file
from tests.fakes import FakeAnalyzer, model_info, picture, png

# Gradio leaves event loops behind wherever one of its fields is made.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROOT = Path(__file__).resolve().parent.parent
Front = Callable[[Path], str]

WITH_FACES = picture(Emotion.HAPPY, Emotion.SAD, unsure=[Emotion.FEAR])


def sideways() -> bytes:
    """A photo that a phone wrote sideways, as a camera's JPEG."""
    buffer = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = np.rot90(WITH_FACES)
    Image.fromarray(np.ascontiguousarray(turned)).save(buffer, "JPEG", quality=100, exif=exif)
    return buffer.getvalue()


PHOTOS = {
    "nobody.png": png(picture()),
    "three faces.png": png(WITH_FACES),
    "sideways.jpg": sideways(),
    "Grüße & =küsse.png": png(picture(Emotion.ANGRY)),
}


def by_library(photo: Path) -> str:
    analyzer = Analyzer.from_config(AnalyzerConfig())
    return to_json(analyzer.analyze(read_image(photo.read_bytes(), name=photo.name)))


def by_command_line(photo: Path) -> str:
    shown = CliRunner().invoke(command_line, ["analyze", str(photo), "--format", "json"])
    assert shown.exit_code == 0, shown.stderr
    return shown.stdout


def by_streamlit(photo: Path) -> str:
    page = AppTest.from_file(
        str(ROOT / "frontends" / "streamlit_app" / "app.py"), default_timeout=300
    ).run()
    page.file_uploader[0].set_value((photo.name, photo.read_bytes(), "image/jpeg"))
    page.run()
    assert not page.exception
    assert not page.error
    memory = page.session_state["workspace"]
    [uploaded] = memory.uploads
    assert memory.knows(uploaded, AnalyzerConfig().digest())
    return json_file(memory.answer(uploaded, Analyzer.from_config(AnalyzerConfig()))).decode()


def by_gradio(photo: Path) -> str:
    field = PhotoUpload(type="filepath", image_mode=None, render=False)
    field.GRADIO_CACHE = str(photo.parent)
    # The framework stores an upload under a name of its own making.
    stored = photo.with_name("blob")
    stored.write_bytes(photo.read_bytes())
    uploaded = field.preprocess(field.data_model(path=str(stored), orig_name=photo.name))
    config = AnalyzerConfig()
    return answer_with(Analyzers())(uploaded, config.model, config.preset)[2]


FRONTS = {"command line": by_command_line, "streamlit": by_streamlit, "gradio": by_gradio}


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()
    gc.collect()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that answers at once takes the place of the real one."""
    from frontends.streamlit_app.views import analyze

    monkeypatch.setattr(Analyzer, "from_config", FakeAnalyzer)
    monkeypatch.setattr(analyze, "model_catalog", lambda: (model_info(),))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("front", FRONTS)
def test_every_front_gives_the_library_s_document(front, name, tmp_path):
    photo = tmp_path / name
    photo.write_bytes(PHOTOS[name])
    assert FRONTS[front](photo) == by_library(photo)


@pytest.mark.usefixtures("quick")
def test_the_photos_of_this_test_differ_in_their_answers(tmp_path):
    documents = set()
    for data in PHOTOS.values():
        (tmp_path / "photo").write_bytes(data)
        documents.add(by_library(tmp_path / "photo"))
    assert len(documents) == len(PHOTOS)


@pytest.mark.parametrize("front", FRONTS)
def test_shipped_model_gives_the_same_document_everywhere(front, tmp_path):
    try:
        trained = {info.name for info in model_catalog() if info.trained}
    except ProjectError as error:
        pytest.skip(f"needs the shipped weights: {error.message}")
    if AnalyzerConfig().model not in trained:
        pytest.skip("needs the shipped weights of the default model")
    photo = tmp_path / "astronaut.png"
    photo.write_bytes(sample_photo())
    assert FRONTS[front](photo) == by_library(photo)
