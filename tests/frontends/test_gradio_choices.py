"""The models and the readings that the Gradio demo offers, on its page and to callers."""

from __future__ import annotations

import pytest

from core import AnalyzerConfig, Emotion, Reading, read_image, to_json
from frontends.analyzers import Analyzers
from frontends.choices import READING_LABEL
from frontends.gradio_app.answering import make_api_handler
from frontends.gradio_app.demo import build_demo
from frontends.gradio_app.photo_upload import UploadedPhoto
from tests.fakes import FakeAnalyzer, model_info, picture, png, untrained

# Gradio leaves event loops behind for every page that it makes.
_LEFT_BEHIND = ("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
pytestmark = [pytest.mark.filterwarnings(each) for each in _LEFT_BEHIND]


def fields_of(page):
    return {each.label: each for each in page.blocks.values() if hasattr(each, "label")}


@pytest.mark.usefixtures("made")
def test_caller_gets_the_reading_that_was_asked_for(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(png(picture(Emotion.HAPPY)))
    _, cards, result = make_api_handler(Analyzers())(
        UploadedPhoto(file, "a.png"), "mobilenet_v2", reading="fer2013"
    )
    label = FakeAnalyzer(AnalyzerConfig(reading=Reading.FER2013))
    assert result == to_json(label.analyze(read_image(file)))
    assert "FER-2013&#39;s label: happy, 90\N{NO-BREAK SPACE}% probable." in cards


def test_page_offers_only_trained_models(catalog):
    speed = {"engines": {"openvino": {"ms_per_face": 11.6}}}
    catalog[:] = [
        model_info(),
        model_info("resnet50", speed=speed),
        model_info("ensemble", metrics={}),
        untrained("inception_v3"),
    ]
    fields = fields_of(build_demo())
    assert fields["Model"].choices == [
        ("MobileNetV2: Right on 67 of 100 test faces", "mobilenet_v2"),
        ("ResNet50: Right on 67 of 100 test faces; fast", "resnet50"),
        ("Ensemble of all three", "ensemble"),
    ]
    assert fields["Model"].visible


def test_models_are_described_for_the_chosen_reading(catalog):
    people = {**model_info().metrics["validation"], "people": {"agreement": 0.834}}
    catalog[:] = [model_info(metrics={"validation": people}), model_info("resnet50")]
    page = build_demo()
    assert fields_of(page)["Model"].choices[0][0] == (
        "MobileNetV2: Agrees with most people on 83 of 100 test faces"
    )
    [follow] = [each for each in page.fns.values() if each.name == "follow_reading"]
    models, level = follow.fn("fer2013")
    assert models["choices"][0][0] == "MobileNetV2: Right on 67 of 100 test faces"
    assert "80 of 100" in level["info"]
    assert "90 of 100" in follow.fn("people")[1]["info"]


def test_demo_of_one_analyzer_offers_only_its_reading():
    page = build_demo(FakeAnalyzer(AnalyzerConfig(reading=Reading.FER2013)))
    field = fields_of(page)[READING_LABEL]
    assert (field.value, field.visible) == ("fer2013", False)


def test_page_offers_both_readings_and_begins_with_people(catalog):
    field = fields_of(build_demo())[READING_LABEL]
    assert (field.value, field.visible) == ("people", True)
    assert [value for _, value in field.choices] == ["people", "fer2013"]
