"""What the detectors find in a few pictures, drawn side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from core.config import OperatingPoint, Preset, get_settings
from core.detectors import DETECTORS, Detector, build
from core.detectors.tuning import find_tuned_threshold
from core.files import atomic_write
from core.reading.reader import read_in_process
from core.types import RgbImage, UInt8Array

# Okabe and Ito 2008, as in all plots.
_COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115))
_TILE_PX = 330
_CAPTION_PX = 30
_FONT, _FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.5


def show_detectors(
    file: Path,
    *,
    photos: Sequence[Path] = (),
    preset: Preset | str = Preset.BALANCED,
    weights_dir: Path | None = None,
) -> Mapping[str, Mapping[str, int]]:
    """Draw what every detector finds into a PNG; return the number of faces by photo and detector.

    Without ``photos`` those of :func:`load_examples` are shown.
    """
    preset = Preset(preset)
    detectors = {name: _load_tuned(name, preset, weights_dir) for name in DETECTORS}
    pictures = [read_in_process(path) for path in photos] or load_examples()
    counts: dict[str, dict[str, int]] = {}
    tiles = []
    for image in pictures:
        tile, counts[image.name] = _draw_tile(image, detectors)
        tiles.append(tile)
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % min(3, len(tiles)))
    columns = min(3, len(tiles))
    rows = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    sheet = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    atomic_write(file, cv2.imencode(".png", sheet)[1].tobytes())
    return counts


def _load_tuned(name: str, preset: Preset, weights_dir: Path | None) -> Detector:
    return build(
        name,
        get_settings(preset, name),
        threshold=find_tuned_threshold(name, preset, OperatingPoint.BALANCED, weights_dir),
        weights_dir=weights_dir,
    )


def _draw_tile(
    image: RgbImage, detectors: Mapping[str, Detector]
) -> tuple[UInt8Array, dict[str, int]]:
    """Return one photo with all boxes and a caption, and the number of faces by detector."""
    scale = _TILE_PX / max(image.width, image.height)
    size_wh = (round(image.width * scale), round(image.height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    tile = np.full((_TILE_PX + 2 * _CAPTION_PX, _TILE_PX + 10, 3), 255, np.uint8)
    tile[: size_wh[1], : size_wh[0]] = cv2.resize(image.pixels, size_wh, interpolation=method)
    numbers = {}
    left = 4
    _write(tile, image.name, (left, _TILE_PX + 20), (0, 0, 0))
    for index, (name, detector) in enumerate(detectors.items()):
        faces = detector.detect(image)
        numbers[name] = len(faces)
        colour = _COLOURS[index % len(_COLOURS)]
        for face in faces:
            # Shifted, so that boxes in the same place are all visible.
            edges = (face.box.x1, face.box.y1, face.box.x2, face.box.y2)
            x1, y1, x2, y2 = (round(edge * scale) + 2 * index for edge in edges)
            cv2.rectangle(tile, (x1, y1), (x2, y2), colour, 2, cv2.LINE_AA)
        caption = f"{name}: {len(faces)}"
        _write(tile, caption, (left, _TILE_PX + 44), colour)
        left += cv2.getTextSize(caption, _FONT, _FONT_SCALE, 1)[0][0] + 14
    tile[:, _TILE_PX:] = 255
    return np.asarray(tile, dtype=np.uint8), numbers


def _write(
    tile: UInt8Array, text: str, corner: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    cv2.putText(tile, text, corner, _FONT, _FONT_SCALE, colour, 1, cv2.LINE_AA)


def load_examples() -> list[RgbImage]:
    """Return pictures that everybody may show, from installed packages.

    Eileen Collins (NASA) and Grace Hopper (US Navy) are in the public domain, as are the sculpted
    heads, on coins from Pompeii (Brooklyn Museum); the photographer is CC0 (Lav Varshney), the
    cartoon is drawn here.
    """
    from matplotlib.cbook import get_sample_data
    from skimage import data

    astronaut = np.asarray(data.astronaut(), dtype=np.uint8)  # type: ignore[no-untyped-call]
    camera = np.asarray(data.camera(), dtype=np.uint8)  # type: ignore[no-untyped-call]
    photographer = cv2.cvtColor(camera, cv2.COLOR_GRAY2RGB)
    coins = np.asarray(data.coins(), dtype=np.uint8)  # type: ignore[no-untyped-call]
    coins = np.asarray(cv2.cvtColor(coins, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    hopper = read_in_process(Path(str(get_sample_data("grace_hopper.jpg", asfileobj=False)))).pixels
    portraits = [astronaut[20:220, 120:320], hopper[30:330, 110:410]]
    return [
        RgbImage(_make_crowd(portraits, 5, 8, 128), "40 people"),
        RgbImage(np.ascontiguousarray(astronaut[45:195, 165:285]), "a face fills the picture"),
        RgbImage(np.asarray(photographer, dtype=np.uint8), "turned away"),
        RgbImage(np.ascontiguousarray(np.rot90(astronaut)), "sideways"),
        RgbImage(coins, "sculpted heads (coins)"),
        RgbImage(_draw_cartoon(), "a cartoon"),
    ]


def _make_crowd(portraits: Sequence[UInt8Array], rows: int, columns: int, side: int) -> UInt8Array:
    """Return portraits side by side, every other one mirrored, larger towards the front."""
    lines = []
    for row in range(rows):
        size = side * (row + 4) // (rows + 3)
        line = np.full((size, columns * side, 3), 114, np.uint8)
        for column in range(columns):
            face = portraits[(row + column) % len(portraits)]
            face = face[:, ::-1] if column % 2 else face
            shown = cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)
            start = column * side + (side - size) // 2
            line[:, start : start + size] = shown
        lines.append(line)
    return np.asarray(np.vstack(lines), dtype=np.uint8)


def _draw_cartoon() -> UInt8Array:
    canvas = np.full((320, 320, 3), (200, 230, 255), np.uint8)
    cv2.circle(canvas, (160, 160), 110, (255, 220, 60), -1, cv2.LINE_AA)
    for x in (120, 200):
        cv2.circle(canvas, (x, 130), 22, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(canvas, (x, 134), 9, (0, 0, 0), -1, cv2.LINE_AA)
    cv2.ellipse(canvas, (160, 185), (55, 40), 0, 10, 170, (160, 30, 30), 8, cv2.LINE_AA)
    return np.asarray(canvas, dtype=np.uint8)
