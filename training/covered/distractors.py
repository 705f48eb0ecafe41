"""Things beside eyes and mouth, drawn over a face, which cover neither: glasses, beards, hats."""

from __future__ import annotations

import numpy as np

from core.types import UInt8Array

from .canvas import Canvas, make_blob, make_ellipse, make_half
from .coverings import Covering
from .textures import make_cloth, make_hair, make_noise, make_object, make_skin


def draw_glasses(canvas: Canvas, _other: UInt8Array) -> None:
    """Draw ordinary glasses: a rim of any thickness, hardly tinted, perhaps with a reflection."""
    draw, u = canvas.draw, canvas.draw.uniform
    rim = u(0, 60) if draw.random() < 0.7 else u(60, 230)
    width = u(0.3, 0.9) if draw.random() < 0.6 else u(0.9, 2.0)
    height, distance = 19 + u(-0.5, 2.0), u(8.8, 10.0)
    radii, power = (u(6.2, 8.8), u(4.3, 7.0)), u(2, 6)
    tint, reflects = u(0, 0.18), draw.random() < 0.35
    tint_grey = u(0, 120) if draw.random() < 0.6 else u(150, 255)
    for side in (-1, 1):
        centre = (24 + side * distance, height)
        lens = make_ellipse(centre, radii, power=power)
        canvas.paint(canvas.fill(lens), tint_grey, opacity=tint, soft=0.25)
        if reflects:
            spot = (centre[0] + u(-4, 4), centre[1] + draw.choice([-1, 1]) * u(2, 4))
            shine = canvas.fill(make_blob(draw, spot, (u(0.8, 3), u(0.5, 1.6))))
            canvas.paint(shine, u(170, 255), opacity=u(0.3, 0.9))
        if width > 0.35:
            canvas.paint(canvas.stroke([*map(tuple, lens), tuple(lens[0])], width), rim, soft=0.25)
        arm = [(24 + side * (distance + radii[0]), height - u(0, 3)), (24 + side * 28, height - 2)]
        canvas.paint(canvas.stroke(arm, width * u(0.7, 1.5)), rim, soft=0.25)
    inner = distance - radii[0]
    bridge = [(24 - inner, height - 1), (24, height - u(1, 3)), (24 + inner, height - 1)]
    canvas.paint(canvas.stroke(bridge, width), rim, soft=0.25)


def draw_beard(canvas: Canvas, _other: UInt8Array) -> None:
    """Draw a beard, a moustache or both, which leave the lips free."""
    draw, u = canvas.draw, canvas.draw.uniform
    hair = make_hair(draw) if draw.random() < 0.6 else make_noise(draw, 90, u(5, 25)) + u(20, 150)
    hair = np.clip(hair + make_noise(draw, 40, u(3, 18)), 0, 255)
    opacity = u(0.45, 1.0)
    if draw.random() < 0.7:
        top, chin = u(27, 38), u(47, 56)
        beard = [(4, top), (11, u(30, 36)), (17, u(32, 35)), (31, u(32, 35)), (37, u(30, 36)),
                 (44, top), (42, 44), (34, chin), (14, chin), (6, 44)]  # fmt: skip
        canvas.paint(canvas.fill(beard, smooth=True), hair, opacity=opacity, soft=u(0.2, 2))
    if draw.random() < 0.7:
        y = 32.3 + u(-0.5, 0.6)
        moustache = [(24 - u(6, 10), y + u(0.5, 3)), (20, y), (24, y + u(-0.3, 0.5)), (28, y),
                     (24 + u(6, 10), y + u(0.5, 3))]  # fmt: skip
        canvas.paint(canvas.stroke(moustache, u(1.2, 2.6)), hair, opacity=opacity, soft=0.5)
    lips = canvas.fill(make_ellipse((24.2, 36.8), (u(6.5, 8.5), u(2.6, 4))))
    canvas.erase(lips)


def draw_lipstick(canvas: Canvas, _other: UInt8Array) -> None:
    """Darken the lips."""
    u = canvas.draw.uniform
    lips = canvas.fill(make_ellipse((24.2, 36.7), (u(5.5, 7.5), u(1.8, 3.4))))
    canvas.paint(lips, u(20, 110), opacity=u(0.15, 0.28), soft=0.5)


def draw_hat(canvas: Canvas, _other: UInt8Array) -> None:
    """Draw a hat, a headscarf or a fringe that ends above the eyes."""
    draw, u = canvas.draw, canvas.draw.uniform
    surface = make_hair(draw) if draw.random() < 0.5 else make_cloth(draw)
    xs = np.linspace(-10, 58, draw.integers(3, 9))
    level = u(2, 12)
    outline = [(-14, -20), *((x, level + u(-2, 2)) for x in xs), (62, -20)]
    canvas.paint(canvas.fill(outline), surface, soft=u(0.2, 1.2))
    if draw.random() < 0.5:  # beside the face too
        for side in (-1, 1):
            x = 24 + side * u(17, 22)
            edge = [(x, -10), (x + u(-1, 1), 30), (x - side * u(-3, 4), 60)]
            outline = [*edge, (24 + side * 50, 60), (24 + side * 50, -10)]
            canvas.paint(canvas.fill(outline), surface, soft=u(0.2, 1.2))


def draw_collar(canvas: Canvas, other: UInt8Array) -> None:
    """Draw a collar, a scarf or a mask pulled down below the lips."""
    draw, u = canvas.draw, canvas.draw.uniform
    xs = np.linspace(-10, 58, draw.integers(3, 8))
    level = u(42.5, 48)
    outline = [(-14, 70), *((x, level + u(-1, 2)) for x in xs), (62, 70)]
    surface = make_cloth(draw) if draw.random() < 0.7 else make_object(draw, other)
    canvas.paint(canvas.fill(outline), surface, soft=u(0.2, 0.8))


def draw_beside(canvas: Canvas, other: UInt8Array) -> None:
    """Draw a hand or an object on cheek, forehead, nose or chin."""
    draw, u = canvas.draw, canvas.draw.uniform
    place = [(4, 30), (44, 30), (24, 6), (24, 28), (10, 46), (38, 46), (3, 44), (45, 44)]
    centre = place[draw.integers(len(place))]
    size = 2.5 if centre == (24, 28) else u(3, 7)
    surface = make_skin(draw, canvas.face) if draw.random() < 0.6 else make_object(draw, other)
    shape = make_blob(draw, centre, (size, size * u(0.8, 1.6)))
    canvas.paint(canvas.fill(shape), surface, soft=u(0.2, 0.8))
    if draw.random() < 0.5 and centre[1] > 40:  # fingers that hold the chin
        for _ in range(draw.integers(1, 4)):
            end = (centre[0] + u(-4, 4), u(42, 45))
            shade = np.clip(surface + u(-35, 20), 0, 255)
            canvas.paint(canvas.stroke([(centre[0], 60), end], u(2.5, 5)), shade)


def draw_shadow(canvas: Canvas, _other: UInt8Array) -> None:
    """Draw the shadow of a hat, of a window's frame or of the other half of the face."""
    draw, u = canvas.draw, canvas.draw.uniform
    edge, slant, across = u(8, 40), u(-8, 8), draw.random() < 0.5
    outline = make_half(edge, slant, draw.choice([-20, 70]), across=across)
    canvas.paint(canvas.fill(outline), u(0, 25), opacity=u(0.15, 0.29), soft=u(0.3, 3))


def draw_lines(canvas: Canvas, _other: UInt8Array) -> None:
    """Draw thin lines across the face: strands of hair, a watermark, a net."""
    draw, u = canvas.draw, canvas.draw.uniform
    grey, width = u(0, 255), u(0.2, 0.7)
    for _ in range(draw.integers(1, 5)):
        line = [(u(-5, 53), u(-5, 20)), (u(5, 43), u(10, 40)), (u(-5, 53), u(25, 53))]
        canvas.paint(canvas.stroke(line, width), grey, opacity=u(0.3, 1), soft=0.2)


DISTRACTORS: tuple[tuple[Covering, float], ...] = (
    (draw_glasses, 0.32),
    (draw_beard, 0.2),
    (draw_lipstick, 0.05),
    (draw_hat, 0.12),
    (draw_collar, 0.09),
    (draw_beside, 0.1),
    (draw_shadow, 0.07),
    (draw_lines, 0.05),
)
"""Every kind with its share."""
