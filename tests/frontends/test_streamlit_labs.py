"""The pages that compare models and shift landmarks."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core import AnalyzerConfig, Emotion, LandmarkNoise, Preset, detection_figures
from frontends.streamlit_app.views import about, landmark_lab
from frontends.streamlit_app.views.landmark_lab import _DRAWS, _ERRORS
from tests.fakes import SquareClassifier, SquareDetector, model_info, picture, png
from tests.frontends.streamlit_pages import open_page, upload

pytestmark = pytest.mark.usefixtures("catalog", "made")
TWO_FACES = png(picture(Emotion.HAPPY, Emotion.SAD))


def html_of(app):
    return " ".join(element.proto.body for element in app.get("html"))


def test_every_trained_model_answers_every_face(catalog, made):
    catalog[1] = model_info("resnet50")
    app = upload(open_page("compare"), ("two.png", TWO_FACES))
    assert not app.exception
    shown = html_of(app)
    assert [shown.count(title) for title in ("MobileNetV2", "ResNet50")] == [2, 2]
    answers = re.findall(r"</i>(Happy|Sad)</strong>", shown)
    assert answers == ["Happy", "Happy", "Sad", "Sad"]
    assert len(re.findall(r"\d+ ms for 2 faces", shown)) == 4
    # Which of the two is made first is left to chance.
    assert sorted(each.config.model for each in made) == ["mobilenet_v2", "resnet50"]


def test_faces_are_found_once_for_all_models(catalog, made):
    catalog[1] = model_info("resnet50")
    app = upload(open_page("compare"), ("two.png", TWO_FACES))
    app.run()
    # Which of the two is made first is left to chance.
    assert sorted(each.detector.seen for each in made) == [[], ["two.png"]]


def test_measured_figures_are_shown_even_without_a_photo():
    app = open_page("compare")
    assert "67.1 % (65.5 to 68.6)" in str(app.table[0].value)


def test_chosen_photo_of_several_is_compared():
    app = upload(open_page("compare"), ("a.png", TWO_FACES), ("b.png", png(picture(Emotion.FEAR))))
    next(box for box in app.selectbox if box.label == "Photo").select_index(1).run()
    assert "Fear</strong>" in html_of(app)
    assert "Happy</strong>" not in html_of(app)


@pytest.mark.parametrize("page", ["compare", "landmark_lab"])
def test_page_explains_why_there_is_no_answer(page, catalog):
    app = open_page(page)
    upload(app, ("notes.png", b"no picture"))
    assert "notes" in app.error[0].value
    assert not app.exception
    upload(app, ("empty.png", png(picture())))
    assert "No face" in app.info[0].value
    catalog[:] = [replace(catalog[1], name="mobilenet_v2")]
    app.run()
    assert "No network is trained" in app.warning[0].value
    assert not app.exception


def test_shifted_landmarks_change_the_answer():
    app = upload(open_page("landmark_lab"), ("one.png", png(picture(Emotion.HAPPY))))
    assert "The answer stays" in " ".join(each.value for each in app.markdown)
    app.selectbox(key="noise_kind").set_value(LandmarkNoise.SHIFT)
    app.slider(key="noise_error").set_value(60)
    seen = set()
    for _ in range(6):
        app.button[0].click().run()
        seen.add(html_of(app))
    assert not app.exception
    assert len(seen) > 1


def test_curve_is_computed_once_for_each_kind_of_shift(monkeypatch):
    batch_sizes = []
    plain = SquareClassifier.logits
    monkeypatch.setattr(
        SquareClassifier,
        "logits",
        lambda self, crops: batch_sizes.append(len(crops)) or plain(self, crops),
    )
    app = upload(open_page("landmark_lab"), ("one.png", png(picture(Emotion.HAPPY))))
    whole = len(_ERRORS) * _DRAWS
    assert batch_sizes.count(whole) == 1
    app.slider(key="noise_error").set_value(20).run()
    assert batch_sizes.count(whole) == 1
    app.selectbox(key="noise_kind").set_value(LandmarkNoise.ROTATION).run()
    assert batch_sizes.count(whole) == 2
    assert not app.exception


def test_same_shift_is_neither_computed_nor_drawn_again(monkeypatch):
    done = []
    logits, draw_closeup = SquareClassifier.logits, landmark_lab.draw_closeup
    monkeypatch.setattr(
        SquareClassifier,
        "logits",
        lambda self, crops: done.append("classified") or logits(self, crops),
    )
    monkeypatch.setattr(
        landmark_lab, "draw_closeup", lambda *all_: done.append("drawn") or draw_closeup(*all_)
    )
    app = upload(open_page("landmark_lab"), ("one.png", png(picture(Emotion.HAPPY))))
    assert done.count("drawn") == 1
    done.clear()
    app.run()
    assert done == []
    app.slider(key="noise_error").set_value(20).run()
    app.slider(key="noise_error").set_value(10).run()
    assert done == ["classified", "drawn"]
    app.button[0].click().run()
    assert done == 2 * ["classified", "drawn"]
    assert not app.exception


def test_choices_are_kept_while_other_pages_are_shown():
    def page():
        from importlib import import_module

        import streamlit as st

        import_module(f"frontends.streamlit_app.views.{st.session_state['shown']}").page()

    app = AppTest.from_function(page, default_timeout=200)

    def go(name):
        app.session_state["shown"] = name
        assert not app.run().exception

    def box(label):
        [found] = [each for each in app.selectbox if each.label == label]
        return found

    def threshold():
        [found] = [each for each in app.select_slider if each.label == "Threshold"]
        return found

    go("landmark_lab")
    upload(app, ("a.png", png(picture(Emotion.FEAR))), ("b.png", TWO_FACES))
    box("Photo").select_index(1).run()
    box("Face").select_index(1)
    app.selectbox(key="noise_kind").set_value(LandmarkNoise.ROTATION)
    app.slider(key="noise_error").set_value(40).run()
    go("detection_lab")
    assert box("Photo").index == 1
    lowest = detection_figures(AnalyzerConfig().chosen_detector, Preset.BALANCED).curve[0].threshold
    assert threshold().value > lowest
    threshold().set_value(lowest).run()
    go("analyze")
    app.button_group(key="shown_answers").set_value(["Happy"])
    app.text_input(key="shown_names").set_value("b").run()
    assert box("Photo to look at").options == ["2 · b.png (2 faces)"]  # it follows the filter
    go("about")
    app.button_group(key="about_part").set_value(about.FIGURES).run()
    go("landmark_lab")
    assert (box("Photo").index, box("Face").index) == (1, 1)
    assert app.selectbox(key="noise_kind").value == LandmarkNoise.ROTATION
    assert app.slider(key="noise_error").value == 40
    go("detection_lab")
    assert threshold().value == lowest
    go("analyze")
    assert app.button_group(key="shown_answers").value == ["Happy"]
    assert app.text_input(key="shown_names").value == "b"
    assert list(app.dataframe[0].value["Photo"]) == ["b.png"]
    assert box("Photo to look at").options == ["2 · b.png (2 faces)"]
    go("about")
    assert app.button_group(key="about_part").value == about.FIGURES


def test_study_is_shown_if_it_was_measured(monkeypatch, tmp_path):
    row = {"accuracy": 0.7, "accuracy_interval": [0.67, 0.73], "certain": 0.8}
    noise = {each.value: [{"error": 0.1, **row}] for each in LandmarkNoise}
    report = {"found": 960, "models": {"mobilenet_v2": {"aligned": row, "noise": noise}}}
    file = tmp_path / "landmarks.json"
    monkeypatch.setattr(landmark_lab, "STUDY_FILE", file)
    app = upload(open_page("landmark_lab"), ("one.png", png(picture(Emotion.HAPPY))))
    assert not any("Measured" in each.value for each in app.subheader)
    file.write_text(json.dumps(report))
    app.run()
    right = app.columns[1]
    assert [each.value for each in right.subheader] == ["Measured on 960 faces"]
    assert "<article" in html_of(right)
    chart = json.loads(right.get("vega_lite_chart")[0].proto.spec)
    assert "Right answers from 70 % to 70 %" in chart["description"]
    assert chart["layer"][0]["encoding"]["y2"] == {"field": "high"}
    figures = {"Right answers": 70.0, "low": 67.0, "high": 73.0, "Answers given": 80.0}
    assert landmark_lab.read_study("mobilenet_v2", LandmarkNoise.EYES) == (
        960,
        [{"error": 0.0, **figures}, {"error": 10.0, **figures}],
    )
    assert landmark_lab.read_study("resnet50", LandmarkNoise.EYES) is None


def test_page_explains_that_a_face_has_no_landmarks(monkeypatch):
    plain = SquareDetector.detect
    monkeypatch.setattr(
        SquareDetector,
        "detect",
        lambda self, image: tuple(replace(face, landmarks=None) for face in plain(self, image)),
    )
    app = upload(open_page("landmark_lab"), ("one.png", png(picture(Emotion.HAPPY))))
    assert "No landmarks" in app.info[0].value
    assert not app.exception
