"""The Streamlit app as a visitor meets it, with a model that answers at once."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import Analyzer, Emotion, ImageAnalysis, Preset, WeightsMissing, to_json
from frontends.films import APP_BOUNDS
from frontends.streamlit_app import downloads
from frontends.streamlit_app.photos import MAX_PHOTOS, Photo, limit_photos
from frontends.streamlit_app.views.sources import SAMPLE, UPLOAD
from frontends.streamlit_app.workspace import Cache, Refusal
from frontends.wording import escape_markdown
from tests.fakes import FakeEnsemble, model_info, picture, png, untrained

pytestmark = pytest.mark.usefixtures("catalog")

SLOWEST_S = 200
"""A first answer imports torch, which is slow on a busy computer."""
HAPPY = png(picture(Emotion.HAPPY))


def open_page(root):
    page = root / "frontends" / "streamlit_app" / "script.py"
    return AppTest.from_file(str(page), default_timeout=SLOWEST_S).run()


@pytest.fixture
def app(root, made):
    """The page as it is first seen."""
    return open_page(root)


def upload(app, *files):
    app.file_uploader[0].set_value([(name, data, "image/png") for name, data in files])
    return app.run()


def html_of(app):
    return " ".join(element.proto.body for element in app.get("html"))


def texts(app):
    """Return all text on the page."""
    blocks = [*app.markdown, *app.caption, *app.error, *app.info, *app.warning, *app.subheader]
    captions = [caption for picture in app.image for caption in picture.captions]
    return " ".join([*(b.value for b in blocks), *captions, html_of(app)])


def answers(app):
    results = app.session_state["workspace"].results._values.values()
    return [each for each in results if isinstance(each, ImageAnalysis | Refusal)]


def test_first_page_appears_before_any_model_runs(app):
    assert not app.exception
    assert app.title[0].value == "Read the emotions in a photo"
    assert app.file_uploader[0].accept_multiple_files
    assert "<article" not in html_of(app)
    assert not app.get("download_button")


def test_the_page_does_not_import_torch_itself(root):
    import subprocess
    import sys

    code = (
        "import sys; from frontends.streamlit_app.views import about, analyze; "
        "sys.exit('torch' in sys.modules or 'mediapipe' in sys.modules or 'cv2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_uploaded_photo_is_answered_with_a_card_per_face(app):
    upload(app, ("party.png", png(picture(Emotion.HAPPY, Emotion.SAD))))
    assert not app.exception
    shown = html_of(app)
    assert shown.count("<article") == 2
    assert 'aria-label="Face 1: Happy, 90 %"' in shown
    assert 'aria-label="Face 2: Sad, 90 %"' in shown
    assert app.image[0].captions == [
        "party\\.png: 2 faces. Face 1\\: happy, 90\u00a0%\\. Face 2\\: sad, 90\u00a0%"
    ]
    for word in ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"):
        assert f'<span class="word">{word}</span>' in shown


def test_not_sure_is_shown_with_its_reason(app):
    upload(app, ("doubt.png", png(picture(unsure=[Emotion.FEAR]))))
    shown = html_of(app)
    assert "Not sure" in shown
    assert "People would disagree: of 10, 3 fear, 1 angry, 1 disgust." in shown


def test_card_shows_what_makes_an_answer_doubtful(app):
    upload(app, ("small.png", png(picture(Emotion.HAPPY, side=24))))
    assert "Be careful:" in html_of(app)
    assert "small" in html_of(app)


def test_no_face_is_explained_and_is_not_an_error(app):
    upload(app, ("wall.png", png(picture())))
    assert not app.error
    assert "No face was found" in app.info[0].value
    assert "Thorough" in app.info[0].value


def test_bad_file_is_refused_with_advice_and_without_a_traceback(app):
    upload(app, ("holiday *1*.psd", b"8BPS\0\x01" + bytes(64)))
    assert not app.exception
    [error] = app.error
    assert r"holiday \*1\*\.psd" in error.value
    assert "Photoshop" in error.value
    assert "JPEG" in error.value
    assert "Traceback" not in error.value
    assert "/" not in error.value


def test_one_bad_file_never_stops_the_others(app):
    upload(
        app,
        ("a.png", HAPPY),
        ("broken.png", HAPPY[: len(HAPPY) // 2]),
        ("notes.txt", b"hello"),
        ("b.png", png(picture(Emotion.SAD, Emotion.SAD))),
        ("wall.png", png(picture())),
    )
    assert not app.exception
    assert app.subheader[0].value == (
        "5 files: 3 faces in 2 photos, 1 photo without a face, 2 files not read"
    )
    table = app.dataframe[0].value
    assert list(table["Photo"]) == [
        "a.png",
        "broken.png",
        "notes.txt",
        "b.png",
        "b.png",
        "wall.png",
    ]
    assert list(table["Answer"]) == [
        "Happy",
        "Not read",
        "Not read",
        "Sad",
        "Sad",
        "No face",
    ]
    assert "text file" in table["Remarks"][2]


def test_any_of_several_photos_can_be_opened(app):
    upload(app, ("a.png", HAPPY), ("b.png", png(picture(Emotion.ANGRY))), ("c.txt", b"hello"))
    picker = next(box for box in app.selectbox if box.label == "Photo to look at")
    assert "Face 1: Happy" in html_of(app)
    picker.select_index(1).run()
    assert "Face 1: Angry" in html_of(app)
    next(box for box in app.selectbox if box.label == "Photo to look at").select_index(2).run()
    assert not app.exception
    assert "text file" in app.error[0].value


def test_sample_is_answered_without_an_upload(app):
    app.button_group(key="source").set_value(SAMPLE).run()
    assert not app.exception
    assert any("public domain" in caption.value for caption in app.caption)
    [analysis] = answers(app)
    assert (analysis.name, analysis.width) == ("astronaut.png", 512)


def test_nothing_is_computed_twice(app, made):
    upload(app, ("a.png", HAPPY))
    app.toggle(key="attention").set_value(True).run()
    app.toggle(key="landmarks").set_value(True).run()
    app.button_group(key="source").set_value(SAMPLE).run()
    app.button_group(key="source").set_value(UPLOAD).run()
    assert not app.exception
    assert len(made) == 1
    detector = made[0].detector
    # No face is found in the sample, so that other turns of it are tried.
    assert detector.seen == ["a.png", *["astronaut.png"] * 4]
    assert detector.turns == [0, 0, 90, 270, 180]


def test_uploads_stay_after_another_source_is_chosen(app):
    upload(app, ("a.png", HAPPY))
    app.button_group(key="source").set_value(SAMPLE).run()
    app.button_group(key="source").set_value(UPLOAD).run()
    assert "Face 1: Happy" in html_of(app)


def test_new_setting_runs_the_model_and_going_back_does_not(app, made):
    upload(app, ("a.png", HAPPY))
    app.radio(key="preset").set_value(Preset.THOROUGH).run()
    app.radio(key="preset").set_value(Preset.BALANCED).run()
    assert not app.exception
    assert [each.config.preset for each in made] == ["balanced", "thorough"]
    assert [len(each.detector.seen) for each in made] == [1, 1]


def test_threshold_is_passed_to_the_detector_only_if_it_was_set(app, made):
    upload(app, ("a.png", HAPPY))
    app.selectbox(key="threshold").set_value("0.70").run()
    assert [each.config.detection_threshold for each in made] == [None, 0.7]


def test_level_for_not_sure_changes_the_answer(app, made):
    upload(app, ("a.png", png(picture(unsure=[Emotion.HAPPY]))))
    assert "Not sure</strong>" in html_of(app)
    app.selectbox(key="certain_from").set_value("30 %").run()
    assert "Happy</strong>" in html_of(app)
    assert len(made) == 1  # the level needs no other network


def test_faces_are_shown_as_the_network_saw_them_on_request(app, made):
    upload(app, ("a.png", png(picture(Emotion.HAPPY, Emotion.SAD))))
    before = len(app.image)
    explained = []
    explain = made[0].explain
    made[0].explain = lambda analysis: explained.append(analysis) or explain(analysis)
    next(each for each in app.toggle if "as the network" in each.label).set_value(True).run()
    assert not app.exception
    shown = [caption for image in app.image for caption in image.captions]
    assert len(app.image) == before + 1
    assert [each for each in shown if "·" in each] == ["1 · Happy, 90 %", "2 · Sad, 90 %"]
    next(each for each in app.toggle if "looked at" in each.label).set_value(True).run()
    assert not app.exception
    # Once for picture and crops together.
    assert len(explained) == 1


def test_table_of_several_photos_can_be_filtered(app):
    upload(app, ("a.png", HAPPY), ("b.png", png(picture(Emotion.ANGRY))), ("c.txt", b"hello"))
    assert list(app.dataframe[0].value["Photo"]) == ["a.png", "b.png", "c.txt"]
    assert "Answers for 2 faces" in html_of(app)
    app.button_group(key="shown_answers").set_value(["Angry", "Not read"]).run()
    assert list(app.dataframe[0].value["Photo"]) == ["b.png", "c.txt"]
    app.text_input(key="shown_names").set_value("B.P").run()
    assert list(app.dataframe[0].value["Photo"]) == ["b.png"]
    assert not app.exception


def test_table_shows_agreement_only_if_there_are_several_networks(app, monkeypatch):
    photos = (("a.png", HAPPY), ("b.png", png(picture(Emotion.ANGRY))))
    upload(app, *photos)
    assert "Networks" not in app.dataframe[0].value
    monkeypatch.setattr(Analyzer, "from_config", lambda config=None: FakeEnsemble(config))
    st.cache_resource.clear()
    app.radio(key="preset").set_value(Preset.FAST).run()
    result = list(app.dataframe[0].value["Networks"])
    assert result == ["2 of 3 networks say happy", "2 of 3 networks say angry"]


def test_toggles_change_only_the_picture(app):
    upload(app, ("a.png", HAPPY))
    plain, card = app.image[0].value, html_of(app)
    app.toggle(key="attention").set_value(True).run()
    assert app.image[0].value != plain
    assert html_of(app) == card


def test_another_visitor_sees_nothing_of_the_first_one(root, app):
    upload(app, ("secret name.png", HAPPY))
    other = open_page(root)
    assert "secret" not in texts(other)
    assert not other.session_state["workspace"].uploads


def test_hostile_file_name_is_shown_as_text(app):
    upload(app, ("<img src=x onerror=alert(1)>.png", HAPPY), ("\u202egnp.exe", b"MZ"))
    assert "<img src=x" not in html_of(app)
    table = app.dataframe[0].value
    assert table["Photo"][1] == r"\u{202e}gnp.exe"


def test_only_trained_models_can_be_chosen(app, catalog):
    assert not [box for box in app.selectbox if box.label == "Model"]
    assert any("MobileNetV2" in text.value for text in app.sidebar.markdown)
    assert "emotion train --model resnet50" in app.sidebar.code[0].value
    catalog[:] = [model_info(), model_info("resnet50"), untrained("inception_v3")]
    app.run()
    [box] = [box for box in app.selectbox if box.label == "Model"]
    assert box.options == ["MobileNetV2", "ResNet50"]
    assert "Right on 67 of 100 test faces" in [text.value for text in app.sidebar.caption]


def test_page_without_a_trained_model_says_how_to_get_one(root, made, catalog):
    catalog[:] = [untrained("mobilenet_v2")]
    app = open_page(root)
    assert not app.exception
    assert "No network is trained" in app.warning[0].value
    assert "emotion train --model mobilenet_v2" in app.code[0].value
    assert not app.get("file_uploader")


def test_model_that_cannot_be_loaded_is_explained_and_tried_again(app, monkeypatch, made):
    from core import Analyzer

    works = Analyzer.from_config

    def fails(config):
        raise WeightsMissing("The weights are absent.", hint="Restore them.")

    monkeypatch.setattr(Analyzer, "from_config", fails)
    app.radio(key="preset").set_value(Preset.FAST).run()
    upload(app, ("a.png", HAPPY))
    assert app.error[0].value == "The weights are absent\\.\n\nRestore them\\."
    monkeypatch.setattr(Analyzer, "from_config", works)
    [again] = [each for each in app.button if each.label == "Try again"]
    again.click().run()
    assert not app.error
    assert "Face 1: Happy" in html_of(app)


def test_offered_document_equals_the_library_s_byte_for_byte(app):
    upload(app, ("a.png", HAPPY))
    [analysis] = answers(app)
    assert downloads.json_file(analysis) == to_json(analysis).encode()


def test_archive_holds_everything_under_safe_and_distinct_names(app):
    upload(
        app,
        ("../../etc/pass wd.png", HAPPY),
        ("pass wd.jpg", png(picture(Emotion.SAD))),
        ("c.txt", b"hello"),
    )
    memory = app.session_state["workspace"]
    answered = list(zip(memory.uploads, answers(app), strict=True))
    with zipfile.ZipFile(io.BytesIO(downloads.zip_file(answered, memory))) as archive:
        assert archive.namelist() == [
            "emotions.csv",
            "not_answered.csv",
            "pass_wd.emotions.json",
            "pass_wd.annotated.png",
            "pass_wd.blurred.png",
            "pass_wd-2.emotions.json",
            "pass_wd-2.annotated.png",
            "pass_wd-2.blurred.png",
        ]
        result = json.loads(archive.read("pass_wd-2.emotions.json"))
        assert result["faces"][0]["top"] == "sad"
        assert archive.read("pass_wd.annotated.png").startswith(b"\x89PNG")


def test_photos_beyond_the_limit_are_left_out_with_a_warning(app):
    files = [
        (f"{n}.png", png(picture(size_wh=(20 + n, 20), side=5))) for n in range(MAX_PHOTOS + 2)
    ]
    upload(app, *files)
    assert app.warning[0].value.startswith("2 of the photos are left out")
    assert len(app.session_state["workspace"].uploads) == MAX_PHOTOS


def test_the_same_photo_twice_counts_once():
    assert len(limit_photos([Photo.of("a", b"1"), Photo.of("a", b"1"), Photo.of("b", b"1")])) == 2


def test_memory_of_a_visit_is_bounded():
    cache = Cache(100, len)
    for number in range(50):
        cache.get(number, lambda: b"x" * 30)
    assert len(cache) == 3
    assert cache.get("large", lambda: b"x" * 500) == b"x" * 500
    assert len(cache) == 1


def test_settings_of_the_server_keep_photos_private(root):
    import tomllib

    with (root / ".streamlit" / "config.toml").open("rb") as file:
        settings = tomllib.load(file)
    assert settings["server"]["maxUploadSize"] == APP_BOUNDS.megabytes + 1
    assert settings["server"]["address"] == "localhost"
    assert settings["server"]["enableXsrfProtection"] is True
    assert settings["client"]["showErrorDetails"] == "none"
    assert settings["client"]["showErrorLinks"] is False
    assert settings["browser"]["gatherUsageStats"] is False


@pytest.mark.parametrize("text", ["*a*", "[x](y)", "$x$", ":smile:", "a_b_c", "#1", "`x`"])
def test_escaped_text_contains_no_active_markdown(text):
    bare = re.sub(r"\\.", "", escape_markdown(text))
    assert not set(bare) & set("*[]()$:_#`")
