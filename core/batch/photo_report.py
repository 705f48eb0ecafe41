"""The HTML report on a few photos, with their pictures."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Sequence

from ..output.table import COLUMN_NAMES, NOT_SURE, FailedFile, Status, make_rows, make_run_cells
from ..output.words import describe_people, explain_doubt
from ..types import FaceAnalysis, ImageAnalysis
from .options import BatchSummary
from .report import PhotoSection, render_report
from .rows import count_rows


def make_photo_report(
    results: Sequence[ImageAnalysis | FailedFile], draw: Callable[[int], bytes]
) -> bytes:
    """Return a page of HTML on ``results``, at least one of which is an answer.

    It needs no other file. ``draw`` returns the picture of a result, by its place, as a JPEG; it is
    called once for each answer.
    """
    provenance = next(each for each in results if isinstance(each, ImageAnalysis)).provenance
    run = make_run_cells(provenance)
    counts: Counter[str] = Counter()
    # As in a batch run, a failed file's row names the run as well.
    cells = ({**run, **row} for result in results for row in make_rows(result))
    rows = list(count_rows((tuple(map(row.get, COLUMN_NAMES)) for row in cells), counts))
    summary = BatchSummary(
        with_faces=counts[Status.FACE],
        without_faces=counts[Status.NO_FACE],
        failed=counts[Status.FAILED],
        faces=counts["faces"],
        uncertain=counts["uncertain"],
        skipped=0,
        already_done=0,
    )
    photos = [_make_section(result, place, draw) for place, result in enumerate(results)]
    return render_report(rows, summary, provenance, photos=photos)


def _make_section(
    result: ImageAnalysis | FailedFile, place: int, draw: Callable[[int], bytes]
) -> PhotoSection:
    if isinstance(result, FailedFile):
        return PhotoSection(result.name, (), note=f"Not read: {result.message}")
    picture = "data:image/jpeg;base64," + base64.b64encode(draw(place)).decode("ascii")
    notes = [*([] if result.faces else ["No face was found."]), *result.notes]
    faces = tuple(map(_describe_face, result.faces))
    return PhotoSection(result.name, faces, picture, " ".join(notes))


def _describe_face(face: FaceAnalysis) -> str:
    emotions = face.emotions
    answer = str(emotions.top) if emotions.certain else NOT_SURE
    return f"{answer.capitalize()}. {explain_doubt(emotions) or describe_people(emotions)}"
