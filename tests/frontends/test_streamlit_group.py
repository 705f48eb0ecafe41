"""A photo with many faces: a summary and tiles that can be sorted and filtered."""

from __future__ import annotations

import re

import pytest

from core import Emotion, Reading
from frontends.cards import MANY, cards_html, summary_html
from frontends.streamlit_app.views.group import BY_ANSWER, BY_NUMBER, LEAST_SURE, sort_faces
from frontends.wording import describe_group
from tests.core.pipeline_parts import face_analysis, scores
from tests.fakes import FakeAnalyzer, picture, png
from tests.frontends.streamlit_pages import open_page, upload

CROWD = picture(*[Emotion.HAPPY] * 7, Emotion.SAD, unsure=[Emotion.FEAR, Emotion.SAD])


def html_of(app):
    return " ".join(element.proto.body for element in app.get("html"))


def tiles(html):
    return [int(number) for number in re.findall(r'tile" data-face="(\d+)"', html)]


def answers(**counts):
    """Faces with certain answers by emotion; ``unsure`` are not sure."""
    from core import Box

    faces = []
    for name, count in counts.items():
        emotions = scores(0.9, happy=0.5, sad=0.5) if name == "unsure" else scores(0.0, **{name: 1})
        for _ in range(count):
            faces.append(face_analysis(len(faces) + 1, Box(0, 0, 9, 9), emotions))
    return faces


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"happy": 55}, "All of these 55 people look happy."),
        ({"happy": 30, "sad": 25}, "Most of these 55 people look happy."),
        (
            {"sad": 5, "disgust": 3, "fear": 1, "unsure": 2},
            "5 of these 11 people look sad, 3 disgusted and 1 afraid; 2 answers are not sure.",
        ),
        ({"happy": 4, "unsure": 5}, "Most of the 9 answers are not sure."),
        ({"happy": 5, "surprise": 5}, "5 of these 10 people look happy and 5 surprised."),
        (
            {"sad": 4, "happy": 2, "fear": 2, "angry": 1, "unsure": 1},
            (
                "4 of these 10 people look sad, 2 happy, 2 afraid and 1 something else; "
                "1 answer is not sure."
            ),
        ),
        ({"unsure": 9}, "None of the 9 answers is sure."),
    ],
)
def test_sentence_says_what_most_faces_show(counts, sentence):
    assert describe_group(answers(**counts)) == sentence


def test_sentence_about_labels_does_not_speak_of_people():
    from core import AnalyzerConfig, RgbImage

    analyzer = FakeAnalyzer(AnalyzerConfig(reading=Reading.FER2013))
    faces = analyzer.analyze(RgbImage(picture(*[Emotion.DISGUST] * 3))).faces
    assert describe_group(faces) == "All of these 3 faces would be labelled disgust."


def test_not_sure_is_counted_apart_from_the_emotions():
    emotions, apart = summary_html(answers(happy=3, unsure=2)).split("apart")
    assert "Happy" in emotions
    assert "Not sure" not in emotions
    assert re.search(r"Not sure.*<span class=\"value\">2</span>", apart, re.DOTALL)


def test_few_faces_have_cards_and_many_have_tiles():
    assert "tiles" not in cards_html(answers(happy=MANY))
    many = cards_html(answers(happy=MANY + 1), (100, 100))
    assert tiles(many) == list(range(1, MANY + 2))
    assert "All of these 9 people look happy." in many


def test_card_says_where_its_face_is():
    face = FakeAnalyzer().analyze(image(picture(Emotion.HAPPY, size_wh=(400, 200), side=50))).faces
    assert 'data-box="2.50 5.00 12.50 25.00"' in cards_html(face, (400, 200))
    assert "data-box" not in cards_html(face)


def image(pixels):
    from core import RgbImage

    return RgbImage(pixels)


def test_faces_are_sorted_by_number_answer_and_certainty():
    faces = FakeAnalyzer().analyze(image(CROWD)).faces
    numbers = {
        order: [face.index for face in sort_faces(faces[::-1], order)]
        for order in (BY_NUMBER, BY_ANSWER, LEAST_SURE)
    }
    assert numbers[BY_NUMBER] == sorted(numbers[BY_NUMBER])
    unsure = {face.index for face in faces if not face.emotions.certain}
    assert set(numbers[LEAST_SURE][:2]) == unsure
    assert set(numbers[BY_ANSWER][-2:]) == unsure
    sad = [face.index for face in faces if face.emotions.certain and face.emotions.top == "sad"]
    assert numbers[BY_ANSWER][-3:-2] == sad


@pytest.mark.usefixtures("made", "catalog")
def test_tiles_are_filtered_and_sorted_on_the_page():
    app = upload(open_page("analyze"), ("crowd.png", png(CROWD)))
    assert not app.exception
    assert tiles(html_of(app)) == list(range(1, 11))
    assert "Most of these 10 people look happy." in html_of(app)
    app.button_group(key="face_order").set_value(LEAST_SURE).run()
    assert len(tiles(html_of(app))) == 10
    assert tiles(html_of(app)) != list(range(1, 11))
    app.button_group(key="shown_faces").set_value(["Sad"]).run()
    assert len(tiles(html_of(app))) == 1
    assert "1 of 10 faces." in " ".join(each.value for each in app.caption)
    # The next photo has no sad face: all of it is shown.
    upload(app, ("happy.png", png(picture(*[Emotion.HAPPY] * 9))))
    assert not app.exception
    assert len(tiles(html_of(app))) == 9


@pytest.mark.usefixtures("made", "catalog")
def test_files_of_a_group_are_offered_above_its_tiles():
    app = upload(open_page("analyze"), ("crowd.png", png(CROWD)))
    shown = list(_flatten(app.main))
    kinds = [
        "tiles" if "tiles" in getattr(each.proto, "body", "") else each.type
        for each in shown
        if each.type in {"download_button", "html"}
    ]
    assert kinds.index("download_button") < kinds.index("tiles")
    assert kinds.count("download_button") == 5


def _flatten(block):
    for child in getattr(block, "children", {}).values():
        if hasattr(child, "children"):
            yield from _flatten(child)
        else:
            yield child
