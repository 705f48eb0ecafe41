"""Photos for many visitors, with the right answer to each."""

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
class Photo:
    """A photo to send, and the answer that its visitor must get."""

    name: str
    content: bytes
    right: ImageAnalysis


class Album:
    """Photos for every visitor; all names are different."""

    def __init__(self, analyzer: Analyzer, images: list[bytes]) -> None:
        self._images = images
        self._right = [analyzer.analyze(read_image(content)) for content in images]

    def photos_for(self, visitor: int, count: int) -> Iterator[Photo]:
        """Yield the visitor's photos; the answers to any two in a row differ."""
        for number in range(count):
            # Consecutive photos and neighbouring visitors use different images.
            index = (visitor * 7 + number * 3) % len(self._images)
            name = f"visitor {visitor} photo {number}.png"
            right = replace(self._right[index], name=name)
            yield Photo(name, self._images[index], right)


def squares(count: int) -> list[bytes]:
    """Return images for the fake analyzer, each with different faces."""
    combinations = itertools.permutations(EMOTIONS, 3)
    return [png(picture(*faces)) for faces in itertools.islice(combinations, count)]


def portraits(count: int) -> list[bytes]:
    """Return images with one to three copies of a face, varied in size, place and brightness."""
    rng = np.random.default_rng(5)
    face = Image.fromarray(data.astronaut()).crop((100, 20, 340, 260))
    images = []
    for number in range(count):
        canvas = Image.new("RGB", (640, 480), tuple(rng.integers(60, 200, 3).tolist()))
        for column in range(number % 3 + 1):
            side = int(rng.integers(110, 200))
            varied = ImageEnhance.Brightness(face.resize((side, side))).enhance(
                rng.uniform(0.5, 1.1)
            )
            canvas.paste(varied, (column * 210, int(rng.integers(0, 480 - side))))
        file = io.BytesIO()
        canvas.save(file, "JPEG", quality=92)
        images.append(file.getvalue())
    return images
