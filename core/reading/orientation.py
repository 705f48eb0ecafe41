"""Which way up a picture was taken, wherever its writer noted it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .tag_directories import ORIENTATION, TagDirectories

_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:\s*=\s*[\"']|\s*>)\s*([1-8])\b")
_RAW_PROFILE = "Raw profile type "
"""How ImageMagick and others store EXIF (as "exif" or "APP1") and XMP in a PNG: as hexadecimal
digits in a text, after the profile's name and length."""
_RAW_KINDS = frozenset({"exif", "app1", "xmp"})
_MAX_DIGITS = 1024**2
"""Of a raw profile that are read: EXIF has at most 64 KB, XMP names the orientation early."""


def find_orientation(info: Mapping[Any, Any]) -> int:
    """Return the orientation, 1..8, in what a decoder found beside the pixels; 1 without one.

    EXIF takes precedence over XMP, which many programs forget to change when they turn a picture.
    """
    exif, xmp = info.get("exif"), info.get("xmp")
    found = read_orientation(exif) if isinstance(exif, bytes) else None
    if found is None and isinstance(xmp, bytes):
        # Without the zeros UTF-16 reads like ASCII.
        match = _XMP_ORIENTATION.search(xmp.replace(b"\0", b""))
        found = int(match[1]) if match else None
    return found or 1


def read_orientation(exif: bytes) -> int | None:
    """Return the EXIF orientation, 1..8; None if there is none.

    Files have 0, text and lists in this tag; only one number from 1 to 8 counts.
    """
    try:
        directories = TagDirectories(exif.removeprefix(b"Exif\0\0"))
    except ValueError:
        return None
    tags = directories.iterate_tags(directories.first)
    value = next((tag.integer for tag in tags if tag.number == ORIENTATION), None)
    return value if value is not None and 1 <= value <= 8 else None


def parse_png_text(name: str, text: bytes) -> tuple[str, bytes] | None:
    """Return ("exif" or "xmp", its bytes) from a text of a PNG; None for any other text."""
    if name == "XML:com.adobe.xmp":
        return "xmp", text
    if name.removeprefix(_RAW_PROFILE).lower() not in _RAW_KINDS or _RAW_PROFILE not in name:
        return None
    # A line break, the profile's name, its length, then the digits in lines.
    digits = b"".join(text[:_MAX_DIGITS].split()[2:])
    try:
        profile = bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))
    except ValueError:
        return None
    return ("exif" if profile.startswith((b"Exif\0\0", b"II", b"MM")) else "xmp"), profile
