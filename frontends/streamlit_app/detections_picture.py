"""What a detector takes for faces, drawn by whether it reaches a threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core import Box, Face, RgbImage
from frontends.streamlit_app.workspace import for_screen

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_KEPT, _BELOW = (0, 114, 178), (213, 94, 0)
"""Blue and vermilion of Okabe and Ito's palette, which everyone tells apart."""
_DARK, _LIGHT = (20, 20, 20), (255, 255, 255)


def draw_detections_jpeg(image: RgbImage, faces: Sequence[Face], threshold: float) -> bytes:
    """``image`` as a JPEG: a full frame where the score reaches ``threshold``, else a broken one.

    Each frame is labelled with its score.
    """
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(image.pixels)
    draw = ImageDraw.Draw(picture)
    side = max(image.width, image.height)
    stroke = max(2, round(side / 250))
    font = ImageFont.load_default(size=max(12, round(side / 45)))
    # The best last, so that nothing covers them.
    for face in sorted(faces, key=lambda face: face.score):
        kept = face.score >= threshold
        box = face.box.clip(image.width, image.height)
        _frame(draw, box, stroke, dash=None if kept else 3 * stroke)
        colour = _KEPT if kept else _BELOW
        text = format_score(face.score)
        left, top, right, bottom = draw.textbbox(
            (box.x1 + stroke, box.y1 + stroke), text, font=font
        )
        draw.rectangle((left - stroke, top - stroke, right + stroke, bottom + stroke), fill=colour)
        draw.text((box.x1 + stroke, box.y1 + stroke), text, font=font, fill=_LIGHT)
    return for_screen(RgbImage(np.array(picture), image.name))


def format_score(score: float) -> str:
    """A score with three digits, rounded down: it never seems to reach a threshold it misses."""
    return f"{math.floor(score * 1000) / 1000:.3f}"


def _frame(draw: ImageDraw, box: Box, stroke: int, dash: int | None) -> None:
    corners = [(box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2)]
    for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
        for part in _parts(start, end, dash):
            # A dark line below keeps the colour visible on any background.
            draw.line(part, fill=_DARK, width=stroke + 2)
            draw.line(part, fill=_BELOW if dash else _KEPT, width=stroke)


def _parts(
    start: tuple[float, float], end: tuple[float, float], dash: int | None
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    if dash is None:
        return [(start, end)]
    (x1, y1), (x2, y2) = start, end
    count = max(1, int(math.hypot(x2 - x1, y2 - y1) // (2 * dash)))
    edges = [each / (2 * count) for each in range(2 * count + 1)]
    at = [(x1 + (x2 - x1) * edge, y1 + (y2 - y1) * edge) for edge in edges]
    return [(at[each], at[each + 1]) for each in range(0, 2 * count, 2)]
