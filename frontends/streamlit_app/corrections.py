"""What a visitor says of faces whose answer is wrong; kept for the visit alone."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from dataclasses import dataclass, field

from core import CSV_MARK, Box, Emotion, FaceAnalysis, ImageAnalysis, format_csv_line
from frontends.streamlit_app.photos import Photo
from frontends.wording import safe_stem

MOST = 2000
"""In a visit; a face takes about two kilobytes."""
CANT_TELL = "can't tell"
_SAME_FACE_IOU = 0.5
"""Boxes of one face overlap by more, also those of two detectors."""
_COLUMNS = (
    *("photo", "turned", "face", "x1", "y1", "x2", "y2", "answer", "top", "probability"),
    *("correction", "reading", "model", "detector"),
)

_Place = tuple[str, str, int]
"""Name and digest of a photo, and by how much it was turned."""


@dataclass(frozen=True, slots=True)
class _Correction:
    """A face, what was answered, and what the visitor sees; without the photo."""

    box: Box
    label: Emotion | None
    """None if the visitor can't tell either."""
    cells: dict[str, object]
    crop_png: bytes
    """The face as networks learn it: 48 x 48 grey pixels, upright."""


@dataclass(slots=True)
class Corrections:
    """The corrections of one visit, at most :data:`MOST`; a face has one at a time."""

    cleared: int = 0
    """How often all of them were removed."""
    _by_photo: dict[_Place, tuple[_Correction, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self._by_photo.values()))

    def find(self, photo: Photo, analysis: ImageAnalysis, face: FaceAnalysis) -> str | None:
        """Return what the visitor said of a face: an emotion, or that they can't tell, or None.

        Other settings may frame the same face a little differently.
        """
        for each in self._by_photo.get(_locate(photo, analysis), ()):
            if _is_same_face(each.box, face.face.box):
                return CANT_TELL if each.label is None else each.label.value
        return None

    def set(
        self, photo: Photo, analysis: ImageAnalysis, face: FaceAnalysis, said: str | None
    ) -> None:
        """Keep what the visitor said of a face, instead of what was said before; None clears it.

        Nothing is kept beyond the limit.
        """
        from core import encode_png

        place, box = _locate(photo, analysis), face.face.box
        before = self._by_photo.get(place, ())
        others = tuple(each for each in before if not _is_same_face(each.box, box))
        self._by_photo[place] = others
        if said is not None and len(self) < MOST:
            label = None if said == CANT_TELL else Emotion(said)
            cells = _make_cells(photo, analysis, face, said)
            new = _Correction(box, label, cells, encode_png(face.crop))
            self._by_photo[place] = (*others, new)

    def clear(self) -> None:
        """Forget all corrections."""
        self._by_photo = {}
        self.cleared += 1

    def count(self) -> tuple[int, int]:
        """Return how many faces have a label, and of how many the visitor can't tell."""
        labelled = sum(each.label is not None for each in self._list())
        return labelled, len(self) - labelled

    def to_csv(self) -> bytes:
        """Return a row for each correction: photo, box, answer and correction."""
        rows = [_COLUMNS, *([each.cells[name] for name in _COLUMNS] for each in self._list())]
        return (CSV_MARK + "".join(map(format_csv_line, rows))).encode()

    def to_zip(self) -> bytes:
        """Return the labelled faces in folders named by emotion.

        This is what `emotion evaluate` and `emotion train` take.
        """
        buffer = io.BytesIO()
        numbers: Counter[str] = Counter()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for each in self._list():
                if each.label is not None:
                    stem = f"{each.label.value}/{safe_stem(str(each.cells['photo']))}"
                    numbers[stem.casefold()] += 1
                    archive.writestr(f"{stem}.{numbers[stem.casefold()]}.png", each.crop_png)
        return buffer.getvalue()

    def _list(self) -> list[_Correction]:
        return [each for of_photo in list(self._by_photo.values()) for each in of_photo]


def _is_same_face(one: Box, other: Box) -> bool:
    from core import box_iou

    return box_iou(one, other) > _SAME_FACE_IOU


def _locate(photo: Photo, analysis: ImageAnalysis) -> _Place:
    return photo.name, photo.digest, analysis.turned


def _make_cells(
    photo: Photo, analysis: ImageAnalysis, face: FaceAnalysis, said: str
) -> dict[str, object]:
    top, probability = face.emotions.ranked()[0]
    corners = face.face.box
    return {
        "photo": photo.name,
        "turned": analysis.turned,
        "face": face.index,
        **{name: round(getattr(corners, name), 1) for name in ("x1", "y1", "x2", "y2")},
        "answer": top.value if face.emotions.certain else "not sure",
        "top": top.value,
        "probability": round(probability, 4),
        "correction": said,
        "reading": face.reading.value,
        "model": analysis.provenance.model,
        "detector": analysis.provenance.detector,
    }
