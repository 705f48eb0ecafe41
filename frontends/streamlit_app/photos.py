"""The photos that a visitor adds, unread."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

MAX_PHOTOS = 40
"""At once; keeps the page and the memory of a visit bounded."""
MAX_BYTES = 200_000_000
"""At once, over all photos."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A file's content and the name its owner gave it."""

    name: str
    data: bytes
    digest: str
    turn: int | None = None
    """Degrees clockwise by which the visitor turned it; None leaves that to the analyzer."""

    @classmethod
    def of(cls, name: str, data: bytes) -> Photo:
        """Return the photo with its digest; takes about 5 ms for 10 MB."""
        return cls(name, data, hashlib.sha256(data).hexdigest())

    @property
    def is_jpeg(self) -> bool:
        """Whether its content is a JPEG, whatever its name says."""
        return self.data.startswith(b"\xff\xd8\xff")

    @property
    def key(self) -> tuple[str, str, int | None]:
        """What tells it apart from all others."""
        return self.name, self.digest, self.turn


def limit_photos(photos: Iterable[Photo]) -> tuple[Photo, ...]:
    """Return the first photos that fit the limits, each one once."""
    distinct = list({photo.key: photo for photo in photos}.values())[:MAX_PHOTOS]
    sizes = accumulate(len(photo.data) for photo in distinct)
    return tuple(photo for photo, size in zip(distinct, sizes, strict=True) if size <= MAX_BYTES)
