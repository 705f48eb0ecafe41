"""Near copies: found whatever the light, and only those."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.data.near_copies import find_near_pairs, mark_near_copies


@pytest.fixture
def faces(draw):
    return np.stack([draw(index % 7, 100 + index) for index in range(20)])


def test_copies_are_found_after_changes_of_light_noise_and_compression(faces):
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


def test_other_faces_and_other_views_are_not_copies(faces, draw):
    others = np.stack([draw(0, 999), faces[3][:, ::-1], np.roll(faces[4], 3, axis=1)])
    assert not mark_near_copies(others, faces).any()


def test_face_of_a_single_grey_value_is_never_a_copy(faces):
    flat = np.full((2, 48, 48), 128, np.uint8)
    assert not mark_near_copies(flat, np.concatenate([faces, flat])).any()


def test_empty_sets_have_no_copies(faces):
    assert mark_near_copies(faces, faces[:0]).tolist() == [False] * 20
    assert mark_near_copies(faces[:0], faces).tolist() == []


def test_copies_are_found_in_all_chunks(faces):
    many = np.concatenate([faces] * 30)
    has_copy = mark_near_copies(many, faces[:10])
    assert has_copy.tolist() == ([True] * 10 + [False] * 10) * 30


def test_pairs_are_found_beyond_one_chunk(draw):
    faces = np.stack([draw(index % 7, index) for index in range(1100)])
    faces[900] = faces[3]
    faces[1099] = faces[1098]
    first, second = find_near_pairs(faces)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == {(3, 900), (1098, 1099)}
