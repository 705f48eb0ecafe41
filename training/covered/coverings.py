"""Things that cover eyes or mouth, drawn over a face: masks, sunglasses, hands, objects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.types import Float32Array, UInt8Array

from .canvas import SCALE, Canvas, make_blob, make_ellipse, make_half
from .textures import make_cloth, make_hair, make_lens, make_object, make_skin

Covering = Callable[[Canvas, UInt8Array], None]
"""Draws on the canvas; the picture is another face, for surfaces that look like a photo."""


def draw_mask(canvas: Canvas, _other: UInt8Array) -> None:
    """Draw a surgical, cloth or moulded mask over mouth and nose, with or without straps."""
    draw, u = canvas.draw, canvas.draw.uniform
    top, nose = u(22, 30), u(19, 31)
    cheek, chin = u(14, 21), u(46, 56)
    middle = 24 + u(-2, 2)
    outline: list[tuple[float, float]] = [
        (middle - cheek, top + u(-1, 3)),
        (middle - u(3, 8), nose + u(0, 2)),
        (middle, nose),
        (middle + u(3, 8), nose + u(0, 2)),
        (middle + cheek, top + u(-1, 3)),
        (middle + cheek - u(0, 3), u(36, 42)),
        (middle + u(4, 9), chin),
        (middle - u(4, 9), chin),
        (middle - cheek + u(0, 3), u(36, 42)),
    ]
    if draw.random() < 0.25:  # a moulded cup, or a plain rectangle
        power = u(2, 5)
        outline = list(
            map(tuple, make_ellipse((middle, u(36, 39)), (cheek, u(10, 15)), power=power))
        )
    white = draw.random() < 0.45
    cloth = make_cloth(draw, u(170, 252) if white else None)
    mask = canvas.fill(outline, smooth=draw.random() < 0.7)
    canvas.paint(mask, cloth, soft=u(0.15, 0.7))
    shade = u(-60, 45)
    if draw.random() < 0.6:  # pleats or a seam
        for y in np.linspace(u(27, 33), u(38, 46), draw.integers(1, 6)):
            sag = u(-1, 3)
            line = [(middle - cheek + 2, y), (middle, y + sag), (middle + cheek - 2, y)]
            line_mask = canvas.stroke(line, u(0.2, 0.7)) * mask
            canvas.paint(line_mask, np.clip(cloth + shade, 0, 255), soft=0.25, opacity=u(0.4, 1))
    if draw.random() < 0.3:
        seam = canvas.stroke([(middle, nose), (middle + u(-1, 1), chin)], u(0.2, 0.6)) * mask
        canvas.paint(seam, np.clip(cloth + shade, 0, 255), opacity=u(0.3, 1))
    if draw.random() < 0.12:  # a valve
        valve = canvas.fill(make_ellipse((middle + u(-6, 6), u(34, 42)), (u(2, 4), u(2, 4))))
        canvas.paint(valve, u(0, 255), opacity=u(0.6, 1))
    if draw.random() < 0.6:  # straps
        for side in (-1, 1):
            ear = (middle + side * u(21, 27), u(17, 26))
            for y in (top + 1, u(38, 42))[: draw.integers(1, 3)]:
                start = (middle + side * (cheek - 0.5), y)
                canvas.paint(canvas.stroke([start, ear], u(0.2, 0.8)), u(60, 255), soft=0.2)


def draw_scarf(canvas: Canvas, _other: UInt8Array) -> None:
    """Draw a scarf, collar or veil from the nose or the lip down."""
    u = canvas.draw.uniform
    tops = [u(22, 33) + u(-2, 2) for _ in range(5)]
    xs = np.linspace(-8, 56, 5)
    outline = [*zip(xs, tops, strict=True), (60, 70), (-12, 70)]
    cloth = make_cloth(canvas.draw)
    region = canvas.fill(outline)
    canvas.paint(region, cloth, soft=u(0.2, 0.9))
    for _ in range(canvas.draw.integers(0, 7)):  # folds
        start, end = (u(-4, 20), u(26, 48)), (u(28, 52), u(26, 48))
        fold = canvas.stroke([start, (24 + u(-4, 4), u(30, 52)), end], u(0.4, 2)) * region
        canvas.paint(fold, np.clip(cloth + u(-60, 50), 0, 255), soft=0.6, opacity=u(0.2, 0.8))


def draw_hand(canvas: Canvas, _other: UInt8Array) -> None:
    """Draw a hand with its fingers over the mouth, the eyes or one of the eyes."""
    draw, u = canvas.draw, canvas.draw.uniform
    target = [(24.0, 37.0), (24.0, 19.0), (15.0, 19.0), (33.0, 19.0)][
        draw.choice(4, p=[0.55, 0.25, 0.1, 0.1])
    ]
    skin = make_skin(draw, canvas.face)
    angle = draw.choice([u(-0.5, 0.5), np.pi + u(-0.5, 0.5), u(0, 2 * np.pi)])
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    middle = np.array(target) + np.array([u(-2, 2), u(-2, 2)])
    width, reach = u(3.5, 6.0), u(6, 16)
    fingers = int(draw.integers(2, 6))
    palm = make_blob(draw, tuple(middle - along * (reach * 0.9)), (u(8, 14), u(8, 14)))
    canvas.paint(canvas.fill(palm), skin, soft=0.5)
    for place in range(fingers):
        offset = across * ((place - (fingers - 1) / 2) * width * u(0.85, 1.0))
        start, end = middle + offset - along * 14, middle + offset + along * (reach * u(0.6, 1.0))
        finger = [tuple(start), tuple(end)]
        edge = np.clip(skin - u(15, 60), 0, 255)
        canvas.paint(canvas.stroke(finger, width + 0.7), edge, soft=0.35, opacity=u(0.5, 1))
        canvas.paint(
            canvas.stroke(finger, width - 0.5), np.clip(skin + u(-8, 12), 0, 255), soft=0.5
        )
        if draw.random() < 0.3:  # a nail
            nail = canvas.stroke([tuple(end - along * 0.5), tuple(end)], width * 0.6)
            canvas.paint(nail, np.clip(skin + u(5, 40), 0, 255), opacity=u(0.3, 0.9))


def _make_lens_shape(canvas: Canvas, centre: tuple[float, float]) -> NDArray[np.float64]:
    draw, u = canvas.draw, canvas.draw.uniform
    radii = (u(5.4, 9.0), u(3.8, 7.5))
    lens = make_ellipse(centre, radii, power=draw.choice([2.0, u(2, 6)]))
    side = np.sign(centre[0] - 24)
    match draw.integers(4):
        case 0:  # aviator: hangs down on the outside
            lens[:, 1] += np.maximum(lens[:, 1] - centre[1], 0) * u(0, 0.5)
            lens[:, 0] += side * (lens[:, 1] - centre[1]) * u(0, 0.25)
        case 1:  # cat's eye: rises on the outside
            lens[:, 1] -= side * (lens[:, 0] - centre[0]) * u(0, 0.4)
        case 2:  # flat on top
            lens[:, 1] = np.maximum(lens[:, 1], centre[1] - radii[1] * u(0.5, 0.9))
        case _:
            pass
    return lens


def draw_sunglasses(canvas: Canvas, _other: UInt8Array) -> None:
    """Draw sunglasses of any shape: dark, mirrored or tinted, with a thin, thick or no rim."""
    draw, u = canvas.draw, canvas.draw.uniform
    glass = make_lens(draw)
    opacity: float | Float32Array = u(0.75, 1.0)
    rim, rim_width = u(0, 70) if draw.random() < 0.55 else u(70, 255), u(0.4, 2.8)
    height = 19 + u(-0.5, 2.5)
    if draw.random() < 0.12:  # a visor in one piece
        half = u(18, 24)
        visor = make_ellipse((24, height), (half, u(5, 8)), power=u(3, 8))
        canvas.paint(canvas.fill(visor), glass, opacity=opacity, soft=0.3)
    else:
        distance = u(8.6, 10.2)
        state = draw.bit_generator.state
        for side in (-1, 1):
            draw.bit_generator.state = state  # both lenses have the same shape
            lens = _make_lens_shape(canvas, (24 - distance, height))
            if side > 0:
                lens[:, 0] = 48 - lens[:, 0]
            if u(0, 1) < 0.45:
                outline = canvas.stroke([*map(tuple, lens), tuple(lens[0])], rim_width)
                canvas.paint(outline, rim, soft=0.25)
            canvas.paint(canvas.fill(lens), glass, opacity=opacity, soft=0.25)
    if draw.random() < 0.85:
        bridge = [(20, height - u(0, 3)), (24, height - u(0.5, 4)), (28, height - u(0, 3))]
        canvas.paint(canvas.stroke(bridge, u(0.5, 2)), rim, soft=0.25)
    if draw.random() < 0.6:
        for side in (-1, 1):
            arm = [(24 + side * 17, height - u(0, 3)), (24 + side * 28, height - u(-2, 4))]
            canvas.paint(canvas.stroke(arm, u(0.6, 2.2)), rim, soft=0.25)


def draw_bar(canvas: Canvas, other: UInt8Array) -> None:
    """Draw a bar, a blindfold or a line of text across the eyes or the mouth."""
    draw, u = canvas.draw, canvas.draw.uniform
    y, half = (19 + u(-1.5, 1.5), u(3.5, 8)) if draw.random() < 0.6 else (37 + u(-2, 2), u(4, 9))
    left, right = (-8, 56) if draw.random() < 0.5 else (24 - u(13, 22), 24 + u(13, 22))
    corners = [(left, y - half), (right, y - half), (right, y + half), (left, y + half)]
    surface = make_object(draw, other) if draw.random() < 0.5 else u(0, 30)
    canvas.paint(canvas.fill(corners), surface, soft=u(0, 0.5))


def draw_object(canvas: Canvas, other: UInt8Array) -> None:
    """Draw an object of any shape before the mouth or the eyes: paper, phone, sticker, cup."""
    draw, u = canvas.draw, canvas.draw.uniform
    centre = (
        (24 + u(-3, 3), 37 + u(-2, 4)) if draw.random() < 0.6 else (24 + u(-6, 6), 19 + u(-3, 2))
    )
    radii = (u(8, 20), u(6, 14))
    match draw.integers(3):
        case 0:
            outline = make_blob(draw, centre, radii)
        case 1:
            outline = make_ellipse(centre, radii, power=u(2, 9))
        case _:
            outline = make_ellipse(centre, (radii[0],) * 2)
    surface = make_object(draw, other)
    canvas.paint(canvas.fill(outline), surface, soft=u(0, 0.7))
    if draw.random() < 0.3:  # an edge, and a face as on a sticker
        canvas.paint(
            canvas.stroke([*map(tuple, outline), tuple(outline[0])], u(0.3, 1.5)), u(0, 255)
        )
        for x in (-0.35, 0.35):
            eye = make_ellipse((centre[0] + x * radii[0], centre[1] - 2), (u(0.7, 2), u(0.7, 2)))
            canvas.paint(canvas.fill(eye), u(0, 60))


def draw_microphone(canvas: Canvas, _other: UInt8Array) -> None:
    """Draw a microphone or a cup held before the mouth."""
    draw, u = canvas.draw, canvas.draw.uniform
    centre = (24 + u(-3, 3), 37.5 + u(-1, 3))
    radius, shade = u(6, 10), u(5, 130)
    surface = make_cloth(draw, shade)
    lean = u(-12, 12)
    if draw.random() < 0.5:
        stick = [centre, (centre[0] + lean, 62)]
        canvas.paint(canvas.stroke(stick, radius * u(0.7, 1.4)), make_cloth(draw), soft=0.4)
        canvas.paint(canvas.fill(make_ellipse(centre, (radius, radius * u(0.9, 1.3)))), surface)
        return
    surface = make_cloth(draw)
    wide, high = u(8, 13), u(29, 34)
    cup = [
        (24 - wide, high),
        (24 + wide, high),
        (24 + wide * u(0.7, 0.9), 56),
        (24 - wide * 0.8, 56),
    ]
    canvas.paint(canvas.fill(cup), surface)
    canvas.paint(
        canvas.fill(make_ellipse((24, high), (wide, u(0.8, 2.5)))), u(60, 250), opacity=0.7
    )


def draw_fringe(canvas: Canvas, _other: UInt8Array) -> None:
    """Draw hair, a hood or a hat that hangs over both eyes or one of them."""
    draw, u = canvas.draw, canvas.draw.uniform
    surface = make_hair(draw) if draw.random() < 0.7 else make_cloth(draw)
    if draw.random() < 0.6:
        xs = np.linspace(-10, 58, draw.integers(4, 9))
        outline = [(-14, -20), *((x, u(21, 27)) for x in xs), (62, -20)]
    else:
        edge = u(21, 25) if draw.random() < 0.5 else u(23, 27)
        outline = [(-20, -20), (edge + u(-4, 4), -20), (edge, 22), (edge - u(0, 9), 60), (-20, 60)]
        if draw.random() < 0.5:
            outline = [(48 - x, y) for x, y in outline]
    canvas.paint(canvas.fill(outline), surface, soft=u(0.3, 1.5), opacity=u(0.9, 1))


def draw_half(canvas: Canvas, other: UInt8Array) -> None:
    """Hide one half of the face, behind an object or beyond the edge of the picture."""
    draw, u = canvas.draw, canvas.draw.uniform
    if draw.random() < 0.5:
        lower = draw.random() < 0.6
        edge = u(27, 33) if lower else u(22, 27)
        slant = u(-4, 4)
        far = 70 if lower else -20
        outline = make_half(edge, slant, far, across=True)
    else:
        edge, slant = u(20, 28), u(-5, 5)
        far = -20 if draw.random() < 0.5 else 70
        outline = make_half(edge, slant, far, across=False)
    surface = make_object(draw, other)
    # The crop repeats the border of the picture.
    if outline[0, 0] == outline[-1, 0] and draw.random() < 0.25:
        surface = _repeat_row(canvas, edge)
    canvas.paint(canvas.fill(outline), surface, soft=u(0, 0.5))


def _repeat_row(canvas: Canvas, y: float) -> Float32Array:
    """Return one row of the face on all rows, as the crop does beyond the picture."""
    face = np.kron(canvas.face, np.ones((SCALE, SCALE))).astype(np.float32)
    row = int(np.clip(y * SCALE, 0, len(face) - 1))
    return np.repeat(face[row : row + 1], len(face), axis=0)


COVERINGS: tuple[tuple[Covering, float], ...] = (
    (draw_mask, 0.25),
    (draw_scarf, 0.07),
    (draw_hand, 0.14),
    (draw_sunglasses, 0.28),
    (draw_bar, 0.05),
    (draw_object, 0.06),
    (draw_microphone, 0.05),
    (draw_fringe, 0.06),
    (draw_half, 0.07),
)
"""Every kind with its share."""
