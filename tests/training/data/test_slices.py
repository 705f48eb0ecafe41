"""Dividing faces into groups."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import DataError
from core.types import Landmarks
from training.data.slices import (
    read_groups,
    slice_by_appearance,
    slice_by_cluster,
    slice_by_mesh,
    slice_by_votes,
    slice_into_fifths,
)
from training.data.votes import COLUMNS, Votes


def test_fifths_are_of_equal_size_and_rise():
    values = np.random.default_rng(0).permutation(100).astype(float)
    fifths = slice_into_fifths("size", "", values)
    assert [int((fifths.member == group).sum()) for group in range(5)] == [20] * 5
    assert values[fifths.member == 0].max() < values[fifths.member == 1].min()
    assert fifths.groups[0].startswith("1 of 5 (0.00 to 19.80")


def test_equal_values_share_a_group_and_unknown_values_have_none():
    fifths = slice_into_fifths("size", "", np.array([0, 0, 0, 0, 0, 0, 1, 2, np.nan]))
    assert set(fifths.member[:6]) == {0}
    assert fifths.member[8] == -1
    assert len(fifths.groups) == len(set(fifths.member[:8])) < 5
    assert slice_into_fifths("size", "", np.array([np.nan])).groups == ()
    assert slice_into_fifths("size", "", np.ones(3)).groups == ("1 of 1 (1.00 to 1.00)",)


def test_darkest_faces_are_the_first_fifth_of_brightness(draw):
    faces = np.stack([draw(seed % 7, seed) // (1 + seed % 5) for seed in range(20)])
    by = {slicing.name: slicing for slicing in slice_by_appearance(faces)}
    assert set(by) == {"brightness", "contrast", "sharpness", "light_asymmetry"}
    darkest = np.flatnonzero(by["brightness"].member == 0)
    assert set(darkest % 5) == {4}


def mesh(yaw):
    """Return 468 points of a head that is turned by ``yaw`` degrees."""
    points, depth = np.full((468, 2), 24.0), np.zeros(468)
    angle = np.radians(yaw)
    for index, side in ((234, -1), (454, 1)):
        points[index] = 24 + side * 15 * np.cos(angle), 24
        depth[index] = side * 15 * np.sin(angle)
    points[10], points[152] = (24, 4), (24, 44)
    return Landmarks(points.astype(np.float32), "face_mesh_468", depth.astype(np.float32))


def test_faces_are_grouped_by_turn_and_by_whether_the_mesh_finds_them():
    landmarks = [mesh(0), mesh(-25), mesh(50), None]
    by = {slicing.name: slicing for slicing in slice_by_mesh(landmarks)}
    assert by["yaw"].groups == ("under 10", "10 to 20", "20 to 35", "35 and more")
    assert list(by["yaw"].member) == [0, 2, 3, -1]
    assert list(by["mesh"].member) == [0, 0, 0, 1]


def test_faces_with_divided_votes_are_in_the_last_group():
    counts = np.zeros((3, len(COLUMNS)), np.float32)
    counts[0, 3] = 10
    counts[1, :2] = 5
    fifths = slice_by_votes(Votes(counts))
    assert fifths.member[0] < fifths.member[1]
    assert fifths.member[2] == -1
    # Not -0.00.
    assert fifths.groups[0].split("(")[1].startswith("0.00 ")


def test_faces_with_similar_features_are_in_one_cluster():
    middles = np.random.default_rng(0).normal(0, 10, (3, 8))
    features = (middles[np.arange(60) % 3] + np.random.default_rng(1).normal(0, 0.1, (60, 8))) / 1
    clusters = slice_by_cluster(features.astype(np.float32), of="it")
    for kind in range(3):
        others = set(clusters.member[np.arange(60) % 3 != kind])
        assert not others & set(clusters.member[np.arange(60) % 3 == kind])


def test_user_s_groups_are_read_by_file_name(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("\ufeffname,age,skin\nb.png,young,III\na.png,old,\nother.png,old,I\n")
    age, skin = read_groups(path, ["a.png", "b.png", "c.png"])
    assert (age.name, age.groups, list(age.member)) == ("age", ("old", "young"), [0, 1, -1])
    assert (skin.groups, list(skin.member)) == (("III",), [-1, 0, -1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "not a readable CSV file"),
        ("", "has no columns of groups"),
        ("name\na.png\n", "has no columns of groups"),
        ("name,age\nz.png,old\n", "None of the 1 images"),
    ],
)
def test_files_without_usable_groups_are_refused(tmp_path, text, message):
    path = tmp_path / "groups.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_groups(path, ["a.png"])
