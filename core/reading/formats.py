"""Identifying a file by its content, never by its name."""

from __future__ import annotations

import codecs
import enum

from ..errors import UnreadableImage, UnsupportedImage
from .media_boxes import find_codec


class Format(enum.Enum):
    """The formats that are read; the value is how people write it."""

    JPEG = "JPEG"  # MPO, the many-picture JPEG of phones, begins and opens as one
    PNG = "PNG"
    WEBP = "WebP"
    BMP = "BMP"
    GIF = "GIF"
    TIFF = "TIFF"
    HEIC = "HEIC"
    AVIF = "AVIF"


READABLE = "JPEG, PNG, HEIC, AVIF, WebP, BMP, GIF and TIFF"
"""All of them, for a sentence."""

_HEAD = 4096
"""Bytes examined; an SVG's licence comment can be long, every other mark is near the start."""
_VIDEO = " video"
_BLANK = b"\xef\xbb\xbf \t\r\n"
"""What may come before text: a byte order mark and white space."""

_Marks = bytes | tuple[bytes, ...]
_SUPPORTED: dict[Format, _Marks] = {
    Format.JPEG: b"\xff\xd8\xff",
    Format.PNG: b"\x89PNG\r\n\x1a\n",
    Format.BMP: b"BM",
    Format.GIF: (b"GIF87a", b"GIF89a"),
    Format.TIFF: (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),  # with a plus: BigTIFF
}

# Offset, bytes or one of several, what a person calls it. The first match wins.
_PICTURES: tuple[tuple[int, _Marks, str], ...] = (
    (0, b"II\xbc\x01", "a JPEG XR picture"),
    (0, (b"IIRO", b"IIRS"), "an Olympus camera raw file"),
    (0, b"IIU\0", "a Panasonic camera raw file"),
    (0, b"FUJIFILMCCD-RAW", "a Fujifilm camera raw file"),
    (0, (b"%!PS", b"%!", b"\xc5\xd0\xd3\xc6"), "an EPS or PostScript drawing"),
    (0, b"%PDF", "a PDF document"),
    (0, b"8BPS", "a Photoshop document (PSD)"),
    (0, b"gimp xcf", "a GIMP document (XCF)"),
    (0, (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"), "a JPEG 2000 picture"),
    (0, (b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a"), "a JPEG XL picture"),
    (0, b"\0\0\1\0", "a Windows icon (ICO)"),
    (0, b"\0\0\2\0", "a Windows cursor (CUR)"),
    (0, b"icns", "an Apple icon (ICNS)"),
    (0, b"/* XPM", "an XPM picture"),
    (0, b"\x01\xda", "an SGI picture"),
    (0, (b"\x0a\x00\x01", b"\x0a\x02\x01", b"\x0a\x03\x01", b"\x0a\x05\x01"), "a PCX picture"),
    (0, (b"BLP1", b"BLP2"), "a BLP game texture"),
    (0, b"DDS ", "a DDS game texture"),
    (4, b"\x11\xaf", "an FLI animation"),
    (4, b"\x12\xaf", "an FLC animation"),
    (0, b"\x80\xe8\0\0", "a Pixar picture"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (0, (b"#?RADIANCE", b"#?RGBE"), "a Radiance HDR picture"),
    (0, b"SIMPLE  =", "a FITS picture"),
    (0, b"\xd7\xcd\xc6\x9a", "a Windows metafile (WMF)"),
    (40, b" EMF", "a Windows metafile (EMF)"),
    (0, b"qoif", "a QOI picture"),
    (0, b"BPG\xfb", "a BPG picture"),
    (0, b"FLIF", "a FLIF picture"),
    (0, b"\x8aMNG", "an MNG animation"),
    (0, b"\x8bJNG", "a JNG picture"),
    (0, b"AT&TFORM", "a DjVu document"),
    (128, b"DICM", "a DICOM medical picture"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (0, b"FLV\x01", "a Flash video"),
    (0, (b"\0\0\1\xba", b"\0\0\1\xb3"), "an MPEG video"),
    (8, b"AVI LIST", "an AVI video"),
    (0, b"push graphic-context", "an MVG drawing"),
    (0, tuple(b"P%d%c" % (n, end) for n in range(1, 8) for end in b" \t\r\n#"), "a PNM picture"),
    (0, tuple(b"P%c%c" % (n, end) for n in b"Ff" for end in b" \r\n"), "a PFM picture"),
)

_OTHERS: tuple[tuple[int, _Marks, str], ...] = (
    (0, b"PK\x03\x04", "a ZIP archive or an office document"),
    (0, b"PK\x05\x06", "an empty ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an XZ archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (0, b"\x04\x22\x4d\x18", "an LZ4 archive"),
    (0, b"xar!", "a XAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"ID3", "an MP3 recording"),
    (0, b"OggS", "an Ogg recording"),
    (0, b"fLaC", "a FLAC recording"),
    (8, b"WAVE", "a WAV recording"),
    (36, b"acsp", "a colour profile (ICC)"),
    (0, (b"\x7fELF", b"MZ"), "a program"),
    (0, b"{\\rtf", "an RTF document"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document"),
    (0, b"<?php", "a PHP script"),
    (0, b"#!", "a script"),
)

# ISO media files name their kind in the first box; HEIF alone has a dozen spellings. Pictures of
# any coding may call themselves "mif1".
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
_CODEC_FORMATS = {b"hvc1": Format.HEIC, b"hev1": Format.HEIC, b"av01": Format.AVIF}
_MEDIA_BRANDS: tuple[tuple[tuple[bytes, ...], str], ...] = (
    ((b"crx ",), "a Canon camera raw file"),
    ((b"qt  ",), "a QuickTime video"),
    ((b"M4A ", b"M4B "), "an MPEG-4 recording"),
)


def identify(data: bytes) -> Format:
    """Return the format of a file's content.

    Raises UnsupportedImage, naming what was found, for images, drawings, documents and videos in
    other formats; UnreadableImage for anything else.
    """
    head = data[:_HEAD]
    if not head:
        raise UnreadableImage("The file is empty.", hint="Choose a photo.")
    supported = _match_supported(head) or _identify_media_picture(data)
    if supported is not None:
        return supported
    picture = (
        _match_prefix(head, _PICTURES)
        or _identify_iso_media(head)
        or _identify_text_picture(head)
        or _identify_targa(data)
    )
    if picture is not None and picture.endswith(_VIDEO):
        raise UnsupportedImage(
            f"This is {picture}, not a photo.",
            hint="Choose a photo; that of a Live Photo is the HEIC or JPEG file beside its film.",
        )
    if picture is not None:
        raise unsupported_error(picture)
    other = _match_prefix(head, _OTHERS) or _identify_text(head)
    raise UnreadableImage(
        f"This is {other}, not a picture."
        if other
        else "This file is not a picture, or it is damaged.",
        hint=f"Choose a photo: {READABLE} can be read.",
    )


def is_video_head(head: bytes) -> bool:
    """Return whether a file that starts like this is a video."""
    if _read_brands(head) & (_HEIF_BRANDS | _AVIF_BRANDS):
        return False  # a picture, although its container is that of videos
    named = _match_prefix(head, _PICTURES) or _identify_iso_media(head)
    return named is not None and named.endswith(_VIDEO)


def unsupported_error(what: str) -> UnsupportedImage:
    """Return the error for a format that is not read; ``what`` includes its article."""
    return UnsupportedImage(
        f"This is {what}, which we can't read.",
        hint=f"Save or export it as JPEG or PNG and try again. {READABLE} can be read.",
    )


def _match_supported(head: bytes) -> Format | None:
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Format.WEBP
    return next((kind for kind, marks in _SUPPORTED.items() if head.startswith(marks)), None)


def _match_prefix(head: bytes, table: tuple[tuple[int, _Marks, str], ...]) -> str | None:
    return next((name for offset, marks, name in table if head.startswith(marks, offset)), None)


def _read_brands(head: bytes) -> set[bytes]:
    """Return what an ISO media file says it is; empty for any other file."""
    if head[4:8] != b"ftyp":
        return set()
    length = int.from_bytes(head[:4], "big")
    compatible = head[16 : min(length, 256)]
    return {head[8:12], *(compatible[i : i + 4] for i in range(0, len(compatible), 4))}


def _identify_media_picture(data: bytes) -> Format | None:
    brands = _read_brands(data[:_HEAD])
    if not brands & (_HEIF_BRANDS | _AVIF_BRANDS):
        return None
    by_codec = _CODEC_FORMATS.get(find_codec(data) or b"")
    # Where the coding cannot be found, the refusal names what the file says it is.
    return by_codec or (Format.AVIF if brands & _AVIF_BRANDS else Format.HEIC)


def _identify_iso_media(head: bytes) -> str | None:
    brands = _read_brands(head)
    if not brands:
        return None
    named = (name for spellings, name in _MEDIA_BRANDS if brands.intersection(spellings))
    return next(named, "an MP4 video")


def _identify_text_picture(head: bytes) -> str | None:
    start = head.lstrip(_BLANK)
    if start.startswith(b"<") and b"<svg" in start.lower():
        return "an SVG drawing"
    if start.startswith((b"#define", b"/*")) and b"_width" in start:
        return "an XBM picture"
    return None


def _identify_targa(data: bytes) -> str | None:
    # The only mark of a TGA file is its footer, and old ones have none.
    return "a TGA picture" if b"TRUEVISION-XFILE" in data[-26:] else None


def _identify_text(head: bytes) -> str | None:
    start = head.lstrip(_BLANK).lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if start.startswith(b"<"):
        return "an XML file"
    try:
        # The head may end in the middle of a character.
        text, _ = codecs.utf_8_decode(head, "strict", len(head) < _HEAD)
    except UnicodeDecodeError:
        return None
    return "a text file" if all(c.isprintable() or c in "\t\r\n\f" for c in text) else None
