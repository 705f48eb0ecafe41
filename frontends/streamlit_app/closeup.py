"""Faces large: with their landmarks, or as the network saw them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core import Box, FaceAnalysis, ImageAnalysis, RgbImage
from frontends.streamlit_app.workspace import for_screen

_CROP_SIDE = 192
"""Four times what the network is given, so that every pixel of it can be seen."""
_DOT = 2
"""Radius of a landmark in pixels of the screen."""
_BLUE, _WHITE = (0, 114, 178), (255, 255, 255)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SIDE = 560
"""Pixels across: a small face is enlarged, so that its landmarks can be distinguished."""
_MARGIN = 0.35
"""Of the box, on each side."""


def enlarged_crop(
    analysis: ImageAnalysis, face: FaceAnalysis, heat: NDArray[np.float32] | None = None
) -> bytes:
    """``face`` as the network saw it, enlarged, with ``heat`` laid over it if given."""
    import numpy as np
    from PIL import Image

    from core import overlay_heatmap

    side = face.crop.pixels.shape[0]
    large = Image.fromarray(face.crop.pixels).convert("RGB")
    large = large.resize((_CROP_SIDE, _CROP_SIDE), Image.Resampling.NEAREST)
    shown = RgbImage(np.array(large), analysis.name)
    if heat is not None:
        matrix = np.array([[side / _CROP_SIDE, 0, 0], [0, side / _CROP_SIDE, 0]], np.float64)
        placed = replace(face, crop=replace(face.crop, matrix=matrix))
        shown = overlay_heatmap(shown, replace(analysis, faces=(placed,)), [heat])
    return for_screen(shown)


def draw_closeup(image: RgbImage, analysis: ImageAnalysis, face: FaceAnalysis) -> bytes:
    """The part of ``image`` around ``face`` as a JPEG, framed, named and with its landmarks."""
    import numpy as np
    from PIL import Image, ImageDraw

    from core import annotate

    box = face.face.box
    dx, dy = _MARGIN * box.width, _MARGIN * box.height
    region = Box(box.x1 - dx, box.y1 - dy, box.x2 + dx, box.y2 + dy)
    region = region.clip(image.width, image.height)
    left, top, right, bottom = int(region.x1), int(region.y1), round(region.x2), round(region.y2)
    scale = _SIDE / max(right - left, bottom - top, 1)
    size_wh = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    part = Image.fromarray(image.pixels[top:bottom, left:right])
    shown = RgbImage(np.array(part.resize(size_wh, Image.Resampling.LANCZOS)), image.name)

    def x(value: float) -> float:
        return (value - left) * scale

    def y(value: float) -> float:
        return (value - top) * scale

    there = Box(x(box.x1), y(box.y1), x(box.x2), y(box.y2))
    placed = replace(face, face=replace(face.face, box=there, landmarks=None))
    here = replace(analysis, faces=(placed,), width=shown.width, height=shown.height)
    picture = Image.fromarray(annotate(shown, here).pixels)
    draw = ImageDraw.Draw(picture)
    # With a light rim, so that they are seen on any skin.
    points = face.face.landmarks.points if face.face.landmarks is not None else ()
    for across, down in points:
        draw.circle((x(across), y(down)), _DOT, fill=_BLUE, outline=_WHITE)
    return for_screen(RgbImage(np.array(picture), image.name))
