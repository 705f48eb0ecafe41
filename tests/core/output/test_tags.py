"""Where tags go: over no face and no other tag as long as there is room."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from core import Box
from core.output.tags import Tag, overlaps, place_tags

PICTURE = (640, 480)
WIDE = (960, 480)
SIZE = (40.0, 18.0)


def place(*faces, size_wh=SIZE, picture_wh=PICTURE, **options):
    return place_tags(faces, [size_wh] * len(faces), picture_wh, **options)


def grid(columns, rows, side, gap, *, left=10, top=30):
    step = side + gap
    return [
        Box(left + x * step, top + y * step, left + x * step + side, top + y * step + side)
        for y in range(rows)
        for x in range(columns)
    ]


def crowd(seed, count, side=40):
    """Boxes at random that may overlap, as a detector may return them."""
    corners = np.random.default_rng(seed).uniform(0, (600, 440), (count, 2))
    return [Box(x, y, x + side, y + side) for x, y in corners.tolist()]


def assert_apart(tags, faces, picture_wh=PICTURE):
    spots = [tag.spot for tag in tags]
    for spot in spots:
        assert 0 <= spot.x1 < spot.x2 <= picture_wh[0]
        assert 0 <= spot.y1 < spot.y2 <= picture_wh[1]
        assert not [face for face in faces if overlaps(spot, face)]
    assert not [pair for pair in combinations(spots, 2) if overlaps(*pair)]


def test_no_faces_need_no_tags():
    assert place() == []


def test_single_face_has_its_tag_on_top_at_the_left():
    [tag] = place(Box(200, 150, 400, 350))
    assert tag.spot == Box(200, 132, 240, 150)
    assert tag.leader is None


@pytest.mark.parametrize(
    "face",
    [Box(0, 0, 60, 60), Box(580, 0, 640, 60), Box(580, 420, 640, 480), Box(0, 0, 640, 440)],
)
def test_tag_of_a_face_at_the_border_is_inside_the_picture(face):
    [tag] = place(face)
    assert_apart([tag], [face])
    assert tag.leader is None


@pytest.mark.parametrize(
    "faces",
    [
        grid(11, 5, 40, 17),
        grid(4, 3, 100, 20),
        [Box(100, 200, 180, 280), Box(120, 205, 230, 285), Box(140, 200, 280, 280)],
        *(crowd(seed, 30) for seed in range(8)),
    ],
)
def test_tags_cover_no_face_and_no_other_tag(faces):
    tags = place(*faces, size_wh=(24.0, 15.0))
    assert_apart(tags, faces)


def turn(box):
    return Box(box.y1, box.x1, box.y2, box.x2)


@pytest.mark.parametrize("sideways", [False, True])
def test_tag_without_room_beside_its_face_is_led_to_it(sideways):
    # Faces edge to edge; only the lower half of the picture is free, or that on the right.
    faces = grid(8, 2, 120, 0, left=0, top=0)
    if sideways:
        tags = place(*map(turn, faces), size_wh=SIZE[::-1], picture_wh=WIDE[::-1])
        tags = [Tag(turn(tag.spot), tag.leader and flip(tag.leader)) for tag in tags]
    else:
        tags = place(*faces, picture_wh=WIDE)
    assert_apart(tags, faces, WIDE)
    led = [(tag, face) for tag, face in zip(tags, faces, strict=True) if tag.leader]
    assert len(led) >= 8
    for tag, face in led:
        (x, y), (to_x, to_y) = tag.leader
        assert tag.spot.x1 <= x <= tag.spot.x2
        assert y == tag.spot.y1
        assert face.x1 <= to_x <= face.x2
        assert to_y == face.y2


def flip(line):
    return tuple((y, x) for x, y in line)


def test_line_starts_at_the_side_of_the_tag_that_faces_its_face():
    # All is covered but a strip on the left.
    [tag, _] = place(Box(500, 0, 560, 480), Box(45, 0, 640, 480))
    assert tag.leader[0][0] == tag.spot.x2
    assert tag.leader[1][0] == 500


def test_tag_is_not_further_away_than_it_may_be():
    # 20 px below each other: from the upper row it is 80 px to the free place.
    faces = grid(16, 2, 40, 0, left=0, top=0)
    assert [bool(tag) for tag in place(*faces, reach=0.5)] == [False] * 16 + [True] * 16
    assert all(place(*faces))


def test_tag_is_not_led_across_a_wall_of_other_faces():
    # Faces edge to edge: from the first of four rows, three others lie before the free place.
    faces = grid(8, 4, 80, 0, left=0, top=0)
    assert [bool(tag) for tag in place(*faces)] == [False] * 16 + [True] * 16


def test_without_room_there_is_no_tag():
    assert place(Box(0, 0, 640, 480)) == [None]
    assert place(Box(10, 10, 20, 20), size_wh=(700.0, 18.0)) == [None]


def test_tag_rather_touches_its_own_face_alone():
    # Above the second face lies the first: its tag would seem to belong to both.
    upper, lower = Box(200, 100, 260, 160), Box(200, 178, 260, 238)
    tag = place(upper, lower)[1]
    assert tag.spot.y1 >= lower.y1 - SIZE[1] / 2


def test_tag_rather_lies_beside_its_face_than_at_a_corner():
    # The place above is taken, that at the upper right corner is free.
    tag = place(Box(300, 200, 360, 260), Box(200, 150, 356, 198))[0]
    assert tag.spot == Box(300, 260, 340, 278)
