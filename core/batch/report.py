"""The HTML report on a folder or on a few photos: one file that needs no other and no network."""

from __future__ import annotations

import base64
import heapq
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ProjectError
from ..files import atomic_file
from ..labels import EMOTIONS, Reading
from ..output.escaping import escape_controls
from ..output.percent import format_probability
from ..output.table import COLUMN_NAMES, Status
from ..output.words import format_people
from ..reading.isolation import IsolatedReader
from ..types import EmotionScores, Provenance
from .journal import report_resumable_disk_errors
from .options import BatchSummary
from .rows import Row
from .source import Source

_MAX_LISTED = 60
"""Rows in a list; the table has the rest."""
_THUMBNAIL_PX = 72
_TEMPLATE = "report.html.j2"
_COLOURS = {str(emotion): "#{:02x}{:02x}{:02x}".format(*emotion.colour) for emotion in EMOTIONS}
"""CSS background of each emotion."""
_HATCHED = "repeating-linear-gradient(45deg, currentColor 0 2px, transparent 2px 6px)"
"""CSS background of "not sure", which is no emotion; neutral is grey already."""
_LIGHT = 0.18
"""Relative luminance (WCAG 2) from which black has more contrast than white."""


@dataclass(slots=True)
class _Folder:
    """Counts of the files directly in one folder."""

    name: str
    files: int = 0
    emotions: Counter[str] = field(default_factory=Counter)
    uncertain: int = 0

    @property
    def faces(self) -> int:
        return self.emotions.total() + self.uncertain


@dataclass(frozen=True, slots=True)
class PhotoSection:
    """A photo that the report shows."""

    name: str
    faces: tuple[str, ...]
    """What is said of each face."""
    picture: str = ""
    """A data URL."""
    note: str = ""


def write_report(
    path: Path,
    rows: Iterable[Row],
    summary: BatchSummary,
    provenance: Provenance,
    photos: Source | None = None,
) -> None:
    """Write the report on ``rows``; with ``photos`` it shows the faces it lists.

    The same rows always give the same bytes.
    """
    text = render_report(rows, summary, provenance, thumbnails_from=photos)
    with report_resumable_disk_errors(path), atomic_file(path) as file:
        file.write(text)


def render_report(
    rows: Iterable[Row],
    summary: BatchSummary,
    provenance: Provenance,
    *,
    thumbnails_from: Source | None = None,
    photos: Sequence[PhotoSection] = (),
) -> bytes:
    """Return the report on ``rows`` as HTML; with ``photos`` it has these instead of folders."""
    import jinja2

    content = _Content()
    # Of equals the first is kept, so the same rows always give the same report.
    uncertain = heapq.nsmallest(
        _MAX_LISTED, content.add_rows(rows), key=lambda row: row["probability"]
    )
    template = (Path(__file__).parent / _TEMPLATE).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["escape_controls"] = escape_controls
    environment.filters["describe_most_likely"] = describe_most_likely
    text = environment.from_string(template).render(
        summary=summary,
        provenance=provenance,
        by_people=provenance.reading == Reading.PEOPLE,
        emotions=content.emotions,
        folders=sorted(content.folders.values(), key=lambda folder: folder.name),
        photos=photos,
        uncertain=uncertain,
        thumbnails=_make_thumbnails(uncertain, thumbnails_from) if thumbnails_from else {},
        failures=content.failures,
        errors=content.errors.most_common(),
        colours=_COLOURS,
        inks={name: _choose_ink(colour) for name, colour in _COLOURS.items()},
        hatched=_HATCHED,
    )
    return text.encode(errors="backslashreplace")


class _Content:
    """The report's content, collected row by row; only the list of folders grows without limit."""

    def __init__(self) -> None:
        self.emotions: Counter[str] = Counter(dict.fromkeys(_COLOURS, 0))
        self.folders: dict[str, _Folder] = {}
        self.failures: list[dict[str, Any]] = []
        self.errors: Counter[str] = Counter()

    def add_rows(self, rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
        """Add the rows of the table; yield those of "not sure" faces, by column name."""
        for values in rows:
            row = dict(zip(COLUMN_NAMES, values, strict=True))
            name = row["path"].rpartition("/")[0]
            folder = self.folders.setdefault(name, _Folder(name))
            folder.files += row["face"] in (None, 1)
            if row["status"] == Status.FAILED:
                self.errors[row["message"]] += 1
                if len(self.failures) < _MAX_LISTED:
                    self.failures.append(row)
            elif row["status"] == Status.FACE:
                if row["certain"]:
                    folder.emotions[row["answer"]] += 1
                    self.emotions[row["answer"]] += 1
                else:
                    folder.uncertain += 1
                    yield row


def describe_most_likely(row: Mapping[str, Any]) -> str:
    """Return what a face most likely shows: "4 of 10 sad, 3 neutral, 2 fear", or "sad 42 %"."""
    if row["reading"] != Reading.PEOPLE:
        return f"{row['top']} {format_probability(row['probability'])}"
    emotions = EmotionScores(tuple(row[emotion] for emotion in EMOTIONS))
    people, others = format_people(emotions)
    return ", ".join([f"{people} {row['top']}", *others])


def _choose_ink(colour: str) -> str:
    """Return black or white, whichever is easier to read on ``colour``, such as "#d55e00"."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    red, green, blue = linear
    return "#000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _LIGHT else "#fff"


def _make_thumbnails(
    faces: Iterable[Mapping[str, Any]], photos: Source
) -> dict[tuple[str, int], str]:
    """Return a small picture of each face as a data URL, leaving out photos that are gone."""
    thumbnails: dict[tuple[str, int], str] = {}
    with IsolatedReader(1, several_owners=False) as reader:
        for row in faces:
            try:
                image = photos.read(row["path"], reader)
            except ProjectError:
                continue
            if (image.width, image.height) == (row["width"], row["height"]):
                thumbnails[row["path"], row["face"]] = _make_thumbnail(image.pixels, row)
    return thumbnails


def _make_thumbnail(pixels: Any, row: Mapping[str, Any]) -> str:
    from PIL import Image

    # With a margin around the face, as far as the photo goes.
    margin = 0.15 * max(row["x2"] - row["x1"], row["y2"] - row["y1"])
    left, top = max(0, int(row["x1"] - margin)), max(0, int(row["y1"] - margin))
    right, bottom = int(row["x2"] + margin) + 1, int(row["y2"] + margin) + 1
    face = Image.fromarray(pixels[top:bottom, left:right])
    face.thumbnail((2 * _THUMBNAIL_PX, 2 * _THUMBNAIL_PX))
    data = io.BytesIO()
    face.save(data, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")
