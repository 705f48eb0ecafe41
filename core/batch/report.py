"""One HTML file that tells what came out of a batch run; it needs no other file and no network."""

from __future__ import annotations

import base64
import heapq
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ProjectError
from ..files import atomic_file
from ..labels import EMOTIONS
from ..reading.isolation import IsolatedReader
from ..types import Provenance
from .disk_errors import report_disk_errors
from .options import BatchSummary
from .rows import COLUMN_NAMES, Row, Status
from .source import Source

_MOST_FOLDERS = 40
_MOST_LISTED = 60
"""Rows of a list; the rest is in the table."""
_THUMBNAIL_PX = 72
_TEMPLATE = "report.html.j2"


@dataclass(slots=True)
class _Folder:
    """What is counted for the files directly in one folder."""

    name: str
    files: int = 0
    emotions: Counter[str] = field(default_factory=Counter)

    @property
    def faces(self) -> int:
        return self.emotions.total()


def write_report(
    path: Path,
    rows: Iterable[Row],
    summary: BatchSummary,
    provenance: Provenance,
    photos: Source | None = None,
) -> None:
    """Write the report on ``rows``; with ``photos`` it shows the faces it lists.

    The same rows give the same bytes.
    """
    import jinja2

    gathered = _Gathered()
    for row in rows:
        gathered.add(dict(zip(COLUMN_NAMES, row, strict=True)))
    template = (Path(__file__).parent / _TEMPLATE).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["shown"] = shown
    uncertain = gathered.most_uncertain()
    text = environment.from_string(template).render(
        summary=summary,
        provenance=provenance,
        emotions=gathered.emotions,
        folders=gathered.largest_folders(),
        more_folders=max(0, len(gathered.folders) - _MOST_FOLDERS),
        uncertain=uncertain,
        thumbnails=_thumbnails(uncertain, photos) if photos is not None else {},
        failures=gathered.failures,
        errors=gathered.errors.most_common(),
        colours={str(each): "#{:02x}{:02x}{:02x}".format(*each.colour) for each in EMOTIONS},
    )
    with report_disk_errors(path), atomic_file(path) as file:
        file.write(text.encode(errors="backslashreplace"))


class _Gathered:
    """What the report tells, gathered row by row; bounded but for the names of the folders."""

    def __init__(self) -> None:
        self.emotions: Counter[str] = Counter(dict.fromkeys(map(str, EMOTIONS), 0))
        self.folders: dict[str, _Folder] = {}
        self.failures: list[dict[str, Any]] = []
        self.errors: Counter[str] = Counter()
        self._uncertain: list[tuple[float, int, dict[str, Any]]] = []
        self._count = 0

    def add(self, row: dict[str, Any]) -> None:
        """Take one row of the table."""
        name = row["path"].rpartition("/")[0]
        folder = self.folders.setdefault(name, _Folder(name))
        folder.files += row["face"] in (None, 1)
        if row["status"] == Status.FAILED:
            self.errors[row["message"]] += 1
            if len(self.failures) < _MOST_LISTED:
                self.failures.append(row)
        elif row["status"] == Status.FACE:
            folder.emotions[row["top"]] += 1
            self.emotions[row["top"]] += 1
            if not row["certain"]:
                self._add_uncertain(row)

    def most_uncertain(self) -> list[dict[str, Any]]:
        """The faces whose most probable emotion is least probable, those first."""
        return [row for _, _, row in sorted(self._uncertain, key=lambda each: (-each[0], -each[1]))]

    def largest_folders(self) -> list[_Folder]:
        """The folders with most faces, in the order of their names."""
        largest = sorted(self.folders.values(), key=lambda each: (-each.faces, each.name))
        return sorted(largest[:_MOST_FOLDERS], key=lambda each: each.name)

    def _add_uncertain(self, row: dict[str, Any]) -> None:
        self._count += 1
        # The heap's smallest, which goes first, is the most probable and latest.
        entry = (-float(row[row["top"]]), -self._count, row)
        if len(self._uncertain) < _MOST_LISTED:
            heapq.heappush(self._uncertain, entry)
        else:
            heapq.heappushpop(self._uncertain, entry)


def shown(text: str) -> str:
    r"""``text`` with control and direction characters written as ``\x1b`` or ``\u202e``."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _thumbnails(faces: Iterable[Mapping[str, Any]], photos: Source) -> dict[tuple[str, int], str]:
    """A small picture of each face as a data address; without those that can no longer be read."""
    pictures: dict[tuple[str, int], str] = {}
    with IsolatedReader(1) as reader:
        for row in faces:
            try:
                image = photos.read(row["path"], reader)
            except ProjectError:
                continue
            if (image.width, image.height) == (row["width"], row["height"]):
                pictures[row["path"], row["face"]] = _thumbnail(image.pixels, row)
    return pictures


def _thumbnail(pixels: Any, row: Mapping[str, Any]) -> str:
    from PIL import Image

    # With some room around, as far as the picture goes.
    room = 0.15 * max(row["x2"] - row["x1"], row["y2"] - row["y1"])
    left, top = max(0, int(row["x1"] - room)), max(0, int(row["y1"] - room))
    right, bottom = int(row["x2"] + room) + 1, int(row["y2"] + room) + 1
    face = Image.fromarray(pixels[top:bottom, left:right])
    face.thumbnail((2 * _THUMBNAIL_PX, 2 * _THUMBNAIL_PX))
    data = io.BytesIO()
    face.save(data, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")
