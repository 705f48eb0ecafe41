"""Files that a visitor can save, made on request."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, count

from core import (
    CSV_MARK,
    FailedFile,
    ImageAnalysis,
    RgbImage,
    document,
    dumps,
    format_csv_line,
    to_csv,
    to_json,
)
from frontends.streamlit_app.encoding import encode_for_screen, encode_jpeg
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.workspace import ENLARGED, Answer, Refusal, Workspace
from frontends.wording import safe_stem

Answered = tuple[Photo, ImageAnalysis]
NotAnswered = tuple[Photo, Refusal]

Annotate = Callable[..., RgbImage]
"""Draws over a photo as the page does; see :meth:`.workspace.Workspace.annotate`."""
_REPORT_SIDE = 1000
"""Longest side of a picture in a report: sharp on half a page of paper."""


def json_file(analysis: ImageAnalysis) -> bytes:
    """Return the document, the same bytes as from the command line and the API."""
    return to_json(analysis).encode()


def csv_file(results: Iterable[ImageAnalysis | FailedFile]) -> bytes:
    """Return a row per face, encoded so that spreadsheets show every letter correctly."""
    return to_csv(results).encode()


def csv_of_all(answers: Iterable[tuple[Photo, Answer]]) -> bytes:
    """Return the table of all photos in their order, also of those that could not be read."""
    return csv_file(_as_results(answers))


def _as_results(answers: Iterable[tuple[Photo, Answer]]) -> list[ImageAnalysis | FailedFile]:
    return [
        FailedFile(photo.name, answer.error, answer.message)
        if isinstance(answer, Refusal)
        else answer
        for photo, answer in answers
    ]


def json_list(analyses: Iterable[ImageAnalysis]) -> bytes:
    """Return all documents as one list, as the command line gives it."""
    return dumps([document(each) for each in analyses]).encode()


def refusals_file(refused: Iterable[NotAnswered]) -> bytes:
    """Return a row for each photo without an answer: why, and what to do."""
    lines = [("name", "reason", "what to do")]
    lines += [(photo.name, why.message, why.hint) for photo, why in refused]
    return (CSV_MARK + "".join(map(format_csv_line, lines))).encode()


def report_file(answers: Sequence[tuple[Photo, Answer]], annotate: Annotate) -> bytes:
    """Return a page to print: what was found in all photos, and each with its faces framed."""
    from core import make_photo_report

    def draw(place: int) -> bytes:
        photo, analysis = answers[place]
        assert isinstance(analysis, ImageAnalysis)  # noqa: S101 - only those have a picture
        return encode_for_screen(annotate(photo, analysis, enlarged=ENLARGED), _REPORT_SIDE)

    return make_photo_report(_as_results(answers), draw)


def zip_file(
    answers: Sequence[tuple[Photo, Answer]], memory: Workspace, annotate: Annotate | None = None
) -> bytes:
    """Return a table of all photos, and for each its document, annotated and blurred picture.

    ``annotate`` draws as the page does. The pictures of a JPEG are JPEGs, those of others PNGs. A
    second table says what to do about photos that could not be read, if there are any.
    """
    from core import encode_png

    annotate = annotate or memory.annotate
    answered = [(photo, each) for photo, each in answers if isinstance(each, ImageAnalysis)]
    refused = [(photo, each) for photo, each in answers if isinstance(each, Refusal)]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("emotions.csv", csv_of_all(answers))
        if refused:
            archive.writestr("not_answered.csv", refusals_file(refused))
        for stem, (photo, analysis) in zip(distinct_stems(answered), answered, strict=True):
            archive.writestr(f"{stem}.emotions.json", json_file(analysis))
            ending, encode = ("jpg", encode_jpeg) if photo.is_jpeg else ("png", encode_png)
            archive.writestr(f"{stem}.annotated.{ending}", encode(annotate(photo, analysis)))
            archive.writestr(f"{stem}.blurred.{ending}", encode(memory.blur(photo, analysis)))
    return buffer.getvalue()


def distinct_stems(answered: Sequence[Answered]) -> list[str]:
    """Return a safe file name for each photo; photos with the same name get a number."""
    stems: dict[str, str] = {}  # keys ignore case because some file systems do
    for photo, _ in answered:
        stem = safe_stem(photo.name)
        names = chain([stem], (f"{stem}-{number}" for number in count(2)))
        name = next(name for name in names if name.casefold() not in stems)
        stems[name.casefold()] = name
    return list(stems.values())
