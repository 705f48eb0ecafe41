"""Grey surfaces of cloth, glass, skin and hair, (SIDE, SIDE) float32 in 0..255."""

from __future__ import annotations

import cv2
import numpy as np

from core.types import Float32Array, UInt8Array

from .canvas import SIDE

_Y, _X = (each.astype(np.float32) / SIDE for each in np.mgrid[:SIDE, :SIDE])


def make_noise(draw: np.random.Generator, cells: int, strength: float) -> Float32Array:
    """Return smooth noise about 0, with ``cells`` bumps across the face."""
    coarse = draw.standard_normal((cells, cells), np.float32) * np.float32(strength)
    return np.asarray(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.float32)


def make_gradient(draw: np.random.Generator, strength: float) -> Float32Array:
    """Return a straight gradient about 0 in any direction, up to ``strength`` at its ends."""
    angle = draw.uniform(0, 2 * np.pi)
    across = (_X - 0.5) * np.cos(angle) + (_Y - 0.5) * np.sin(angle)
    return np.asarray(2 * strength * across, np.float32)


def make_shading(draw: np.random.Generator, strength: float) -> Float32Array:
    """Return the shading of a bulge: darker towards the sides, about 0."""
    x, y = draw.uniform(0.35, 0.65), draw.uniform(0.5, 0.8)
    distance = (_X - x) ** 2 * 4 + (_Y - y) ** 2 * 2
    return np.asarray(strength * (0.4 - np.minimum(distance, 1.2)), np.float32)


def make_stripes(draw: np.random.Generator, strength: float, cycles: float) -> Float32Array:
    """Return stripes about 0, soft or hard, in any direction."""
    angle = draw.choice([0.0, np.pi / 2, draw.uniform(0, np.pi)])
    phase = (_X * np.cos(angle) + _Y * np.sin(angle)) * (2 * np.pi * cycles)
    waves = np.sin(phase + draw.uniform(0, 6.3))
    return np.asarray(strength * np.tanh(draw.choice([1.0, 6.0]) * waves), np.float32)


def make_pattern(draw: np.random.Generator, strength: float) -> Float32Array:
    """Return a printed pattern about 0: stripes, checks, dots, flowers or patches."""
    cycles = draw.uniform(4, 16)
    across = np.sin(_X * 6.3 * cycles + draw.uniform(0, 6.3))
    down = np.sin(_Y * 6.3 * cycles * draw.uniform(0.7, 1.4) + draw.uniform(0, 6.3))
    match draw.integers(5):
        case 0:
            return make_stripes(draw, strength, cycles)
        case 1:
            return np.asarray(strength * np.sign(across * down), np.float32)
        case 2:
            dots = across * down > draw.uniform(0.2, 0.7)
            return np.asarray(strength * (2.0 * dots - 0.5), np.float32)
        case 3:
            flowers = across + down > draw.uniform(-0.5, 1.2)
            return np.asarray(strength * (2.0 * flowers - 1), np.float32)
        case _:
            patches = make_noise(draw, int(draw.integers(5, 16)), 1.0)
            return np.asarray(strength * np.tanh(4 * patches), np.float32)


def make_cloth(draw: np.random.Generator, base: float | None = None) -> Float32Array:
    """Return cloth or paper of any shade: plain, pleated, printed, shaded by the light."""
    cloth = np.full((SIDE, SIDE), draw.uniform(8, 252) if base is None else base, np.float32)
    cloth += make_gradient(draw, draw.uniform(0, 35)) + make_shading(draw, draw.uniform(-15, 60))
    if draw.random() < 0.5:
        cloth += make_noise(draw, int(draw.integers(3, 10)), draw.uniform(2, 22))
    if draw.random() < 0.55:
        cloth += make_pattern(draw, draw.uniform(10, 120))
    if draw.random() < 0.5:
        cloth += make_noise(draw, 60, draw.uniform(1, 12))
    return np.clip(cloth, 0, 255)


def make_lens(draw: np.random.Generator) -> Float32Array:
    """Return dark or mirrored glass, with a gradient and what it reflects."""
    dark = draw.random() < 0.55
    glass = np.full(
        (SIDE, SIDE), draw.uniform(0, 75) if dark else draw.uniform(60, 220), np.float32
    )
    if draw.random() < 0.6:
        glass += make_gradient(draw, draw.uniform(5, 90 if dark else 110))
    if draw.random() < 0.4:
        glass += np.maximum(make_noise(draw, int(draw.integers(4, 14)), draw.uniform(10, 60)), 0)
    if draw.random() < 0.3:
        # A streak of light.
        angle, width = draw.uniform(0, np.pi), draw.uniform(0.01, 0.05)
        where = _X * np.cos(angle) + _Y * np.sin(angle) - draw.uniform(0, 0.8)
        glass += draw.uniform(30, 160) * np.exp(-((where / width) ** 2))
    return np.clip(glass, 0, 255)


def make_skin(draw: np.random.Generator, face: UInt8Array) -> Float32Array:
    """Return skin about as light as that of the ``face``."""
    own = float(np.median(face[20:32, 14:34]))
    base = np.clip(own + draw.normal(0, 28), 15, 245)
    skin = np.full((SIDE, SIDE), base, np.float32) + make_gradient(draw, draw.uniform(0, 40))
    skin += make_noise(draw, int(draw.integers(4, 12)), draw.uniform(1, 12))
    return np.clip(skin, 0, 255)


def make_hair(draw: np.random.Generator) -> Float32Array:
    """Return strands of hair that hang down, at any slant."""
    strands = draw.standard_normal((1, int(draw.integers(24, 90))), np.float32)
    hair = cv2.resize(strands, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    slant = np.array([[1, draw.uniform(-0.6, 0.6), 0], [0, 1, 0]], np.float32)
    hair = cv2.warpAffine(hair, slant, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT)
    base = draw.uniform(5, 110) if draw.random() < 0.8 else draw.uniform(110, 220)
    hair = base + hair * draw.uniform(5, 30) + make_gradient(draw, draw.uniform(0, 35))
    return np.asarray(np.clip(hair, 0, 255), np.float32)


def make_object(draw: np.random.Generator, other: UInt8Array) -> Float32Array:
    """Return any surface: cloth, hair, a flat shade, or a part of the picture ``other``."""
    match draw.integers(4):
        case 0:
            return make_cloth(draw)
        case 1:
            return np.full((SIDE, SIDE), draw.uniform(0, 255), np.float32)
        case 2:
            return make_hair(draw)
        case _:
            side = int(draw.integers(12, 30))
            x, y = draw.integers(0, len(other) - side, 2)
            part = np.rot90(other[y : y + side, x : x + side], draw.integers(4))
            large = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
            return np.asarray(large, np.float32)
