"""The versioned document of an answer, the same in every front."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from ..labels import EMOTIONS
from ..types import EmotionScores, FaceAnalysis, FaceQuality, ImageAnalysis, Landmarks

SCHEMA_VERSION = "2.0"
"""An addition increases the minor number, a change that could break a reader the major one."""

_AWKWARD = re.compile("[\ud800-\udfff\x7f-\x9f\u2028\u2029]")
"""Bytes of a file name that are not UTF-8 (PEP 383), and characters that some readers take for a
line end."""

_EDGES = ("x1", "y1", "x2", "y2")
CSV_COLUMNS = (
    *("name", "width", "height", "faces", "face", *_EDGES, "score", "top", "certain"),
    *(*EMOTIONS, "quality", "notes", "model", "agreement", "per_model"),
)


def document(analysis: ImageAnalysis) -> dict[str, Any]:
    """Return ``analysis`` as plain data for JSON; the same image gives the same document.

    Lengths are pixels of the image as read, upright. Probabilities keep six digits. ``emotions``,
    ``top`` and ``certain`` of a face are of the reading in ``provenance``, ``readings`` has all.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "name": analysis.name,
        "width": analysis.width,
        "height": analysis.height,
        "faces": [_export_face(face) for face in analysis.faces],
        "notes": list(analysis.notes),
        "provenance": asdict(analysis.provenance),
    }


def to_json(analysis: ImageAnalysis) -> str:
    """Return the document as indented JSON that ends in a line feed."""
    return dumps(document(analysis))


def dumps(value: Any, *, compact: bool = False) -> str:
    """Return ``value`` as indented JSON with each point on one line, or ``compact`` on one line.

    It ends in a line feed and can always be written as UTF-8. ValueError for NaN.
    """
    text = json.dumps(value, indent=None if compact else 2, ensure_ascii=False, allow_nan=False)
    text = _AWKWARD.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
    # A line feed only separates values: inside a text it is written as \n.
    return re.sub(r"\[\n *(-?[\d.]+),\n *(-?[\d.]+)\n *\]", r"[\1, \2]", text) + "\n"


def make_rows(analysis: ImageAnalysis) -> list[dict[str, Any]]:
    """Return a table's row for each face, or one row for an image without any.

    The values are exactly those of :func:`document`; a missing or None value is an empty cell.
    """
    record = document(analysis)
    shared = {
        "name": record["name"],
        "width": record["width"],
        "height": record["height"],
        "faces": len(record["faces"]),
        "notes": " ".join(record["notes"]) or None,
        "model": record["provenance"]["model"],
    }
    rows = [
        {
            **shared,
            "face": face["index"],
            **face["box"],
            **face["emotions"],
            **{name: face[name] for name in ("score", "top", "certain", "agreement")},
            "quality": " ".join(face["quality"]["reasons"]) or None,
            "per_model": format_network_answers(face_analysis),
        }
        for face, face_analysis in zip(record["faces"], analysis.faces, strict=True)
    ]
    return rows or [shared]


def to_csv(analyses: Iterable[ImageAnalysis]) -> str:
    """Return the rows of :func:`make_rows` as CSV with the columns :data:`CSV_COLUMNS`."""
    rows = itertools.chain.from_iterable(map(make_rows, analyses))
    return "".join(format_csv(CSV_COLUMNS, (map(row.get, CSV_COLUMNS) for row in rows)))


def format_csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield the lines of a CSV file; see :func:`spreadsheet_text` for how text is escaped."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    for row in itertools.chain([columns], rows):
        writer.writerow(map(_format_cell, row))
        yield output.getvalue()
        output.seek(0)
        output.truncate()


def _format_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return spreadsheet_text(value) if isinstance(value, str) else value


def format_network_answers(face: FaceAnalysis) -> str | None:
    """Return each network's answer, such as ``mobilenet_v2 happy 0.98; resnet50 sad 0.51``.

    None for a single network.
    """
    if len(face.per_model) < 2:
        return None
    best = {name: scores.ranked()[0] for name, scores in face.per_model.items()}
    return "; ".join(f"{name} {top} {share:.2f}" for name, (top, share) in best.items())


def spreadsheet_text(text: str) -> str:
    r"""Return ``text`` for a CSV cell, with an apostrophe before a formula.

    Bytes that are not UTF-8 are written as in Python, e.g. ``\udce9``.
    """
    text = text.encode(errors="backslashreplace").decode()
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def _export_face(answer: FaceAnalysis) -> dict[str, Any]:
    return {
        "index": answer.index,
        "box": {name: round(getattr(answer.face.box, name), 1) for name in _EDGES},
        "score": round(answer.face.score, 4),
        "landmarks": _export_landmarks(answer.face.landmarks),
        **_export_scores(answer.emotions),
        "readings": {
            str(reading): _export_scores(scores) for reading, scores in answer.readings.items()
        },
        "per_model": {name: _export_scores(scores) for name, scores in answer.per_model.items()},
        "agreement": str(answer.agreement) if answer.agreement else None,
        "quality": _export_quality(answer.quality),
    }


def _export_landmarks(landmarks: Landmarks | None) -> dict[str, Any] | None:
    if landmarks is None:
        return None
    points = [[round(float(x), 1), round(float(y), 1)] for x, y in landmarks.points]
    return {"scheme": landmarks.scheme, "points": points}


def _export_scores(scores: EmotionScores) -> dict[str, Any]:
    pairs = zip(EMOTIONS, scores.probabilities, strict=True)
    return {
        "emotions": {str(emotion): round(probability, 6) for emotion, probability in pairs},
        "top": str(scores.top),
        "certain": scores.certain,
    }


def _export_quality(quality: FaceQuality) -> dict[str, Any]:
    angles = {"yaw": quality.yaw, "pitch": quality.pitch, "roll": quality.roll}
    return {
        "size_px": round(quality.size_px, 1),
        "sharpness": round(quality.sharpness, 1),
        "brightness": round(quality.brightness, 3),
        "contrast": round(quality.contrast, 3),
        **{name: None if angle is None else round(angle, 1) for name, angle in angles.items()},
        "reasons": list(quality.reasons),
        "unreadable": quality.unreadable,
    }
