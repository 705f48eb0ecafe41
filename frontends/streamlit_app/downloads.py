"""What a visitor can save, made when it is asked for."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence

from core import ImageAnalysis, document, dumps, spreadsheet_text, to_csv, to_json
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.workspace import Refusal, Workspace
from frontends.wording import safe_stem

Answered = tuple[Photo, ImageAnalysis]
NotAnswered = tuple[Photo, Refusal]

# Excel takes a CSV file for UTF-8 only when it begins with this mark.
_UTF8_MARK = "\ufeff"


def json_file(analysis: ImageAnalysis) -> bytes:
    """The document, byte for byte what the command line and the API give."""
    return to_json(analysis).encode()


def csv_file(analyses: Sequence[ImageAnalysis]) -> bytes:
    """A row per face, which spreadsheets open with every letter right."""
    return (_UTF8_MARK + to_csv(analyses)).encode()


def json_list(analyses: Iterable[ImageAnalysis]) -> bytes:
    """All documents as one list, as the command line gives it."""
    return dumps([document(each) for each in analyses]).encode()


def refusals_file(refused: Iterable[NotAnswered]) -> bytes:
    """A row for each photo without an answer: why, and what to do."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("name", "reason", "what to do"))
    writer.writerows(
        (spreadsheet_text(photo.name), why.message, why.hint) for photo, why in refused
    )
    return (_UTF8_MARK + table.getvalue()).encode(errors="backslashreplace")


def zip_file(
    answered: Sequence[Answered], memory: Workspace, refused: Sequence[NotAnswered] = ()
) -> bytes:
    """For each photo the document, the picture annotated and blurred, and one table of all.

    A second table tells which photos were ``refused``, if any were.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("emotions.csv", csv_file([analysis for _, analysis in answered]))
        if refused:
            archive.writestr("not_answered.csv", refusals_file(refused))
        for stem, (photo, analysis) in zip(distinct_stems(answered), answered, strict=True):
            archive.writestr(f"{stem}.emotions.json", json_file(analysis))
            archive.writestr(f"{stem}.annotated.png", memory.png(photo, analysis))
            archive.writestr(f"{stem}.blurred.png", memory.blurred_png(photo, analysis))
    return buffer.getvalue()


def distinct_stems(answered: Sequence[Answered]) -> list[str]:
    """A safe file name for each photo; same-named photos are counted on."""
    taken: set[str] = set()
    stems = []
    for photo, _ in answered:
        stem = safe_stem(photo.name)
        number, name = 1, stem
        # Case is ignored because some file systems ignore it.
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        stems.append(name)
    return stems
