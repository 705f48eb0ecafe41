"""Which cells of the network learn which face, and the training loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_iou, distance_box_iou_loss

from core.detectors.compact import STRIDES

from .loader import FACE, IGNORED

_TOP = 9
"""Number of cells that learn one face."""
_OVERLAP_POWER = 6.0
"""How much more the overlap of a cell's box counts than its score (Feng et al. 2021)."""
_REACH = 1.5
"""Cells within this distance of a face's centre, in smallest strides, can always learn it, because
small faces must have cells too."""
_NEGATIVE_WEIGHT, _NEGATIVE_POWER = 0.75, 2.0
"""Varifocal loss (Zhang et al. 2021): cells without a face are weighted by their score."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of the network for one size of picture."""

    middles: Tensor
    """(cells, 2) x, y in pixels."""
    strides: Tensor
    """(cells,)"""


@dataclass(frozen=True, slots=True)
class Assignment:
    """The target of each cell."""

    quality: Tensor
    """(B, cells) 0 without a face, else how well the cell's box fits, up to 1."""
    boxes: Tensor
    """(B, cells, 4) the face's box where quality is above 0."""
    valid: Tensor
    """(B, cells) False if the cell's output does not count."""


@torch.no_grad()
def assign_cells(
    scores: Tensor, found: Tensor, grid: Grid, boxes: Tensor, kinds: Tensor
) -> Assignment:
    """Assign each face to the cells that are best at it: task-aligned (Feng et al. 2021).

    ``scores`` (B, cells) and ``found`` (B, cells, 4) are the network's, ``boxes`` (B, M, 4)
    and ``kinds`` (B, M) the truth.
    """
    # Picture by picture: a few pictures have so many faces that padding all others to their number
    # would cost more time than the network.
    rows = []
    for index, kind in enumerate(kinds):
        faces, ignored = boxes[index][kind == FACE], boxes[index][kind == IGNORED]
        quality, target = _assign_one(scores[index], found[index], grid, faces)
        free = ~_find_covered(grid.middles, ignored) | (quality > 0)
        rows.append((quality, target, free))
    quality, target, free = (torch.stack(each) for each in zip(*rows, strict=True))
    return Assignment(quality, target, free)


def _assign_one(scores: Tensor, found: Tensor, grid: Grid, faces: Tensor) -> tuple[Tensor, Tensor]:
    """Return (cells,) quality and (cells, 4) boxes for the (M, 4) ``faces`` of one picture."""
    if not len(faces):
        return torch.zeros_like(scores), torch.zeros_like(found)
    overlap = box_iou(faces, found).nan_to_num()
    centre, half = (faces[:, :2] + faces[:, 2:]) / 2, (faces[:, 2:] - faces[:, :2]) / 2
    reach = torch.maximum(half[:, None], _REACH * grid.strides[None, :, None].clamp(max=STRIDES[0]))
    inside = ((grid.middles[None] - centre[:, None]).abs() < reach).all(dim=-1)
    fit = scores * overlap.pow(_OVERLAP_POWER) * inside
    best = fit.topk(min(_TOP, len(scores)), dim=-1)
    chosen = torch.zeros_like(fit).scatter_(-1, best.indices, (best.values > 0).to(fit.dtype))
    # A cell chosen for several faces learns the one it overlaps most.
    owner = (overlap * chosen).argmax(dim=0)
    owned = torch.zeros_like(chosen).scatter_(0, owner[None], 1.0) * chosen
    fit, overlap = fit * owned, overlap * owned
    most = fit.amax(dim=-1, keepdim=True).clamp(min=1e-12)
    quality = (fit / most * overlap.amax(dim=-1, keepdim=True)).amax(dim=0)
    return quality, faces[owner]


def _find_covered(middles: Tensor, boxes: Tensor) -> Tensor:
    """Return (cells,) whether a cell's centre is in any of the (K, 4) ``boxes``."""
    after = (middles[None] > boxes[:, None, :2]).all(dim=-1)
    before = (middles[None] < boxes[:, None, 2:]).all(dim=-1)
    return (after & before).any(dim=0)


def detection_loss(
    logits: Tensor, found: Tensor, wanted: Assignment, *, box_weight: float
) -> Tensor:
    """Return the varifocal loss plus ``box_weight`` times the box loss (Zheng et al. 2020)."""
    quality = wanted.quality
    faces = quality > 0
    scores = logits.sigmoid().detach()
    weight = torch.where(faces, quality, _NEGATIVE_WEIGHT * scores.pow(_NEGATIVE_POWER))
    entropy = functional.binary_cross_entropy_with_logits(logits, quality, reduction="none")
    total = quality.sum().clamp(min=1.0)
    loss = (entropy * weight * wanted.valid).sum() / total
    if faces.any():
        boxes = distance_box_iou_loss(found[faces], wanted.boxes[faces], reduction="none")
        loss = loss + box_weight * (boxes * quality[faces]).sum() / total
    return loss
