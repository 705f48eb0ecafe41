"""The pictures a visitor gives, as they came."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

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

    @classmethod
    def of(cls, name: str, data: bytes) -> Photo:
        """The photo with its digest; takes about 5 ms for 10 MB."""
        return cls(name, data, hashlib.sha256(data).hexdigest())


def limit_photos(photos: Iterable[Photo]) -> tuple[Photo, ...]:
    """The first photos that fit the limits, each one once."""
    kept: dict[tuple[str, str], Photo] = {}
    total = 0
    for photo in photos:
        if (photo.name, photo.digest) in kept:
            continue
        total += len(photo.data)
        if len(kept) == MAX_PHOTOS or total > MAX_BYTES:
            break
        kept[photo.name, photo.digest] = photo
    return tuple(kept.values())
