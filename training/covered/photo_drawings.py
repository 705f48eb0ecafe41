"""Coverings drawn into colour photos through mesh points, for measuring only.

None of this code is used in training: a check that had only learnt how its own training draws
would fail here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import FacePart, Float32Array, RgbImage, UInt8Array

Colour = tuple[int, int, int]
Draw = Callable[[UInt8Array, Float32Array], None]
"""Draws into (H, W, 3) RGB pixels over the face with these (468, 2) mesh points."""

_JAW = (93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323)
_MASK_TOP = (330, 280, 5, 50, 101)
"""From the viewer's right cheek over the nose to the left one."""
_LEFT_EYE = (33, 160, 158, 133, 153, 144)
_RIGHT_EYE = (362, 385, 387, 263, 373, 380)
_LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
_INNER_LIPS = (78, 81, 13, 311, 308, 402, 14, 178)
_LEFT_TEMPLE, _RIGHT_TEMPLE, _NOSE_BRIDGE, _FOREHEAD, _CHIN = 127, 356, 168, 10, 152


@dataclass(frozen=True, slots=True)
class Drawing:
    """Something that can be drawn over a face in a photo."""

    name: str
    group: str
    """Drawings that are counted together."""
    draw: Draw
    covers: tuple[FacePart, ...]
    """The parts that it hides; none for glasses and beards."""


def draw_over(image: RgbImage, points: Float32Array, drawing: Drawing) -> RgbImage:
    """Return ``image`` with ``drawing`` over the face with these (468, 2) mesh points."""
    pixels = image.pixels.copy()
    drawing.draw(pixels, points)
    return RgbImage(pixels, image.name)


def _fill(
    pixels: UInt8Array, outline: NDArray[np.floating[Any]], colour: Colour, opacity: float = 1.0
) -> None:
    _blend(pixels, _polygon(pixels, outline), np.array(colour, np.float32), opacity)


def _polygon(pixels: UInt8Array, outline: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    mask = np.zeros(pixels.shape[:2], np.uint8)
    corners = np.rint(np.asarray(outline) * 16).astype(np.int32)
    cv2.fillPoly(mask, [corners], (255,), cv2.LINE_AA, 4)
    return mask


def _blend(
    pixels: UInt8Array, mask: NDArray[np.uint8], colours: Float32Array, opacity: float = 1.0
) -> None:
    share = (mask.astype(np.float32) * (opacity / 255))[..., None]
    pixels[:] = np.rint(pixels * (1 - share) + colours * share).astype(np.uint8)


def _line(
    pixels: UInt8Array, points: NDArray[np.floating[Any]], colour: Colour, width: float
) -> None:
    corners = np.rint(np.asarray(points) * 16).astype(np.int32)
    cv2.polylines(pixels, [corners], False, colour, max(1, round(width)), cv2.LINE_AA, 4)


def _eye_distance(points: Float32Array) -> float:
    left, right = points[list(_LEFT_EYE)].mean(axis=0), points[list(_RIGHT_EYE)].mean(axis=0)
    return float(np.linalg.norm(right - left))


def _mask(colour: Colour, *, pattern: bool = False, straps: bool = True) -> Draw:
    def draw(pixels: UInt8Array, points: Float32Array) -> None:
        outline = points[[*_JAW, *_MASK_TOP]]
        unit = _eye_distance(points)
        surface = np.zeros(pixels.shape, np.float32) + np.array(colour, np.float32)
        if pattern:
            y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
            petals = (np.sin(x * 18 / unit) + np.cos(y * 15 / unit)) > 0.4
            surface[petals] = 255 - np.array(colour, np.float32)
        _blend(pixels, _polygon(pixels, outline), surface)
        dark: Colour = tuple(round(0.8 * each) for each in colour)  # type: ignore[assignment]
        if straps:
            for cheek, temple in ((93, _LEFT_TEMPLE), (323, _RIGHT_TEMPLE)):
                _line(pixels, points[[cheek, temple]], dark, unit / 25)
        for share in (0.3, 0.5, 0.7):
            fold = points[[58, 152, 288]] * share + points[[101, 5, 330]] * (1 - share)
            _line(pixels, fold, dark, unit / 40)

    return draw


def _plain_mask(colour: Colour) -> Draw:
    def draw(pixels: UInt8Array, points: Float32Array) -> None:
        _fill(pixels, points[[*_JAW, *_MASK_TOP]], colour)

    return draw


def _hand(pixels: UInt8Array, points: Float32Array) -> None:
    unit = _eye_distance(points)
    skin = points[[50, 280, 117, 346]].astype(int).clip(0)
    rows = skin[:, 1].clip(max=pixels.shape[0] - 1)
    columns = skin[:, 0].clip(max=pixels.shape[1] - 1)
    colour = np.median(pixels[rows, columns], axis=0) * 0.95
    mouth = points[list(_LIPS)].mean(axis=0)
    down = (points[_CHIN] - points[_FOREHEAD]) / np.linalg.norm(points[_CHIN] - points[_FOREHEAD])
    across = np.array([down[1], -down[0]])
    for place in range(4):
        start = mouth + across * unit * 0.9 + down * unit * (place - 1.5) * 0.25
        end = (
            mouth
            - across * unit * (0.75 - 0.12 * abs(place - 1.2))
            + down * unit * ((place - 1.5) * 0.25)
        )
        edge = tuple(round(float(each) * 0.6) for each in colour)
        inside = tuple(round(float(each)) for each in colour)
        _line(pixels, np.stack([start, end]), edge, unit * 0.27)  # type: ignore[arg-type]
        _line(pixels, np.stack([start, end]), inside, unit * 0.22)  # type: ignore[arg-type]


def _lenses(points: Float32Array, width: float, height: float, corners: int) -> list[Float32Array]:
    """Return the outlines of two lenses; sizes are in distances between the eyes."""
    left, right = (points[list(eye)].mean(axis=0) for eye in (_LEFT_EYE, _RIGHT_EYE))
    across = right - left
    down = np.array([-across[1], across[0]])
    angles = (np.arange(corners) + 0.5) * (2 * np.pi / corners)
    shape = np.cos(angles)[:, None] * across * width + np.sin(angles)[:, None] * down * height
    return [np.asarray(eye + shape + 0.06 * down, np.float32) for eye in (left, right)]


def _glasses(
    lens: Colour,
    rim: Colour,
    *,
    opacity: float = 1.0,
    corners: int = 24,
    height: float = 0.33,
    thickness: float = 0.05,
    gradient: bool = False,
) -> Draw:
    def draw(pixels: UInt8Array, points: Float32Array) -> None:
        unit = _eye_distance(points)
        lenses = _lenses(points, 0.44, height, corners)
        for outline in lenses:
            surface = np.zeros(pixels.shape, np.float32) + np.array(lens, np.float32)
            if gradient:
                top, bottom = outline[:, 1].min(), outline[:, 1].max()
                light = np.clip((np.arange(len(pixels)) - top) / max(bottom - top, 1), 0, 1)
                surface += 70 * light[:, None, None].astype(np.float32)
            _blend(pixels, _polygon(pixels, outline), surface, opacity)
            _line(pixels, np.concatenate([outline, outline[:1]]), rim, thickness * unit)
        inner = [min(lenses[1], key=lambda p: p[0]), max(lenses[0], key=lambda p: p[0])]
        _line(pixels, np.stack(inner), rim, thickness * unit)
        outer = [min(lenses[0], key=lambda p: p[0]), max(lenses[1], key=lambda p: p[0])]
        for edge, temple in zip(outer, (_LEFT_TEMPLE, _RIGHT_TEMPLE), strict=True):
            _line(pixels, np.stack([edge, points[temple]]), rim, thickness * unit)

    return draw


def _eye_bar(pixels: UInt8Array, points: Float32Array) -> None:
    unit = _eye_distance(points)
    ends = points[[_LEFT_TEMPLE, _RIGHT_TEMPLE]]
    middle = ends.mean(axis=0)
    _line(pixels, middle + (ends - middle) * 0.85, (0, 0, 0), 0.45 * unit)


def _half(pixels: UInt8Array, points: Float32Array) -> None:
    """Hide the viewer's left half behind a plain board."""
    edge = points[[_FOREHEAD, _NOSE_BRIDGE, _CHIN]]
    up = edge[0] + (edge[0] - edge[2]) * 0.3
    down = edge[2] + (edge[2] - edge[0]) * 0.3
    away = (points[_LEFT_TEMPLE] - points[_RIGHT_TEMPLE]) * 0.8
    _fill(pixels, np.stack([up, down, down + away, up + away]), (120, 90, 60))


def _beard(pixels: UInt8Array, points: Float32Array) -> None:
    mask = _polygon(pixels, points[[*_JAW, 425, 164, 205]])
    mask[_polygon(pixels, points[list(_LIPS)]) > 0] = 0
    noise = np.random.default_rng(0).normal(45, 22, pixels.shape[:2])[..., None]
    _blend(pixels, mask, np.asarray(np.clip(noise, 0, 255), np.float32), 0.85)


def _lipstick(pixels: UInt8Array, points: Float32Array) -> None:
    mask = _polygon(pixels, points[list(_LIPS)])
    mask[_polygon(pixels, points[list(_INNER_LIPS)]) > 0] = 0
    _blend(pixels, mask, np.array((150, 10, 40), np.float32), 0.8)


_EYES, _MOUTH = (FacePart.EYES,), (FacePart.MOUTH,)
_GLASS, _BLACK, _WHITE = (200, 210, 215), (15, 15, 15), (240, 240, 238)
DRAWINGS: tuple[Drawing, ...] = (
    Drawing("surgical, light blue", "masks", _mask((150, 195, 225)), _MOUTH),
    Drawing("plain, light blue", "masks", _plain_mask((155, 200, 225)), _MOUTH),
    Drawing("white", "masks", _mask(_WHITE), _MOUTH),
    Drawing("black", "masks", _mask((20, 20, 22), straps=False), _MOUTH),
    Drawing("beige, like skin", "masks", _plain_mask((205, 160, 135)), _MOUTH),
    Drawing("patterned", "masks", _mask((190, 40, 70), pattern=True), _MOUTH),
    Drawing("black", "sunglasses", _glasses(_BLACK, _BLACK), _EYES),
    Drawing("square", "sunglasses", _glasses((40, 30, 25), (90, 55, 30), corners=4), _EYES),
    Drawing("white rim", "sunglasses", _glasses((30, 30, 40), _WHITE, thickness=0.1), _EYES),
    Drawing(
        "gradient", "sunglasses", _glasses((35, 25, 20), (60, 40, 30), gradient=True, opacity=0.9),
        _EYES,
    ),
    Drawing(
        "mirrored, no rim",
        "sunglasses",
        _glasses((90, 120, 160), (90, 120, 160), gradient=True, height=0.26, thickness=0.01),
        _EYES,
    ),
    Drawing("a hand on the mouth", "hands", _hand, _MOUTH),
    Drawing("a bar over the eyes", "bars", _eye_bar, _EYES),
    Drawing("the left half", "halves", _half, (FacePart.ONE_EYE,)),
    Drawing("thin", "glasses", _glasses(_GLASS, _BLACK, opacity=0.08, thickness=0.02), ()),
    Drawing("thick", "glasses", _glasses(_GLASS, _BLACK, opacity=0.1, thickness=0.09), ()),
    Drawing("beard", "beards", _beard, ()),
    Drawing("lipstick", "lipstick", _lipstick, ()),
)  # fmt: skip
"""Everything that is measured, those that cover something first."""
