"""Parting faces into groups."""

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
    told = slice_into_fifths("size", "told", values)
    assert [int((told.member == group).sum()) for group in range(5)] == [20] * 5
    assert values[told.member == 0].max() < values[told.member == 1].min()
    assert told.groups[0].startswith("1 of 5 (0.00 to 19.80")


def test_same_values_stay_together_and_unknown_ones_belong_to_none():
    told = slice_into_fifths("size", "told", np.array([0, 0, 0, 0, 0, 0, 1, 2, np.nan]))
    assert set(told.member[:6]) == {0}
    assert told.member[8] == -1
    assert len(told.groups) == len(set(told.member[:8])) < 5
    assert slice_into_fifths("size", "told", np.array([np.nan])).groups == ()
    assert slice_into_fifths("size", "told", np.ones(3)).groups == ("1 of 1 (1.00 to 1.00)",)


def test_darkest_faces_are_the_first_fifth_of_brightness(draw):
    faces = np.stack([draw(seed % 7, seed) // (1 + seed % 5) for seed in range(20)])
    by = {each.name: each for each in slice_by_appearance(faces)}
    assert set(by) == {"brightness", "contrast", "sharpness", "light_asymmetry"}
    darkest = np.flatnonzero(by["brightness"].member == 0)
    assert set(darkest % 5) == {4}


def mesh(yaw):
    """468 points whose temples, forehead and chin face the viewer turned by ``yaw`` degrees."""
    points, depth = np.full((468, 2), 24.0), np.zeros(468)
    angle = np.radians(yaw)
    for index, side in ((234, -1), (454, 1)):
        points[index] = 24 + side * 15 * np.cos(angle), 24
        depth[index] = side * 15 * np.sin(angle)
    points[10], points[152] = (24, 4), (24, 44)
    return Landmarks(points.astype(np.float32), "face_mesh_468", depth.astype(np.float32))


def test_turned_faces_are_told_by_the_mesh_and_faces_without_one_apart():
    by = {each.name: each for each in slice_by_mesh([mesh(0), mesh(-25), mesh(50), None])}
    assert by["yaw"].groups == ("under 10", "10 to 20", "20 to 35", "35 and more")
    assert list(by["yaw"].member) == [0, 2, 3, -1]
    assert list(by["mesh"].member) == [0, 0, 0, 1]


def test_faces_that_divide_the_crowd_are_the_last():
    counts = np.zeros((3, len(COLUMNS)), np.float32)
    counts[0, 3] = 10
    counts[1, :2] = 5
    told = slice_by_votes(Votes(counts))
    assert told.member[0] < told.member[1]
    assert told.member[2] == -1
    # Of nothing there is no less: an entropy of -0 would be written as such.
    assert told.groups[0].split("(")[1].startswith("0.00 ")


def test_faces_alike_to_a_network_are_one_cluster():
    middles = np.random.default_rng(0).normal(0, 10, (3, 8))
    features = (middles[np.arange(60) % 3] + np.random.default_rng(1).normal(0, 0.1, (60, 8))) / 1
    told = slice_by_cluster(features.astype(np.float32), of="it")
    for kind in range(3):
        others = set(told.member[np.arange(60) % 3 != kind])
        assert not others & set(told.member[np.arange(60) % 3 == kind])


def test_own_groups_are_read_by_file_name(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("\ufeffname,age,skin\nb.png,young,III\na.png,old,\nother.png,old,I\n")
    age, skin = read_groups(path, ["a.png", "b.png", "c.png"])
    assert (age.name, age.groups, list(age.member)) == ("age", ("old", "young"), [0, 1, -1])
    assert (skin.groups, list(skin.member)) == (("III",), [-1, 0, -1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no CSV file"),
        ("", "has no groups"),
        ("name\na.png\n", "has no groups"),
        ("name,age\nz.png,old\n", "names none of the 1 images"),
    ],
)
def test_groups_that_do_not_fit_are_refused(tmp_path, text, message):
    path = tmp_path / "groups.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_groups(path, ["a.png"])
