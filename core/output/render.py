"""Drawing the answer onto a copy of the image."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..faces.alignment import to_pixel_centres
from ..types import (
    AlignedCrop,
    Box,
    Face,
    FaceAnalysis,
    Float32Array,
    ImageAnalysis,
    RgbImage,
    UInt8Array,
)
from .percent import format_probability
from .tags import Tag, overlaps, place_tags

_DARK = (20, 20, 20)
_LIGHT = (255, 255, 255)
_KEPT, _BELOW = (0, 114, 178), (213, 94, 0)
"""Blue and vermilion of Okabe and Ito's palette, which everyone can tell apart."""
_SMALLER = (1.0, 0.75, 0.55)
"""Sizes of the letters that are tried before a shorter text."""
_LARGEST = 0.4
"""Letters are at most this part of the height of half of the faces, where that can be read."""
_NEAR = 0.5
"""How far a tag can be from its face before a shorter text is tried, in heights of the tag."""
_THINNEST = 1 / 24
"""A frame's line is at most this part of the face's width, so that it hides nothing."""


@dataclass(frozen=True, slots=True)
class _Pen:
    """How labels are written."""

    draw: ImageDraw.ImageDraw
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    stroke: int
    """Line width; a label has twice as much padding around its text."""
    letters: int
    """Size of the letters in pixels."""


def annotate(
    image: RgbImage,
    analysis: ImageAnalysis,
    *,
    landmarks: bool = False,
    frames: bool = True,
    enlarged: float = 1.0,
) -> RgbImage:
    """Return ``image``, turned as for ``analysis``, with every face framed, numbered and named.

    Colour only repeats what number and word say; "not sure" has a dashed frame. Without ``frames``
    only the landmarks are drawn. ``enlarged`` scales lines and letters, for an image that is shown
    small.
    """
    image = image.turn_to(analysis.turned)
    picture = Image.fromarray(image.pixels)
    pen = _make_pen(picture, enlarged)
    for face in analysis.faces:
        emotions = face.emotions
        if frames:
            _draw_frame(pen, face.face.box, emotions.top.colour, dashed=not emotions.certain)
        if landmarks and face.face.landmarks is not None:
            points = face.face.landmarks.points
            # A mesh must not hide the face; five points must be visible.
            radius = max(0.5, pen.stroke / 4 if len(points) > 100 else pen.stroke * 0.75)
            for x, y in points:
                box = (x - radius, y - radius, x + radius, y + radius)
                pen.draw.ellipse(box, fill=_LIGHT)
    if not frames:
        return replace(image, pixels=np.array(picture))
    boxes = [face.face.box for face in analysis.faces]
    texts = [
        [words(face) for face in analysis.faces]
        for words in (format_label, _format_short_label, _format_number)
    ]
    colours = [face.emotions.top.colour for face in analysis.faces]
    _draw_tags(picture, boxes, texts, colours, enlarged)
    return replace(image, pixels=np.array(picture))


def annotate_detections(
    image: RgbImage, faces: Sequence[Face], threshold: float, *, enlarged: float = 1.0
) -> RgbImage:
    """Return ``image`` with a frame and the score of each of ``faces``.

    The frame is dashed, and of another colour, where the score is below ``threshold``.
    """
    picture = Image.fromarray(image.pixels)
    pen = _make_pen(picture, enlarged)
    # The best last, so that nothing covers them.
    faces = sorted(faces, key=lambda face: face.score)
    boxes = [face.box.clip(image.width, image.height) for face in faces]
    colours = [_KEPT if face.score >= threshold else _BELOW for face in faces]
    for face, box, colour in zip(faces, boxes, colours, strict=True):
        _draw_frame(pen, box, colour, dashed=face.score < threshold)
    _draw_tags(picture, boxes, [[format_score(face.score) for face in faces]], colours, enlarged)
    return replace(image, pixels=np.array(picture))


def format_score(score: float) -> str:
    """Return a score with three digits, rounded down: it never seems to reach a higher level."""
    return f"{math.floor(score * 1000) / 1000:.3f}"


def format_label(face: FaceAnalysis) -> str:
    """Return a face's label: number, emotion and probability, or "not sure"."""
    emotion, probability = face.emotions.ranked()[0]
    if face.emotions.certain:
        return f"{face.index}  {emotion} {format_probability(probability)}"
    return f"{face.index}  not sure ({emotion}? {format_probability(probability)})"


def overlay_heatmap(
    image: RgbImage, analysis: ImageAnalysis, maps: Sequence[Float32Array]
) -> RgbImage:
    """Return ``image``, turned as for ``analysis``, under each face's (48, 48) map in 0..1.

    Warmer means more; where a map is 0 the photo stays as it is.
    """
    image = image.turn_to(analysis.turned)
    pixels: UInt8Array = image.pixels.copy()
    for face, heat in zip(analysis.faces, maps, strict=True):
        _blend_heatmap(pixels, face, heat)
    return replace(image, pixels=pixels)


def encode_png(image: RgbImage | AlignedCrop) -> bytes:
    """Encode the image as a PNG file without metadata."""
    buffer = io.BytesIO()
    Image.fromarray(image.pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def _make_pen(picture: Image.Image, enlarged: float) -> _Pen:
    side = enlarged * max(picture.size)
    letters = max(12, round(side / 55))
    font = ImageFont.load_default(size=letters)
    return _Pen(ImageDraw.Draw(picture), font, max(2, round(side / 400)), letters)


def _draw_frame(pen: _Pen, box: Box, colour: tuple[int, int, int], *, dashed: bool) -> None:
    stroke = max(2, min(pen.stroke, round(box.width * _THINNEST)))
    corners = [(box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2)]
    for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
        for part in _split_into_dashes(start, end, 4.0 * stroke) if dashed else [(start, end)]:
            # A dark line underneath keeps the colour visible on any background.
            pen.draw.line(part, fill=_DARK, width=stroke + 2)
            pen.draw.line(part, fill=colour, width=stroke)


def _split_into_dashes(
    start: tuple[float, float], end: tuple[float, float], length: float
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    count = max(1, int(math.dist(start, end) // (2 * length)))
    points = [(x, y) for x, y in np.linspace(start, end, 2 * count + 1).tolist()]
    return list(zip(points[:-1:2], points[1::2], strict=True))


def _draw_tags(
    picture: Image.Image,
    boxes: Sequence[Box],
    texts: Sequence[Sequence[str]],
    colours: Sequence[tuple[int, int, int]],
    enlarged: float,
) -> None:
    """Write the first of ``texts`` that finds room beside each of ``boxes``, the longest first."""
    if not boxes:
        return
    tallest = _LARGEST * float(np.median([box.height for box in boxes]))
    pens = [_make_pen(picture, enlarged * size) for size in _SMALLER]
    pens = [pen for pen in pens if pen.letters <= tallest] or pens[-1:]
    pen, words, tags = _choose_tags(pens, boxes, texts)
    for tag, colour in zip(tags, colours, strict=True):
        if tag is not None and tag.leader is not None:
            pen.draw.line(tag.leader, fill=_DARK, width=pen.stroke + 2)
            pen.draw.line(tag.leader, fill=colour, width=pen.stroke)
    for tag, text, box, colour in zip(tags, words, boxes, colours, strict=True):
        # If there is no room left, a tag at the top of its own box hides least.
        spot = tag.spot if tag is not None else _find_inside_position(pen, text, box)
        _draw_label(pen, colour, text, spot)


def _choose_tags(
    pens: Sequence[_Pen], boxes: Sequence[Box], texts: Sequence[Sequence[str]]
) -> tuple[_Pen, Sequence[str], list[Tag | None]]:
    """Return the pen, the texts and the place of each tag; None for a tag without room."""

    def place(pen: _Pen, words: Sequence[str], reach: float | None) -> list[Tag | None]:
        sizes_wh = [_measure_label(pen, each) for each in words]
        return place_tags(boxes, sizes_wh, pen.draw.im.size, reach=reach)

    last = place(pens[-1], texts[-1], None)
    roomless = [index for index, tag in enumerate(last) if tag is None]
    for words in texts:
        for pen in pens:
            if not _fit_inside(pen, [(words[each], boxes[each]) for each in roomless]):
                continue
            tags = place(pen, words, _NEAR)
            if all(tag or index in roomless for index, tag in enumerate(tags)):
                return pen, words, tags
    return pens[-1], texts[-1], last


def _fit_inside(pen: _Pen, tagged: Sequence[tuple[str, Box]]) -> bool:
    """Return whether tags at the top of their own boxes fit the picture and overlap no other."""
    spots = [_find_inside_position(pen, text, box) for text, box in tagged]
    width = pen.draw.im.size[0]
    return all(spot.width < width for spot in spots) and not any(
        overlaps(one, other) for one, other in combinations(spots, 2)
    )


def _format_short_label(face: FaceAnalysis) -> str:
    return f"{face.index}  {face.emotions.top}{'' if face.emotions.certain else '?'}"


def _format_number(face: FaceAnalysis) -> str:
    return f"{face.index}{'' if face.emotions.certain else '?'}"


def _measure_label(pen: _Pen, text: str) -> tuple[float, float]:
    left, top, right, bottom = pen.draw.textbbox((0, 0), text, font=pen.font)
    return right - left + 4 * pen.stroke, bottom - top + 4 * pen.stroke


def _find_inside_position(pen: _Pen, text: str, box: Box) -> Box:
    """Return the place at the box's top, moved into the image."""
    width, height = _measure_label(pen, text)
    x = min(max(0.0, box.x1), max(0.0, pen.draw.im.size[0] - 1 - width))
    y = min(max(0.0, box.y1), max(0.0, pen.draw.im.size[1] - 1 - height))
    return Box(x, y, x + width, y + height)


def _draw_label(pen: _Pen, colour: tuple[int, int, int], text: str, spot: Box) -> None:
    left, top, _, _ = pen.draw.textbbox((0, 0), text, font=pen.font)
    at = (spot.x1 + 2 * pen.stroke - left, spot.y1 + 2 * pen.stroke - top)
    pen.draw.rectangle((spot.x1, spot.y1, spot.x2, spot.y2), fill=colour, outline=_DARK)
    pen.draw.text(at, text, font=pen.font, fill=_choose_text_colour(colour))


def _choose_text_colour(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return black or white, whichever contrasts more with ``colour`` (WCAG 2 luminance)."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (c / 255 for c in colour)
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return (0, 0, 0) if (luminance + 0.05) ** 2 > 0.05 * 1.05 else _LIGHT


def _blend_heatmap(pixels: UInt8Array, face: FaceAnalysis, heat: Float32Array) -> None:
    height, width = pixels.shape[:2]
    # At the crop's scale: the map's values belong to squares of the crop, not to points.
    inverse = cv2.invertAffineTransform(to_pixel_centres(face.crop.matrix))
    side = heat.shape[0]
    corners = np.array([[-1, -1, 1], [side, -1, 1], [-1, side, 1], [side, side, 1]]) @ inverse.T
    x1, y1 = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, [width, height])
    x2, y2 = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, [width, height])
    if x2 <= x1 or y2 <= y1:
        return
    shifted = np.array(inverse, dtype=np.float64)
    shifted[:, 2] -= np.array([x1, y1], dtype=np.float64)
    strength = cv2.warpAffine(heat, shifted, (int(x2 - x1), int(y2 - y1)), flags=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap(
        (strength * 255).clip(0, 255).astype(np.uint8), cv2.COLORMAP_INFERNO
    )
    alpha = (0.65 * strength.clip(0, 1))[..., None]
    region = pixels[y1:y2, x1:x2]
    region[:] = ((1 - alpha) * region + alpha * colours[..., ::-1]).astype(np.uint8)
