"""What is drawn over a face hides the parts that it is said to hide, and nothing else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.landmarks.face_mesh import FaceMeshLandmarks
from core.types import Box, Face, FacePart, RgbImage
from training.covered.canvas import Canvas, make_ellipse
from training.covered.coverings import (
    COVERINGS,
    draw_half,
    draw_mask,
    draw_microphone,
    draw_scarf,
    draw_sunglasses,
)
from training.covered.distractors import DISTRACTORS
from training.covered.photo_drawings import DRAWINGS, draw_over
from training.covered.samples import UNKNOWN, draw_sample

FACE = np.full((48, 48), 150, np.uint8)
OTHER = np.random.default_rng(1).integers(0, 256, (48, 48), dtype=np.uint8)
FREE = np.array([True, True, True])


def hide(draw_covering, seed):
    canvas = Canvas(np.random.default_rng(seed), FACE)
    draw_covering(canvas, OTHER)
    return canvas.result()


def mean_hidden(draw_covering, count=40):
    return np.mean([hide(draw_covering, seed)[1] for seed in range(count)], axis=0)


def test_empty_canvas_leaves_the_face_as_it_is():
    shown, hidden = Canvas(np.random.default_rng(0), FACE).result()
    assert (shown == FACE).all()
    assert hidden == (0, 0, 0)


def test_opaque_paint_hides_a_part_and_half_opaque_paint_half_of_it():
    for opacity in (1.0, 0.5):
        canvas = Canvas(np.random.default_rng(0), FACE)
        canvas.paint(canvas.fill(make_ellipse((24, 37), (30, 12))), 50.0, opacity=opacity, soft=0)
        shown, (left, right, mouth) = canvas.result()
        assert mouth == pytest.approx(opacity, abs=0.02)
        assert max(left, right) < 0.1
        assert shown[37, 24] == pytest.approx(150 - opacity * 100, abs=2)


def test_paint_on_paint_shows_the_last_one():
    canvas = Canvas(np.random.default_rng(0), FACE)
    everywhere = canvas.fill([(-99, -99), (99, -99), (99, 99), (-99, 99)])
    canvas.paint(everywhere, 10.0, soft=0)
    canvas.paint(everywhere, 200.0, soft=0)
    shown, hidden = canvas.result()
    assert (shown == 200).all()
    assert hidden == pytest.approx((1, 1, 1))


def test_erased_paint_shows_the_face_again():
    canvas = Canvas(np.random.default_rng(0), FACE)
    everywhere = canvas.fill([(-99, -99), (99, -99), (99, 99), (-99, 99)])
    canvas.paint(everywhere, 10.0, soft=0)
    canvas.erase(everywhere)
    shown, hidden = canvas.result()
    assert (shown == FACE).all()
    assert hidden == (0, 0, 0)


@pytest.mark.parametrize("draw_covering", [draw_mask, draw_scarf, draw_microphone])
def test_masks_scarves_and_cups_hide_the_mouth_and_leave_the_eyes(draw_covering):
    left, right, mouth = mean_hidden(draw_covering)
    assert mouth > 0.75
    assert max(left, right) < 0.1


def test_sunglasses_hide_both_eyes_and_leave_the_mouth():
    left, right, mouth = mean_hidden(draw_sunglasses)
    assert min(left, right) > 0.7
    assert mouth < 0.05


def test_half_of_a_face_hides_an_eye_or_the_mouth():
    hidden = np.array([hide(draw_half, seed)[1] for seed in range(60)])
    assert np.mean(hidden.max(axis=1) > 0.6) > 0.9
    assert np.mean(hidden.min(axis=1) < 0.3) > 0.9


@pytest.mark.parametrize("kind", [kind for kind, _ in COVERINGS], ids=lambda kind: kind.__name__)
def test_every_covering_hides_something_nearly_always(kind):
    most = [max(hide(kind, seed)[1]) for seed in range(40)]
    assert np.mean(np.array(most) > 0.6) > 0.8


@pytest.mark.parametrize("kind", [kind for kind, _ in DISTRACTORS], ids=lambda kind: kind.__name__)
def test_distractors_hide_nothing_but_change_the_picture(kind):
    drawn = [hide(kind, seed) for seed in range(40)]
    # Thick rims may hide much of an eye once in a while.
    assert np.mean([max(hidden) < 0.6 for _, hidden in drawn]) > 0.95
    assert np.mean([max(hidden) < 0.35 for _, hidden in drawn]) > 0.8
    assert np.mean([(shown != FACE).any() for shown, _ in drawn]) > 0.8


def sample(seed, **changes):
    options = {"covered": 1.0, "distracted": 0.0, **changes}
    draw = np.random.default_rng(seed)
    return draw_sample(draw, FACE, OTHER, options.pop("trusted", FREE), **options)


def test_same_seed_gives_the_same_sample():
    (one, targets), (again, targets_again) = sample(3), sample(3)
    assert (one == again).all()
    assert (targets == targets_again).all()
    assert (sample(4)[0] != one).any()


def test_free_face_has_no_covered_part():
    assert sample(0, covered=0.0)[1].tolist() == [0, 0, 0]


def test_part_that_is_not_trusted_to_be_free_is_unknown_unless_something_is_drawn_over_it():
    doubtful = np.array([False, True, False])
    assert sample(0, covered=0.0, trusted=doubtful)[1].tolist() == [UNKNOWN, 0, UNKNOWN]
    seen = np.array([sample(seed, trusted=doubtful)[1] for seed in range(60)])
    assert (seen[:, 0] == 1).any()
    assert not (seen[:, 0] == 0).any()


def test_two_covered_eyes_are_also_one():
    targets = np.array([sample(seed)[1] for seed in range(80)])
    assert (targets[targets[:, 0] == 1, 2] == 1).all()
    assert ((targets[:, 2] == 1) & (targets[:, 0] == 0)).any()


@pytest.fixture(scope="module")
def located(astronaut):
    image = RgbImage(astronaut, "astronaut.png")
    (landmarks,) = FaceMeshLandmarks().locate(image, [Face(Box(179, 60, 268, 176), 1.0)])
    return image, landmarks.points


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: f"{drawing.group} {drawing.name}")
def test_drawing_in_a_photo_changes_what_it_covers(located, drawing):
    image, points = located
    drawn = draw_over(image, points, drawing).pixels.astype(int)
    grey = cv2.absdiff(drawn, image.pixels.astype(int)).max(axis=2)
    changed = {
        part: (grey[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] > 20).mean()
        for part, (x, y) in {
            FacePart.EYES: points[[33, 133, 159, 145]].mean(axis=0),
            FacePart.MOUTH: points[[13, 14]].mean(axis=0),
        }.items()
    }
    for part in drawing.covers:
        assert changed[FacePart.EYES if part is FacePart.ONE_EYE else part] > 0.5
    if not drawing.covers:
        assert (grey > 10).any()
        assert changed[FacePart.EYES] < 0.5
    assert (image.pixels == located[0].pixels).all()
