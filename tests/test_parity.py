"""The same bytes give the same document, table and pictures: library, command line, both pages."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from cli.main import app as command_line
from core import (
    Analyzer,
    AnalyzerConfig,
    Emotion,
    OperatingPoint,
    Preset,
    ProjectError,
    Reading,
    annotate,
    blur_faces,
    detector_names,
    encode_png,
    model_catalog,
    read_image,
    to_csv,
    to_json,
)
from frontends.analyzers import Analyzers
from frontends.gradio_app.answering import make_api_handler
from frontends.gradio_app.photo_upload import PhotoUpload
from frontends.gradio_app.settings import AUTOMATIC, RECOMMENDED_VALUE
from frontends.sample import sample_photo
from frontends.streamlit_app.downloads import csv_file, json_file
from tests.fakes import FakeAnalyzer, model_info, picture, png

# Gradio leaves event loops behind wherever one of its fields is made.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROOT = Path(__file__).resolve().parent.parent
Front = Callable[[Path, AnalyzerConfig], str]
STANDARD = AnalyzerConfig()

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


CHOICES = {
    "model": AnalyzerConfig(model="resnet50"),
    "preset": AnalyzerConfig(preset=Preset.THOROUGH),
    "detector": AnalyzerConfig(detector=detector_names()[-1]),
    "operating point": AnalyzerConfig(operating_point=OperatingPoint.RECALL),
    "level of not sure": AnalyzerConfig(certain_from=0.9),
    "detection threshold": AnalyzerConfig(detection_threshold=0.7),
    "reading": AnalyzerConfig(reading=Reading.FER2013),
}
"""One choice for every setting that the fronts share."""
MODELS = (model_info(), model_info("resnet50"))


def by_library(photo: Path, config: AnalyzerConfig = STANDARD) -> str:
    analyzer = Analyzer.from_config(config)
    return to_json(analyzer.analyze(read_image(photo.read_bytes(), name=photo.name)))


def by_command_line(
    photo: Path, config: AnalyzerConfig = STANDARD, *others: str, form: str = "json"
) -> str:
    chosen = [
        "--model",
        config.model,
        "--preset",
        config.preset,
        "--operating-point",
        config.operating_point,
        "--reading",
        config.reading,
    ]
    if config.detector is not None:
        chosen += ["--detector", config.detector]
    if config.certain_from is not None:
        chosen += ["--certain-from", str(config.certain_from)]
    if config.detection_threshold is not None:
        chosen += ["--detection-threshold", str(config.detection_threshold)]
    command = ["analyze", str(photo), "--format", form, *chosen, *others]
    shown = CliRunner().invoke(command_line, command)
    assert shown.exit_code == 0, shown.stderr
    return shown.stdout


def by_streamlit(photo: Path, config: AnalyzerConfig = STANDARD) -> str:
    memory, uploaded = in_streamlit(photo, config)
    return json_file(memory.answer(uploaded, Analyzer.from_config(config))).decode()


def in_streamlit(photo: Path, config: AnalyzerConfig = STANDARD) -> tuple[Any, Any]:
    """What the page remembers of the visit, and the photo as it was uploaded."""
    page = AppTest.from_file(
        str(ROOT / "frontends" / "streamlit_app" / "script.py"), default_timeout=300
    ).run()
    _choose(page, config)
    page.file_uploader[0].set_value((photo.name, photo.read_bytes(), "image/jpeg"))
    page.run()
    assert not page.exception
    assert not page.error
    memory = page.session_state["workspace"]
    [uploaded] = memory.uploads
    assert memory.has_answer(uploaded, config.digest())
    return memory, uploaded


def _choose(page: AppTest, config: AnalyzerConfig) -> None:
    """Sets what differs from the standard; the page need not offer what has one value."""
    boxes = {box.label: box for box in page.selectbox}
    if config.model != STANDARD.model:
        boxes["Model"].select_index([info.name for info in MODELS].index(config.model))
    if config.detector != STANDARD.detector:
        boxes["Face detector"].set_value(config.detector)
    if config.certain_from is not None:
        boxes["Smallest share for an answer"].set_value(
            f"{config.certain_from:.0%}".replace("%", " %")
        )
    if config.detection_threshold is not None:
        boxes["Face detection threshold"].set_value(f"{config.detection_threshold:.2f}")
    if config.operating_point is not STANDARD.operating_point:
        page.radio(key="operating_point").set_value(config.operating_point)
    if config.reading is not STANDARD.reading:
        page.radio(key="reading").set_value(config.reading)
    if config.preset is not STANDARD.preset:
        page.radio(key="preset").set_value(config.preset)


def by_gradio(photo: Path, config: AnalyzerConfig = STANDARD) -> str:
    return in_gradio(photo, config)[2]


def in_gradio(photo: Path, config: AnalyzerConfig = STANDARD) -> tuple[NDArray[np.uint8], str, str]:
    """Annotated picture, cards and document."""
    field = PhotoUpload(type="filepath", image_mode=None, render=False)
    field.GRADIO_CACHE = str(photo.parent)
    # The framework stores an upload under a name of its own making.
    stored = photo.with_name("blob")
    stored.write_bytes(photo.read_bytes())
    uploaded = field.preprocess(field.data_model(path=str(stored), orig_name=photo.name))
    level = RECOMMENDED_VALUE if config.certain_from is None else config.certain_from
    detector = config.detector or AUTOMATIC
    settings = (
        config.model,
        config.preset,
        detector,
        config.operating_point,
        level,
        config.reading,
    )
    return make_api_handler(Analyzers())(uploaded, *settings)


FRONTS = {"command line": by_command_line, "streamlit": by_streamlit, "gradio": by_gradio}
OFFERED = [
    (front, choice)
    for front in FRONTS
    for choice in CHOICES
    # The demo offers the operating points that were measured, and no threshold of one's own.
    if (front, choice) != ("gradio", "detection threshold")
]


@pytest.fixture(autouse=True)
def clear_streamlit_caches() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()
    gc.collect()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that answers at once takes the place of the real one."""
    from frontends.streamlit_app.views import model_page

    monkeypatch.setattr(Analyzer, "from_config", FakeAnalyzer)
    monkeypatch.setattr(model_page, "model_catalog", lambda: MODELS)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("front", FRONTS)
def test_every_front_gives_the_library_s_document(front, name, tmp_path):
    photo = tmp_path / name
    photo.write_bytes(PHOTOS[name])
    assert FRONTS[front](photo) == by_library(photo)


def pixels_of(file: bytes) -> NDArray[np.uint8]:
    with Image.open(BytesIO(file)) as saved:
        return np.asarray(saved.convert("RGB"))


@pytest.fixture
def turned(quick, tmp_path) -> Path:
    """A photo whose file lies on its side, so that turning it is part of every picture."""
    photo = tmp_path / "sideways.jpg"
    photo.write_bytes(PHOTOS[photo.name])
    return photo


def test_annotated_picture_has_the_same_pixels_everywhere(turned, tmp_path):
    image = read_image(turned)
    analysis = FakeAnalyzer().analyze(image)
    expected = annotate(image, analysis).pixels
    assert (expected != image.pixels).any()
    by_command_line(turned, STANDARD, "--annotate", str(tmp_path))
    memory, uploaded = in_streamlit(turned)
    for front, shown in {
        "command line": pixels_of((tmp_path / "sideways.annotated.png").read_bytes()),
        "streamlit": memory.annotate(uploaded, analysis).pixels,
        "gradio": in_gradio(turned)[0],
    }.items():
        np.testing.assert_array_equal(shown, expected, err_msg=front)


def test_blurred_picture_has_the_same_pixels_everywhere(turned, tmp_path):
    image = read_image(turned)
    analysis = FakeAnalyzer().analyze(image)
    expected = blur_faces(image, analysis).pixels
    assert (expected != image.pixels).any()
    by_command_line(turned, STANDARD, "--blur", str(tmp_path))
    memory, uploaded = in_streamlit(turned)
    for front, file in {
        "command line": (tmp_path / "sideways.blurred.png").read_bytes(),
        "streamlit": encode_png(memory.blur(uploaded, analysis)),
    }.items():
        np.testing.assert_array_equal(pixels_of(file), expected, err_msg=front)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", PHOTOS)
def test_table_is_the_same_everywhere(name, tmp_path):
    photo = tmp_path / name
    photo.write_bytes(PHOTOS[name])
    expected = to_csv([FakeAnalyzer().analyze(read_image(photo))])
    assert by_command_line(photo, form="csv") == expected
    memory, uploaded = in_streamlit(photo)
    analysis = memory.answer(uploaded, FakeAnalyzer())
    assert csv_file([analysis]).decode("utf-8") == expected


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("front", "choice"), OFFERED)
def test_every_choice_means_the_same_everywhere(front, choice, tmp_path):
    config = CHOICES[choice]
    photo = tmp_path / "three faces.png"
    photo.write_bytes(PHOTOS[photo.name])
    assert FRONTS[front](photo, config) == by_library(photo, config)


@pytest.mark.usefixtures("quick")
def test_every_choice_shows_in_the_document(tmp_path):
    photo = tmp_path / "three faces.png"
    photo.write_bytes(PHOTOS[photo.name])
    configs = (STANDARD, *CHOICES.values())
    documents = {by_library(photo, config) for config in configs}
    # Naming the detector that the preset takes anyway changes nothing.
    assert len(documents) == len({replace(c, detector=c.chosen_detector) for c in configs})


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
