"""Which cell learns which face."""

from __future__ import annotations

import pytest
import torch

from training.detector.assignment import assign_cells, detection_loss
from training.detector.loader import FACE, IGNORED, NOTHING
from training.detector.module import make_grid

SIDE = 128


@pytest.fixture
def grid():
    return make_grid(SIDE, torch.device("cpu"))


def assign(grid, boxes, kinds, *, scores=None, found=None):
    """Return the assignment for one picture; by default a cell predicts a square of 3 strides."""
    if found is None:
        half = 1.5 * grid.strides[:, None]
        found = torch.cat([grid.middles - half, grid.middles + half], dim=1)
    scores = torch.full((len(grid.strides),), 0.01) if scores is None else scores
    return assign_cells(
        scores[None],
        found[None],
        grid,
        torch.tensor([boxes], dtype=torch.float32),
        torch.tensor([kinds]),
    )


def test_cells_are_ordered_by_stride_with_their_centres(grid):
    assert len(grid.middles) == 16**2 + 8**2 + 4**2 + 2**2
    assert grid.middles[0].tolist() == [4.0, 4.0]
    assert grid.middles[16**2].tolist() == [8.0, 8.0]
    assert grid.middles[-1].tolist() == [96.0, 96.0]


def test_picture_without_a_face_has_no_targets(grid):
    assignment = assign(grid, [[0, 0, 0, 0]], [NOTHING])
    assert assignment.quality.sum() == 0
    assert assignment.valid.all()


def test_cells_within_the_face_whose_boxes_fit_best_learn_it(grid):
    face = [40.0, 40.0, 64.0, 64.0]  # as large as a starting box of stride 8
    assignment = assign(grid, [face], [FACE])
    chosen = assignment.quality[0] > 0
    assert 1 <= chosen.sum() <= 9
    assert (grid.strides[chosen] == 8).any()
    assert ((grid.middles[chosen] - 52).abs() < 12).all()
    assert (assignment.boxes[0][chosen] == torch.tensor(face)).all()


def test_best_cell_learns_how_well_its_box_fits(grid):
    cell = 5 * 16 + 5  # its middle is 44, 44
    face = [32.0, 32.0, 56.0, 56.0]
    assignment = assign(grid, [face], [FACE])
    assert assignment.quality[0, cell] == pytest.approx(1.0)
    assert assignment.quality.max() == pytest.approx(1.0)


def test_score_decides_between_boxes_that_fit_equally_well(grid):
    face = [32.0, 32.0, 56.0, 56.0]
    scores = torch.full((len(grid.strides),), 0.01)
    found = torch.tensor(face).expand(len(grid.strides), 4).clone()
    favourite = 5 * 16 + 5
    scores[favourite] = 0.9
    assignment = assign(grid, [face], [FACE], scores=scores, found=found)
    assert assignment.quality[0].argmax() == favourite


def test_small_face_between_the_cells_is_learnt(grid):
    assignment = assign(grid, [[46.0, 46.0, 50.0, 50.0]], [FACE])
    assert (assignment.quality > 0).any()


def test_cell_chosen_for_two_faces_learns_the_one_it_overlaps_most(grid):
    large, small = [24.0, 24.0, 72.0, 72.0], [32.0, 32.0, 56.0, 56.0]
    assignment = assign(grid, [large, small], [FACE, FACE])
    cell = 5 * 16 + 5
    assert assignment.boxes[0, cell].tolist() == small
    owners = {tuple(box) for box in assignment.boxes[0][assignment.quality[0] > 0].tolist()}
    assert owners == {tuple(large), tuple(small)}


def test_cells_within_an_ignored_face_do_not_count(grid):
    assignment = assign(grid, [[0.0, 0.0, 64.0, 64.0]], [IGNORED])
    inside = (grid.middles < 64).all(dim=1)
    assert assignment.quality.sum() == 0
    assert (assignment.valid[0] == ~inside).all()


def test_face_within_an_ignored_box_is_learnt(grid):
    assignment = assign(grid, [[0, 0, 128, 128], [32, 32, 56, 56]], [IGNORED, FACE])
    assert (assignment.quality > 0).any()
    assert (assignment.valid == (assignment.quality > 0)).all()


def test_cells_that_do_not_count_have_no_gradient(grid):
    assignment = assign(grid, [[0.0, 0.0, 64.0, 64.0]], [IGNORED])
    logits = torch.zeros(1, len(grid.strides), requires_grad=True)
    found = torch.zeros(1, len(grid.strides), 4, requires_grad=True)
    detection_loss(logits, found, assignment, box_weight=2.0).backward()
    assert (logits.grad[~assignment.valid] == 0).all()
    assert (logits.grad[assignment.valid] > 0).all()


def test_confident_mistakes_cost_more_than_doubtful_ones(grid):
    assignment = assign(grid, [[0, 0, 0, 0]], [NOTHING])
    found = torch.zeros(1, len(grid.strides), 4)
    costs = [
        detection_loss(torch.full((1, len(grid.strides)), level), found, assignment, box_weight=2.0)
        for level in (-4.0, 0.0, 4.0)
    ]
    assert costs[0] < costs[1] < costs[2]


def test_box_loss_is_zero_if_the_box_fits_and_scales_with_its_weight(grid):
    face = [32.0, 32.0, 56.0, 56.0]
    assignment = assign(grid, [face], [FACE])
    logits = torch.zeros(1, len(grid.strides))
    fitting = assignment.boxes.clone()
    free = detection_loss(logits, fitting, assignment, box_weight=0.0)
    assert detection_loss(logits, fitting, assignment, box_weight=5.0) == pytest.approx(float(free))
    moved = fitting + 8
    one, two = (
        float(detection_loss(logits, moved, assignment, box_weight=weight) - free)
        for weight in (1, 2)
    )
    assert one > 0
    assert two == pytest.approx(2 * one, rel=1e-4)
