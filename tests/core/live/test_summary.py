"""How long each face was seen, and with which answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core import EMOTIONS, Band, Emotion, FilmSummary, Frame, Reading, RgbImage, plot_film
from tests.fakes import FakeAnalyzer, picture


@pytest.fixture(scope="module")
def faces():
    """A face for each name: happy, sad, unsure."""
    analyzer = FakeAnalyzer()
    shown = {"happy": {"faces": [Emotion.HAPPY]}, "sad": {"faces": [Emotion.SAD]}}
    shown["unsure"] = {"faces": [], "unsure": [Emotion.HAPPY]}
    answers = {}
    for name, options in shown.items():
        pixels = picture(*options.pop("faces"), **options)
        answers[name] = analyzer.analyze(RgbImage(pixels))
    return answers


@pytest.fixture
def add(faces):
    """Adds a frame with the given faces, each by number and name, to a summary."""

    def add_frame(summary, time_s, **shown):
        found = tuple(
            replace(faces[name].faces[0], index=int(number[1:])) for number, name in shown.items()
        )
        image = RgbImage(np.zeros((2, 2, 3), np.uint8))
        summary.add(Frame(image, time_s), replace(faces["happy"], faces=found))

    return add_frame


def test_each_frame_counts_for_as_long_as_it_is_shown(add):
    summary = FilmSummary(Reading.PEOPLE)
    add(summary, 0.0, f1="happy")
    add(summary, 0.5, f1="unsure")
    add(summary, 2.5, f1="happy", f2="sad")
    add(summary, 3.0)
    summary.finish()
    assert (summary.duration_s, summary.frames) == (3.5, 4)
    one, other = summary.faces.values()
    assert one.seen_s == pytest.approx(3.0)
    assert one.shares == pytest.approx({None: 2 / 3, Emotion.HAPPY: 1 / 3})
    assert next(iter(one.shares)) is None
    assert other.shares == {Emotion.SAD: 1.0}
    happy = Emotion.HAPPY
    assert one.bands == [Band(0.0, 0.5, happy), Band(0.5, 2.5, None), Band(2.5, 3.0, happy)]
    assert (one.first_s, one.last_s) == (0.0, 2.5)


def test_last_frame_counts_as_long_as_the_one_before(add):
    summary = FilmSummary(Reading.PEOPLE)
    summary.finish()
    assert (summary.duration_s, summary.faces) == (0.0, {})
    add(summary, 0.0, f1="happy")
    add(summary, 0.1, f1="happy")
    summary.finish()
    assert summary.faces[1].seen_s == pytest.approx(0.2)
    assert summary.faces[1].bands == [Band(0.0, pytest.approx(0.2), Emotion.HAPPY)]


def test_absence_is_a_gap_between_bands(add):
    summary = FilmSummary(Reading.PEOPLE)
    for time_s, shown in enumerate([{"f1": "happy"}, {}, {"f1": "happy"}]):
        add(summary, float(time_s), **shown)
    summary.finish()
    assert [(band.start_s, band.end_s) for band in summary.faces[1].bands] == [(0, 1), (2, 3)]
    assert summary.faces[1].seen_s == 2


def test_memory_does_not_grow_with_the_film(add):
    summary = FilmSummary(Reading.PEOPLE)
    for number in range(6_000):
        add(summary, number / 30, f1="happy" if number % 2 else "sad")
    summary.finish()
    face = summary.faces[1]
    assert len(face.times) <= 2000
    assert face.frames.total() == 6_000
    assert (face.times[0], face.times[-1]) == pytest.approx((0, 200), abs=1)
    assert face.curves.shape == (len(face.times), len(EMOTIONS))
    assert len(face.bands) <= 240
    assert (face.bands[0].start_s, face.bands[-1].end_s) == pytest.approx((0, 200))
    ends = [band.end_s for band in face.bands[:-1]]
    assert ends == [band.start_s for band in face.bands[1:]]


@pytest.mark.parametrize(
    ("reading", "unit"), [("people", "of 100 people"), ("fer2013", "probability, %")]
)
def test_plot_says_what_it_counts(tmp_path, monkeypatch, reading, unit):
    from matplotlib.axes import Axes

    labels = []
    monkeypatch.setattr(Axes, "set_ylabel", lambda _, label: labels.append(label))
    assert plot_film(FilmSummary(Reading(reading)), tmp_path / "plot.png") == ""
    assert labels == [unit]


def test_plot_draws_all_faces_or_says_how_many(add, tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    labels, titles = [], []
    monkeypatch.setattr(Axes, "set_xlabel", lambda _, label: labels.append(label))
    monkeypatch.setattr(Axes, "set_title", lambda _, title, **__: titles.append(title))
    summary = FilmSummary(Reading.PEOPLE)
    for second in range(3):
        add(summary, second, **{f"f{number}": "happy" for number in range(1, 7)})
    assert plot_film(summary, tmp_path / "plot.svg") == ""
    assert labels.pop() == "seconds"
    add(summary, 4, f7="happy")
    titles.clear()
    assert plot_film(summary, tmp_path / "plot.pdf") == "6 of 7 faces drawn: those seen longest."
    assert "6 of 7 faces drawn" in labels.pop()
    assert titles == [f"Face {number}" for number in range(1, 7)]
