"""The page with a slider for the detector's threshold."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

import core
from core import DetectionFigures, DetectionPoint, Emotion, OperatingPoint, Preset
from tests.fakes import SquareDetector, picture, png

pytestmark = pytest.mark.usefixtures("catalog", "scored")

SCORES = (0.99, 0.62, 0.31)
THREE = png(picture(Emotion.HAPPY, Emotion.SAD, Emotion.FEAR))
CURVE = tuple(
    DetectionPoint(threshold, precision, recall, f1)
    for threshold, precision, recall, f1 in (
        (0.05, 0.5, 0.95, 0.66),
        (0.3, 0.7, 0.9, 0.79),
        (0.6, 0.9, 0.8, 0.85),
        (0.9, 0.97, 0.6, 0.74),
    )
)
FIGURES = DetectionFigures(
    detector="mtcnn",
    preset=Preset.BALANCED,
    data="224 photos of val",
    min_size_px=20,
    points=dict(
        zip(
            (OperatingPoint.RECALL, OperatingPoint.BALANCED, OperatingPoint.PRECISION),
            CURVE[1:],
            strict=True,
        )
    ),
    curve=CURVE,
    ap=0.8,
    false_alarms_per_100_negatives=None,
)


@pytest.fixture
def scored(monkeypatch):
    """A detector that is less and less sure of three faces, and its measured figures."""
    plain = SquareDetector.detect
    monkeypatch.setattr(
        SquareDetector,
        "detect",
        lambda self, image: tuple(
            replace(face, score=score)
            for face, score in zip(plain(self, image), SCORES, strict=False)
        ),
    )
    measured = {"figures": FIGURES}
    monkeypatch.setattr(core, "detection_figures", lambda *_: measured["figures"])
    return measured


def open_lab():
    def page():
        from frontends.streamlit_app.views import detection_lab

        detection_lab.page()

    return AppTest.from_function(page, default_timeout=200).run()


def upload(app, *files):
    app.file_uploader[0].set_value([(name, data, "image/png") for name, data in files])
    return app.run()


def slider(app):
    [found] = [each for each in app.select_slider if each.label == "Threshold"]
    return found


def caption(app):
    [result] = [each for image in app.image for each in image.captions]
    return result


def test_threshold_redraws_the_frames_without_running_the_detector_again(made):
    app = upload(open_lab(), ("a.png", THREE))
    assert not app.exception
    assert caption(app) == r"a\.png: 2 faces kept (solid frames), 1 left out (dashed)"
    drawn = app.image[0].value
    slider(app).set_value(0.9).run()
    assert caption(app) == r"a\.png: 1 face kept (solid frame), 2 left out (dashed)"
    assert app.image[0].value != drawn
    slider(app).set_value(0.05).run()
    assert caption(app) == r"a\.png: 3 faces kept"
    [widest] = [each for each in made if each.config.detection_threshold == 0.05]
    assert widest.detector.seen == ["a.png"]


def test_photo_is_turned_as_on_the_other_pages(made, monkeypatch):
    # A photo that lies on its side: the squares are found only after a turn to the right.
    scored = SquareDetector.detect
    monkeypatch.setattr(
        SquareDetector,
        "detect",
        lambda self, image: scored(self, image) if image.turned == 90 else (),
    )
    app = upload(open_lab(), ("a.png", THREE))
    assert caption(app) == r"a\.png: 2 faces kept (solid frames), 1 left out (dashed)"
    [widest] = [each for each in made if each.config.detection_threshold == 0.05]
    assert widest.detector.turns == [90]


@pytest.mark.usefixtures("made")
def test_frames_at_one_threshold_are_drawn_once(monkeypatch):
    drawn, draw = [], core.annotate_detections

    def record(image, faces, threshold, **options):
        drawn.append(threshold)
        return draw(image, faces, threshold, **options)

    monkeypatch.setattr(core, "annotate_detections", record)
    app = upload(open_lab(), ("a.png", THREE))
    app.run()
    slider(app).set_value(0.9).run()
    slider(app).set_value(0.6).run()
    assert not app.exception
    assert drawn == [0.6, 0.9]


@pytest.mark.usefixtures("made")
def test_measured_figures_follow_the_threshold():
    app = open_lab()
    assert not app.select_slider
    assert [each.value for each in app.metric] == ["90.0 %", "80.0 %", "85.0 %"]
    upload(app, ("a.png", THREE))
    slider(app).set_value(0.9).run()
    assert [each.value for each in app.metric] == ["97.0 %", "60.0 %", "74.0 %"]
    assert any("About 97 of 100 frames hold a face" in each.value for each in app.markdown)
    [measured] = [each.value for each in app.caption if "Measured" in each.value]
    assert "a validation set of 224 photos that" in measured
    assert "faces of at least 20 pixels" in measured
    chart = json.loads(app.get("vega_lite_chart")[0].proto.spec)
    assert "from 0.05 to 0.9: Precision from 50 % to 97 %" in chart["description"]


@pytest.mark.usefixtures("made")
def test_slider_starts_at_the_operating_point_of_the_settings():
    app = upload(open_lab(), ("a.png", THREE))
    assert slider(app).value == 0.6
    app.radio(key="operating_point").set_value(OperatingPoint.PRECISION).run()
    assert not app.exception
    assert slider(app).value == 0.9


@pytest.mark.usefixtures("made")
def test_page_works_without_measurements(scored):
    scored["figures"] = None
    app = upload(open_lab(), ("a.png", THREE))
    assert not app.exception
    assert slider(app).value == 0.9
    assert "emotion detector tune" in app.info[0].value
    assert not app.metric


@pytest.mark.usefixtures("made")
def test_photo_that_cannot_be_read_is_explained():
    app = upload(open_lab(), ("notes.png", b"no picture"))
    assert not app.exception
    assert "notes" in app.error[0].value


def test_operating_point_is_passed_to_the_detector_unless_a_threshold_is_set(made):
    def page():
        from frontends.streamlit_app.views import analyze

        analyze.page()

    app = AppTest.from_function(page, default_timeout=200).run()
    upload(app, ("a.png", THREE))
    app.radio(key="operating_point").set_value(OperatingPoint.RECALL).run()
    app.selectbox(key="threshold").set_value("0.70").run()
    assert not app.exception
    assert [(each.config.operating_point, each.config.detection_threshold) for each in made] == [
        (OperatingPoint.BALANCED, None),
        (OperatingPoint.RECALL, None),
        (OperatingPoint.RECALL, 0.7),
    ]
    assert app.radio(key="operating_point").disabled
