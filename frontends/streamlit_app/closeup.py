"""Enlarged faces: with their landmarks, or as the network saw them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core import Box, FaceAnalysis, ImageAnalysis, RgbImage
from frontends.streamlit_app.encoding import encode_for_screen

_CROP_SIDE = 192
"""Four times the network's input, so that every pixel of it is visible."""
_DOT = 2
"""Radius of a landmark in pixels of the screen."""
_BLUE, _WHITE = (0, 114, 178), (255, 255, 255)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SIDE = 560
"""Pixels across: a small face is enlarged, so that its landmarks do not overlap."""
_MARGIN = 0.35
"""Of the box, on each side."""


def enlarge_crop(
    analysis: ImageAnalysis, face: FaceAnalysis, heat: NDArray[np.float32] | None = None
) -> bytes:
    """Return ``face`` as the network saw it, enlarged, with ``heat`` laid over it if given."""
    import numpy as np
    from PIL import Image

    from core import overlay_heatmap

    side = face.crop.pixels.shape[0]
    large = Image.fromarray(face.crop.pixels).convert("RGB")
    large = large.resize((_CROP_SIDE, _CROP_SIDE), Image.Resampling.NEAREST)
    shown = RgbImage(np.array(large), analysis.name, turned=analysis.turned)
    if heat is not None:
        matrix = np.array([[side / _CROP_SIDE, 0, 0], [0, side / _CROP_SIDE, 0]], np.float64)
        placed = replace(face, crop=replace(face.crop, matrix=matrix))
        shown = overlay_heatmap(shown, replace(analysis, faces=(placed,)), [heat])
    return encode_for_screen(shown)


def draw_closeup(image: RgbImage, analysis: ImageAnalysis, face: FaceAnalysis) -> bytes:
    """Return the part of ``image`` around ``face`` as a JPEG, with frame, label and landmarks.

    ``image`` is turned as for ``analysis``.
    """
    import numpy as np
    from PIL import Image, ImageDraw

    from core import annotate

    image = image.turn_to(analysis.turned)
    box = face.face.box
    dx, dy = _MARGIN * box.width, _MARGIN * box.height
    region = Box(box.x1 - dx, box.y1 - dy, box.x2 + dx, box.y2 + dy)
    region = region.clip(image.width, image.height)
    left, top, right, bottom = int(region.x1), int(region.y1), round(region.x2), round(region.y2)
    scale = _SIDE / max(right - left, bottom - top, 1)
    size_wh = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    part = Image.fromarray(image.pixels[top:bottom, left:right])
    resized = np.array(part.resize(size_wh, Image.Resampling.LANCZOS))
    shown = RgbImage(resized, image.name, turned=analysis.turned)

    def to_part(x: float, y: float) -> tuple[float, float]:
        return (x - left) * scale, (y - top) * scale

    there = Box(*to_part(box.x1, box.y1), *to_part(box.x2, box.y2))
    placed = replace(face, face=replace(face.face, box=there, landmarks=None))
    here = replace(analysis, faces=(placed,), width=shown.width, height=shown.height)
    picture = Image.fromarray(annotate(shown, here).pixels)
    draw = ImageDraw.Draw(picture)
    # With a light rim, to be visible on any skin.
    points = face.face.landmarks.points if face.face.landmarks is not None else ()
    for point in points:
        draw.circle(to_part(*point), _DOT, fill=_BLUE, outline=_WHITE)
    return encode_for_screen(RgbImage(np.array(picture), image.name))
