"""Near copies of training faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.data.near_copies import mark_near_copies


@pytest.fixture
def faces(draw):
    return np.stack([draw(index % 7, 100 + index) for index in range(20)])


def test_copies_are_found_whatever_was_done_to_their_light(faces):
    noise = np.random.default_rng(0).normal(0, 2, faces[0].shape)
    variants = np.stack(
        [
            faces[3],
            np.clip(faces[4] * 0.6 + 20, 0, 255).astype(np.uint8),
            np.clip(faces[5] + noise, 0, 255).astype(np.uint8),
            cv2.imdecode(cv2.imencode(".png", faces[6])[1], cv2.IMREAD_GRAYSCALE),
        ]
    )
    assert mark_near_copies(variants, faces).all()


def test_other_faces_and_other_views_are_none(faces, draw):
    others = np.stack([draw(0, 999), faces[3][:, ::-1], np.roll(faces[4], 3, axis=1)])
    assert not mark_near_copies(others, faces).any()


def test_one_grey_value_is_nobody_s_copy(faces):
    flat = np.full((2, 48, 48), 128, np.uint8)
    assert not mark_near_copies(flat, np.concatenate([faces, flat])).any()


def test_empty_sets_have_no_copies(faces):
    assert mark_near_copies(faces, faces[:0]).tolist() == [False] * 20
    assert mark_near_copies(faces[:0], faces).tolist() == []


def test_more_faces_than_are_compared_at_once(faces):
    many = np.concatenate([faces] * 30)
    found = mark_near_copies(many, faces[:10])
    assert found.tolist() == ([True] * 10 + [False] * 10) * 30
