"""The versioned document of an answer, the same in every front."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

from ..labels import EMOTIONS
from ..types import EmotionScores, FaceAnalysis, FaceQuality, ImageAnalysis, Landmarks

SCHEMA_VERSION = "2.1"
"""An addition increases the minor number, a change that could break a reader the major one."""

_AWKWARD = re.compile("[\ud800-\udfff\x7f-\x9f\u2028\u2029]")
"""Bytes of a file name that are not UTF-8 (PEP 383), and characters that some readers take for a
line end."""

_EDGES = ("x1", "y1", "x2", "y2")


def document(analysis: ImageAnalysis) -> dict[str, Any]:
    """Return ``analysis`` as plain data for JSON; the same image gives the same document.

    Lengths are pixels of the image as read, upright, after turning it by ``turned`` degrees
    clockwise. Probabilities keep six digits. ``emotions``,
    ``top`` and ``certain`` of a face are of the reading in ``provenance``, ``readings`` has all.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "name": analysis.name,
        "width": analysis.width,
        "height": analysis.height,
        "turned": analysis.turned,
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
        "covered": [str(part) for part in quality.covered],
    }
