"""Answers for photos that lie on their side, or were turned by hand."""

from __future__ import annotations

import time

import numpy as np
import pytest

from core import Box, Face, RgbImage
from tests.core.pipeline_parts import analyzer


class UprightDetector:
    """Finds a face only in a picture whose bright half is on top."""

    def detect(self, image):
        top, bottom = np.split(image.pixels.astype(int), [image.height // 2])
        return (Face(Box(10, 10, 40, 40), 0.9),) if top.mean() > bottom.mean() + 50 else ()


@pytest.mark.parametrize(
    ("turned", "words"),
    [(90, "a quarter to the left"), (180, "upside down"), (270, "to the right")],
)
def test_photo_that_lies_on_its_side_is_answered_upright(turned, words):
    pixels = np.zeros((120, 120, 3), np.uint8)
    pixels[:60] = 200
    given = RgbImage(RgbImage(pixels).turn_to(turned).pixels, notes=("Read.",))
    answer = analyzer(detector=UprightDetector()).analyze(given)
    assert answer.turned == 360 - turned
    assert len(answer.faces) == 1
    assert answer.notes[0] == "Read."
    assert words in answer.notes[1]
    assert "so that its faces are upright" in answer.notes[1]


def test_photo_that_was_turned_by_hand_is_not_turned_again():
    pixels = np.zeros((120, 120, 3), np.uint8)
    pixels[60:] = 200
    answer = analyzer(detector=UprightDetector()).analyze(RgbImage(pixels), turn=90)
    assert (answer.turned, answer.faces, answer.notes) == (90, (), ())


@pytest.mark.parametrize(("before", "words"), [(180, ()), (90, ("a quarter to the left",))])
def test_note_counts_the_turn_from_how_the_photo_was_read(before, words):
    pixels = np.zeros((120, 120, 3), np.uint8)
    pixels[60:] = 200
    # It lies upside down now, whatever it was before.
    given = RgbImage(pixels, turned=before)
    answer = analyzer(detector=UprightDetector()).analyze(given)
    assert answer.turned == (before + 180) % 360
    assert len(answer.notes) == len(words)
    assert all(word in note for word, note in zip(words, answer.notes, strict=True))


def test_search_for_the_right_way_up_counts_as_detecting():
    class SlowDetector(UprightDetector):
        def detect(self, image):
            time.sleep(0.01)
            return super().detect(image)

    pixels = np.zeros((120, 120, 3), np.uint8)
    pixels[60:] = 200
    answer = analyzer(detector=SlowDetector()).analyze(RgbImage(pixels))
    # As it is, at three quarter turns, and once more for the answer.
    assert answer.elapsed_s["detect"] >= 0.05
