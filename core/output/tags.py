"""Where the tags of faces go: beside their face, over no face and over no other tag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Box

Point = tuple[float, float]
_Boxes = NDArray[np.float64]
"""(N, 4) corners x1, y1, x2, y2."""

_STEPS = 5
"""Places along each side of a face."""
_GAPS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Distances from the face that are tried first, in heights of the tag."""
_CROWDED = 0.5
"""What a place costs that also touches another face or only a corner, in heights of the tag."""
_FARTHEST = 1.0
"""How far a tag may be led, in longer sides of its face: in a wall of faces, such as in a video
call, lines across several others cannot be followed."""
_CORNER = 0.3
"""Less than this part of a tag's side beside its face is only a corner."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag's place, and the line that leads from it to its face unless it touches the face."""

    spot: Box
    leader: tuple[Point, Point] | None = None


def place_tags(
    faces: Sequence[Box],
    sizes_wh: Sequence[tuple[float, float]],
    picture_wh: tuple[int, int],
    *,
    reach: float | None = None,
) -> list[Tag | None]:
    """Return a place inside the picture for the tag of each face; None where there is no room.

    ``reach`` limits the distance between a tag and its face, in heights of the tag; without it a
    tag can be as far away as its face is long.
    """
    corners = _as_array(faces)
    choices = [
        _find_places(corners, index, size_wh, picture_wh, reach)
        for index, size_wh in enumerate(sizes_wh)
    ]
    placed: list[Tag | None] = [None] * len(faces)
    taken = np.empty((0, 4))
    # The faces with the fewest places choose first.
    for index in sorted(range(len(faces)), key=lambda each: len(choices[each])):
        free = choices[index][~_touch(choices[index], taken).any(axis=1)]
        if not len(free) and reach is None:
            free = _find_farther(corners, taken, index, sizes_wh[index], picture_wh)
        if len(free):
            taken = np.vstack([taken, free[:1]])
            spot = Box(*free[0].tolist())
            placed[index] = Tag(spot, _lead(spot, faces[index]))
    return placed


def overlaps(a: Box, b: Box) -> bool:
    """Return whether the boxes share more than an edge."""
    return a.x1 < b.x2 and b.x1 < a.x2 and a.y1 < b.y2 and b.y1 < a.y2


def _find_places(
    faces: _Boxes,
    index: int,
    size_wh: tuple[float, float],
    picture_wh: tuple[int, int],
    reach: float | None,
) -> _Boxes:
    """Return free places around a face, the best first."""
    x1, y1, x2, y2 = faces[index].tolist()
    width, height = size_wh
    along_x = np.linspace(x1, max(x1, x2 - width), 2).tolist()
    along_x += np.linspace(x1 - width, x2, _STEPS).tolist()
    along_y = np.linspace(y1 - height, y2, _STEPS).tolist()
    # A tag at the picture's border moves inside.
    along_x = [min(max(x, 0.0), picture_wh[0] - width) for x in along_x]
    along_y = [min(max(y, 0.0), picture_wh[1] - height) for y in along_y]
    corners: list[Point] = []
    for gap in (each * height for each in _GAPS if reach is None or each <= reach):
        corners += [(x, y1 - height - gap) for x in along_x]
        corners += [(x, y2 + gap) for x in along_x]
        corners += [(x, y) for x in (x2 + gap, x1 - width - gap) for y in along_y]
    return _sort_free(np.array(corners), size_wh, faces, index, picture_wh)


def _find_farther(
    faces: _Boxes,
    taken: _Boxes,
    index: int,
    size_wh: tuple[float, float],
    picture_wh: tuple[int, int],
) -> _Boxes:
    """Return all free places that are near enough, the nearest to the face first.

    The leftmost and highest free places lie against an edge of the picture, a face or a tag, so
    none is missed.
    """
    obstacles = np.vstack([faces, taken])
    xs = np.unique(np.concatenate([[0.0, picture_wh[0] - size_wh[0]], obstacles[:, 2]]))
    ys = np.unique(np.concatenate([[0.0, picture_wh[1] - size_wh[1]], obstacles[:, 3]]))
    corners = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    places = _sort_free(corners, size_wh, faces, index, picture_wh)
    farthest = _FARTHEST * float((faces[index, 2:] - faces[index, :2]).max())
    near = _distance(places, faces[index]) <= max(farthest, max(_GAPS) * size_wh[1])
    free: _Boxes = places[near & ~_touch(places, taken).any(axis=1)]
    return free


def _sort_free(
    corners: NDArray[np.float64],
    size_wh: tuple[float, float],
    faces: _Boxes,
    index: int,
    picture_wh: tuple[int, int],
) -> _Boxes:
    """Return the boxes at ``corners`` that are in the picture and over no face, best first."""
    boxes = np.hstack([corners, corners + np.asarray(size_wh)])
    inside = (boxes[:, :2] >= 0).all(axis=1) & (boxes[:, 2:] <= np.asarray(picture_wh)).all(axis=1)
    boxes = boxes[inside]
    boxes = boxes[~_touch(boxes, faces).any(axis=1)]
    others = np.delete(faces, index, axis=0)
    crowded = _touch(boxes, others, slack=0.1 * size_wh[1]).any(axis=1)
    cost = _distance(boxes, faces[index])
    cost += _CROWDED * size_wh[1] * (crowded + (_share_beside(boxes, faces[index]) < _CORNER))
    ordered: _Boxes = boxes[np.argsort(cost, kind="stable")]
    return ordered


def _touch(boxes: _Boxes, others: _Boxes, slack: float = 0.0) -> NDArray[np.bool_]:
    """Return (N, M) whether each box comes nearer than ``slack`` to each other box."""
    x1, y1, x2, y2 = (boxes[:, None, each] for each in range(4))
    others_x1, others_y1, others_x2, others_y2 = others.T
    touching: NDArray[np.bool_] = (x1 < others_x2 + slack) & (others_x1 < x2 + slack)
    touching &= (y1 < others_y2 + slack) & (others_y1 < y2 + slack)
    return touching


def _distance(boxes: _Boxes, face: NDArray[np.float64]) -> NDArray[np.float64]:
    gaps = np.maximum(face[:2] - boxes[:, 2:], boxes[:, :2] - face[2:])
    distance: NDArray[np.float64] = np.hypot(*np.maximum(gaps, 0).T)
    return distance


def _share_beside(boxes: _Boxes, face: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return which part of each box's width or height, whichever is more, lies beside the face."""
    shared = np.minimum(boxes[:, 2:], face[2:]) - np.maximum(boxes[:, :2], face[:2])
    sides = boxes[:, 2:] - boxes[:, :2]
    share: NDArray[np.float64] = (shared / sides).max(axis=1)
    return share


def _lead(spot: Box, face: Box) -> tuple[Point, Point] | None:
    """Return the shortest line between a tag and its face; None if they touch."""
    x = _nearest(spot.x1, spot.x2, face.x1, face.x2)
    y = _nearest(spot.y1, spot.y2, face.y1, face.y2)
    start, end = (x[0], y[0]), (x[1], y[1])
    return None if np.hypot(x[0] - x[1], y[0] - y[1]) < 1 else (start, end)


def _nearest(low: float, high: float, other_low: float, other_high: float) -> tuple[float, float]:
    """Return the nearest pair of points of two intervals; in the middle of what they share."""
    if high < other_low:
        return high, other_low
    if other_high < low:
        return low, other_high
    middle = (max(low, other_low) + min(high, other_high)) / 2
    return middle, middle


def _as_array(boxes: Sequence[Box]) -> _Boxes:
    return np.array([(b.x1, b.y1, b.x2, b.y2) for b in boxes], np.float64).reshape(-1, 4)
