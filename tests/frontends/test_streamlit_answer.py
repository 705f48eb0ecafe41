"""What the Streamlit app offers beside an answer: other networks, rows to pick, documents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import EMOTIONS, Analyzer, AnalyzerConfig, Emotion, EmotionScores
from frontends import analyzers
from frontends.cards import cards_html
from frontends.streamlit_app import state
from frontends.streamlit_app.documents import DOCS, document_parts
from frontends.streamlit_app.views import answer, several
from frontends.streamlit_app.views.sources import SAMPLE
from tests.fakes import FakeAnalyzer, model_info, picture, png
from tests.frontends.streamlit_pages import open_page, upload

HAPPY = png(picture(Emotion.HAPPY))
CROWD = png(picture(Emotion.HAPPY, Emotion.SAD, Emotion.ANGRY))


def html_of(app):
    return " ".join(element.proto.body for element in app.get("html"))


def certain(emotion):
    return EmotionScores(tuple(float(each is emotion) for each in EMOTIONS))


class Ensemble(FakeAnalyzer):
    """Two networks that say happy and one that says sad for every face."""

    def analyze_faces(self, image, faces):
        result = {"mobilenet_v2": "happy", "resnet50": "happy", "inception_v3": "sad"}
        per_model = {name: certain(Emotion(word)) for name, word in result.items()}
        return tuple(
            replace(each, per_model=per_model) for each in super().analyze_faces(image, faces)
        )


@pytest.fixture
def requested_analyzers(monkeypatch, made, catalog):
    """The analyzers that were made, with the ensemble's."""
    catalog[:] = [model_info(), model_info("ensemble")]
    plain = Analyzer.from_config

    def from_config(config):
        if config.model != "ensemble":
            return plain(config)
        made.append(Ensemble(config))
        return made[-1]

    monkeypatch.setattr(Analyzer, "from_config", from_config)
    return made


def test_every_network_runs_on_request_and_the_answer_stays(requested_analyzers):
    app = upload(open_page("analyze"), ("a.png", HAPPY))
    assert "networks" not in html_of(app)
    assert [each.config.model for each in requested_analyzers] == ["mobilenet_v2"]
    app.toggle(key="opinions").set_value(True).run()
    assert not app.exception
    shown = html_of(app)
    assert 'aria-label="Face 1: Happy, 90 %"' in shown
    assert "2 of 3 networks say happy" in shown
    assert "InceptionV3: Sad, 100 %" in shown
    # The faces were found once; the ensemble was given them.
    assert [each.detector.seen for each in requested_analyzers] == [["a.png"], []]


@pytest.mark.usefixtures("requested_analyzers")
def test_answers_of_single_networks_are_not_offered_if_the_ensemble_answers():
    app = open_page("analyze")
    next(box for box in app.selectbox if box.label == "Model").select_index(1)
    upload(app, ("a.png", HAPPY))
    assert not [each for each in app.toggle if each.key == "opinions"]


@pytest.mark.usefixtures("made", "catalog")
def test_first_page_has_a_button_for_the_sample():
    app = open_page("analyze")
    [button] = [each for each in app.button if "sample" in each.label]
    button.click().run()
    assert not app.exception
    assert app.session_state["source"] == SAMPLE
    assert app.image[0].captions


@pytest.mark.usefixtures("made", "catalog")
def test_first_photo_with_a_face_is_shown_first():
    app = upload(
        open_page("analyze"),
        ("notes.txt", b"hello"),
        ("wall.png", png(picture())),
        ("a.png", HAPPY),
    )
    picker = next(box for box in app.selectbox if box.label == "Photo to look at")
    assert picker.value.endswith("a.png")
    assert "Face 1: Happy" in html_of(app)


@pytest.mark.usefixtures("made", "catalog")
def test_faces_as_the_network_saw_them_are_drawn_once(monkeypatch):
    drawn, plain = [], answer.enlarge_crop
    monkeypatch.setattr(
        answer, "enlarge_crop", lambda *given: drawn.append(given[1].index) or plain(*given)
    )
    app = upload(open_page("analyze"), ("a.png", CROWD))
    app.toggle(key="crops").set_value(True).run()
    app.run()
    assert drawn == [1, 2, 3]
    app.toggle(key="attention").set_value(True).run()
    app.toggle(key="attention").set_value(False).run()
    assert drawn == 2 * [1, 2, 3]
    assert not app.exception


def test_clicked_row_of_the_filtered_table_picks_its_photo(monkeypatch):
    state = {"table": {"selection": {"cells": [(1, "Answer")]}}}
    monkeypatch.setattr(several.st, "session_state", state)
    several._pick_row(["a", "b"])
    assert state["picked_photo"] == "b"
    # A click from before, when the table was longer.
    state["table"] = {"selection": {"cells": [(2, "Answer")]}}
    several._pick_row(["a", "b"])
    assert state["picked_photo"] == "b"


def press(app, words):
    [button] = [each for each in app.button if each.label == words]
    return button.click().run()


@pytest.mark.usefixtures("made", "catalog")
def test_photos_are_gone_through_in_the_order_of_the_filtered_table():
    sad = png(picture(Emotion.SAD))
    app = upload(open_page("analyze"), ("a.png", HAPPY), ("b.png", sad), ("c.png", CROWD))
    press(app, "Previous")  # after the first one comes the last
    assert "Face 3: Angry" in html_of(app)
    press(app, "Next")
    assert "Face 1: Happy" in html_of(app)
    press(app, "Next")
    assert "Face 1: Sad" in html_of(app)
    app.button_group(key="shown_answers").set_value(["Happy"]).run()
    # b.png is filtered out, and with it its photo and its bar.
    assert "Face 1: Sad" not in html_of(app)
    assert "All of these 2 people look happy." in html_of(app)
    press(app, "Next")
    assert "Face 3: Angry" in html_of(app)
    press(app, "Previous")
    assert app.session_state["picked_photo"].endswith("a.png")
    app.text_input(key="shown_names").set_value("zebra").run()
    assert not app.exception
    assert "No photo fits" in app.info[0].value


@pytest.mark.usefixtures("made", "catalog")
def test_photo_stays_picked_when_one_before_it_is_removed():
    sad = ("b.png", png(picture(Emotion.SAD)))
    angry = ("c.png", png(picture(Emotion.ANGRY)))
    app = upload(open_page("analyze"), ("a.png", HAPPY), sad, angry)
    press(app, "Next")
    upload(app, sad, angry)
    assert "Face 1: Sad" in html_of(app)


@pytest.mark.usefixtures("made", "catalog")
def test_table_shows_each_face_as_the_network_saw_it():
    app = upload(open_page("analyze"), ("a.png", CROWD), ("notes.txt", b"hello"))
    table = app.dataframe[0].value
    assert list(table["Face no."][:3]) == [1, 2, 3]
    assert all(each.startswith("data:image/png;base64,") for each in table["Face"][:3])
    assert not isinstance(table["Face"][3], str)


def test_cards_of_many_faces_show_three_emotions_and_hide_the_rest():
    faces = FakeAnalyzer().analyze(several_faces(4)).faces
    shown = cards_html(faces)
    assert shown.count("<details>") == 4
    first = shown.split("<details>")[0]
    assert first.count('class="word"') == 3
    assert shown.count('class="word"') == 4 * 7
    assert "<details>" not in cards_html(faces[:2])


def several_faces(count):
    from core import RgbImage

    return RgbImage(picture(*[Emotion.HAPPY] * count))


@pytest.mark.usefixtures("made", "catalog")
def test_about_shows_the_documents():
    app = open_page("about")
    assert "expressions, not feelings" in " ".join(each.value for each in app.markdown)
    app.button_group(key="about_part").set_value("Ethics").run()
    assert not app.exception
    result = " ".join(each.value for each in app.markdown)
    assert "What is inferred, and what is not" in result
    assert "<!--" not in result


def test_pictures_of_a_document_are_shown_and_its_local_links_become_words(tmp_path):
    (tmp_path / "a.png").write_bytes(HAPPY)
    file = tmp_path / "page.md"
    file.write_text(
        "# Title\n\n<!-- note\n-->Text with [a file](other.md) and [a site](https://x.org).\n\n"
        "| ![First](a.png) | ![Second](a.png) |\n|---|---|\n\n"
        "Inline ![small](a.png) picture.\n\n![Gone](missing.png)\n",
        encoding="utf-8",
    )
    picture_file = tmp_path / "a.png"
    assert list(document_parts(file)) == [
        "Text with a file and [a site](https://x.org).",
        (("First", picture_file), ("Second", picture_file)),
        "Inline small picture.\n\nGone",
    ]


@pytest.mark.parametrize("file", sorted(DOCS.glob("*.md")), ids=lambda file: file.name)
def test_every_document_of_the_repository_can_be_shown(file):
    parts = list(document_parts(file))
    words = [part for part in parts if isinstance(part, str)]
    assert words
    assert not [each for each in words if "](images/" in each or each.startswith("# ")]


def test_model_is_loaded_at_once_if_an_answer_needs_it(monkeypatch, made):
    # Otherwise loading waits for the page, an hour in this test.
    monkeypatch.setattr(analyzers, "PAGE_FIRST_S", 3600.0)
    analyzer = state.ready_analyzer(AnalyzerConfig())
    assert made == [analyzer]


def click_turn(app):
    next(button for button in app.button if button.label == "Turn").click()
    app.run()
    assert not app.exception


def test_photo_is_turned_by_hand_a_quarter_each_time(made):
    app = upload(open_page("analyze"), ("a.png", CROWD))
    for _ in range(4):
        click_turn(app)
    assert made[-1].detector.turns == [0, 90, 180, 270, 0]


def test_photo_without_a_face_can_be_turned_by_hand(made):
    app = upload(open_page("analyze"), ("a.png", png(picture())))
    assert made[-1].detector.turns == [0, 90, 270, 180]  # tried by itself
    click_turn(app)
    assert made[-1].detector.turns[4:] == [90]


def test_saved_picture_shows_what_the_page_shows(made, catalog, monkeypatch):
    offered = {}
    monkeypatch.setattr(
        answer,
        "offer_downloads",
        lambda _, offers: offered.update({each[0]: each for each in offers}),
    )
    app = upload(open_page("analyze"), ("Ann & me.png", png(picture(Emotion.HAPPY))))

    def save():
        _, make, name, _ = offered["Picture (PNG)"]
        assert name == "Ann_me.annotated.png"
        return make()

    plain = save()
    app.toggle(key="landmarks").set_value(True).run()
    with_landmarks = save()
    app.toggle(key="attention").set_value(True).run()
    assert len({plain, with_landmarks, save()}) == 3
