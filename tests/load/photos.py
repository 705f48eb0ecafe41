"""Photos for many visitors, and the one right answer to each."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageEnhance
from skimage import data

from core import EMOTIONS, Analyzer, ImageAnalysis, read_image
from tests.fakes import picture, png


@dataclass(frozen=True, slots=True)
class Sent:
    """A file, its name, and the answer that its owner must get."""

    name: str
    content: bytes
    right: ImageAnalysis


class Album:
    """Gives every visitor photos of their own; no two of all visitors share a name."""

    def __init__(self, analyzer: Analyzer, pictures: list[bytes]) -> None:
        self._pictures = pictures
        self._right = [analyzer.analyze(read_image(content)) for content in pictures]

    def of(self, visitor: int, count: int) -> Iterator[Sent]:
        """The visitor's photos; the answers to any two in a row differ."""
        for number in range(count):
            # Neighbours, in time or beside one another, send different pictures.
            which = (visitor * 7 + number * 3) % len(self._pictures)
            name = f"visitor {visitor} photo {number}.png"
            right = replace(self._right[which], name=name)
            yield Sent(name, self._pictures[which], right)


def squares(count: int) -> list[bytes]:
    """Pictures for the fake analyzer, each with other faces."""
    combinations = itertools.permutations(EMOTIONS, 3)
    return [png(picture(*faces)) for faces in itertools.islice(combinations, count)]


def portraits(count: int) -> list[bytes]:
    """One to three faces of one portrait, each in another size, place and light."""
    rng = np.random.default_rng(5)
    face = Image.fromarray(data.astronaut()).crop((100, 20, 340, 260))
    made = []
    for number in range(count):
        canvas = Image.new("RGB", (640, 480), tuple(rng.integers(60, 200, 3).tolist()))
        for column in range(number % 3 + 1):
            side = int(rng.integers(110, 200))
            lit = ImageEnhance.Brightness(face.resize((side, side))).enhance(rng.uniform(0.5, 1.1))
            canvas.paste(lit, (column * 210, int(rng.integers(0, 480 - side))))
        file = io.BytesIO()
        canvas.save(file, "JPEG", quality=92)
        made.append(file.getvalue())
    return made
