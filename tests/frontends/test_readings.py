"""Both readings of a face, as cards, pages and the camera show and explain them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core import AnalyzerConfig, Box, Emotion, Reading
from frontends.cards import cards_html
from frontends.live import Stream, answer_message
from frontends.model_cards import ModelAnswers, compare_models_html
from frontends.streamlit_app.views import landmark_lab
from frontends.wording import explain_share, format_model_metrics
from tests.core.pipeline_parts import face_analysis, scores
from tests.fakes import FakeAnalyzer, model_info, picture, png
from tests.frontends.streamlit_pages import open_page, upload
from tests.frontends.test_live import group, jpeg

BOX = Box(0, 0, 60, 60)
COVERED = "Eyes and mouth could not be located; the face may be covered."
HAPPY = png(picture(Emotion.HAPPY))
PEOPLE = {"agreement": 0.834, "agreement_interval": [0.82, 0.846], "voters": 0.7, "n": 3400}


def read(reading=Reading.PEOPLE, *, unreadable=None, reasons=(), index=1, certain_from=0.0):
    """Return a face that looks neutral to people and that FER-2013 labels sad."""
    readings = {
        Reading.PEOPLE: scores(certain_from, neutral=0.72, sad=0.2, angry=0.08),
        Reading.FER2013: scores(certain_from, sad=0.62, neutral=0.38),
    }
    face = face_analysis(index, BOX)
    return replace(
        face,
        reading=reading,
        readings={
            each: replace(emotions, reading=each, unreadable=unreadable)
            for each, emotions in readings.items()
        },
        quality=replace(face.quality, reasons=reasons, unreadable=unreadable),
    )


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html.replace("&#39;", "'")))


def html_of(app):
    return " ".join(element.proto.body for element in app.get("html"))


def test_card_says_how_many_people_would_agree_and_names_the_label_below():
    shown = text_of(cards_html([read()]))
    assert "About 7 of 10 people would say neutral, 2 sad, 1 angry." in shown
    assert "72 % neutral means: of 100 people who look at this face, about 72 would say" in shown
    assert shown.index("Angry") < shown.index("FER-2013's label: sad, 62 % probable.")


def test_card_of_the_label_names_what_people_would_say_below():
    shown = text_of(cards_html([read(Reading.FER2013)]))
    assert "62 % sad means: of 100 faces that get this number, about 62 are labelled sad" in shown
    assert shown.index("FER-2013's label: sad, 62 % probable.") < shown.index("Angry")
    assert shown.index("About 7 of 10 people would say neutral") > shown.index("Angry")


def test_card_of_an_unreadable_face_gives_its_reason_once():
    face = read(unreadable=COVERED, reasons=("The face is dark.", COVERED))
    shown = text_of(cards_html([face]))
    assert "Not sure" in shown
    assert f"We can't be sure about this face. {COVERED}" in shown
    assert shown.count(COVERED) == 1
    assert "Be careful: The face is dark." in shown


def test_card_has_no_remarks_if_the_only_one_is_in_its_sentence():
    assert "Be careful" not in cards_html([read(unreadable=COVERED, reasons=(COVERED,))])


def test_numbers_are_explained_with_the_first_face_that_has_an_answer():
    shown = text_of(cards_html([read(unreadable=COVERED), read(index=2)]))
    assert shown.count("means:") == 1
    assert "Face 2: 72 % neutral means" in shown
    assert "Face 1: 72 % neutral means" in text_of(cards_html([read(unreadable=COVERED)] * 2))


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.5, "about 50 would say sad"), (0.994, "about 99 would"), (0.999, "nearly all would")],
)
def test_number_is_explained_by_a_hundred_people(share, words):
    assert words in explain_share(scores(sad=share, neutral=1 - share))


def test_models_are_compared_in_the_reading_of_the_face():
    face = read()
    models = [ModelAnswers("First", "", (face,), 1)]
    shown = text_of(compare_models_html([face], models))
    assert "About 7 of 10 people would say neutral" in shown
    assert "72 % neutral means: of 100 people" in shown
    assert shown.count("FER-2013's label: sad, 62 % probable.") == 1


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading.PEOPLE, "Agrees with most people on 83 of 100 test faces"),
        (Reading.FER2013, "Right on 67 of 100 test faces"),
    ],
)
def test_model_is_described_by_how_good_it_is_at_the_reading(reading, words):
    info = model_info()
    assert format_model_metrics(info, reading) == "Right on 67 of 100 test faces"
    figures = {**info.metrics["validation"], "people": PEOPLE}
    assert format_model_metrics(model_info(metrics={"validation": figures}), reading) == words


@pytest.mark.parametrize(
    ("reading", "sentence"),
    [
        (Reading.PEOPLE, "Face 1: About 9 of 10 people would say happy."),
        (Reading.FER2013, "Face 1: FER-2013's label: happy, 90 % probable."),
    ],
)
def test_camera_says_the_chosen_reading_in_words(reading, sentence):
    analyzer = FakeAnalyzer(AnalyzerConfig(reading=reading))
    reply = answer_message(group(jpeg(Emotion.HAPPY)), Stream(), analyzer)
    [face] = reply["frames"][0]["faces"]
    assert face["sentence"] == sentence


@pytest.mark.usefixtures("catalog")
def test_chosen_reading_is_answered_once_and_kept_on_other_pages(made, catalog):
    def page():
        from importlib import import_module

        import streamlit as st

        import_module(f"frontends.streamlit_app.views.{st.session_state['shown']}").page()

    catalog[1] = model_info("resnet50")
    app = AppTest.from_function(page, default_timeout=200)

    def go(name):
        app.session_state["shown"] = name
        assert not app.run().exception

    go("analyze")
    upload(app, ("a.png", HAPPY))
    assert "About 9 of 10 people would say happy." in html_of(app)
    app.radio(key="reading").set_value(Reading.FER2013).run()
    assert "FER-2013's label: happy, 90 % probable." in text_of(html_of(app))
    app.radio(key="reading").set_value(Reading.PEOPLE).run()
    assert [len(each.detector.seen) for each in made] == [2]  # one model for both readings
    app.radio(key="reading").set_value(Reading.FER2013).run()
    for name in ("compare", "landmark_lab"):
        go(name)
        assert app.radio(key="reading").value == Reading.FER2013
        assert {each.config.reading for each in made[2:]} <= {Reading.FER2013}
    go("detection_lab")
    assert not [each for each in app.radio if each.key == "reading"]
    go("analyze")
    assert app.radio(key="reading").value == Reading.FER2013


@pytest.mark.usefixtures("catalog", "made")
def test_camera_page_runs_the_chosen_reading(made):
    app = open_page("live")
    app.radio(key="reading").set_value(Reading.FER2013).run()
    assert not app.exception
    assert app.session_state["live"].analyzer().config.reading is Reading.FER2013


@pytest.mark.usefixtures("catalog", "made")
def test_table_of_several_photos_names_what_its_numbers_are():
    app = upload(open_page("analyze"), ("a.png", HAPPY), ("b.png", HAPPY))
    assert list(app.dataframe[0].value["People"].round(2)) == [0.9, 0.9]
    assert any(each.value.startswith("People: the share of people") for each in app.caption)
    app.radio(key="reading").set_value(Reading.FER2013).run()
    assert list(app.dataframe[0].value["Probability"].round(2)) == [0.9, 0.9]
    assert "People" not in app.dataframe[0].value


@pytest.mark.usefixtures("catalog", "made")
def test_help_on_the_level_is_about_the_chosen_reading():
    app = open_page("analyze")
    assert "90 of 100" in app.selectbox(key="certain_from").help
    app.selectbox(key="certain_from").set_value("60 %")
    app.radio(key="reading").set_value(Reading.FER2013).run()
    assert "80 of 100" in app.selectbox(key="certain_from").help
    assert app.selectbox(key="certain_from").value == "60 %"


@pytest.mark.usefixtures("catalog", "made")
@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading.PEOPLE, "Orange: the share of people who would say happy"),
        (Reading.FER2013, "Orange: how probable the label happy was"),
    ],
)
def test_landmark_lab_says_what_its_curve_shows(reading, words):
    app = upload(open_page("landmark_lab"), ("a.png", HAPPY))
    app.radio(key="reading").set_value(reading).run()
    assert not app.exception
    assert words in " ".join(each.value for each in app.caption)
    curve = app.get("vega_lite_chart")[-1].proto.spec
    assert landmark_lab._SHARE[reading] in curve
