"""Faces with their answers, and figures, as HTML that both fronts show."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core import EMOTIONS, Emotion, FaceAnalysis, describe_people, explain_doubt

from . import wording

STYLE_FILE = Path(__file__).with_name("cards.css")
FACE_MARKS_FILE = Path(__file__).with_name("face_marks.js")
"""Marks the face of the card under the pointer, and the card of the face."""

MANY = 8
"""Up to this many faces have a card each; more of them are small tiles below a summary."""
_IN_FULL = 2
"""Up to this many faces, cards show all seven emotions; with more, the less probable ones fold."""
_FEW = 3
"""Emotions that a card shows then."""


def cards_html(faces: Sequence[FaceAnalysis], size_wh: tuple[int, int] | None = None) -> str:
    """Return a card for each face, in order; for many faces a summary and tiles; no face, no text.

    With the picture's ``size_wh`` each card says where its face is, so that a page can mark it.
    """
    if len(faces) > MANY:
        return group_html(faces) + tiles_html(faces, size_wh)
    few = _FEW if len(faces) > _IN_FULL else None
    return str(_macros().face_cards(faces, few, _choose_example(faces), size_wh)) if faces else ""


def group_html(faces: Sequence[FaceAnalysis]) -> str:
    """Return what most faces show, in a sentence and as bars."""
    return str(_macros().group(wording.describe_group(faces), summary_html(faces)))


def tiles_html(faces: Sequence[FaceAnalysis], size_wh: tuple[int, int] | None = None) -> str:
    """Return a small tile for each face, in order, that opens as a card."""
    return str(_macros().face_tiles(faces, _FEW, size_wh)) if faces else ""


def model_cards_html(compared: Sequence[tuple[FaceAnalysis, str, Sequence[Any]]]) -> str:
    """Return a card for each model.

    For each face give whether the networks agree, and title, note and answer of each model.
    """
    example = _choose_example([face for face, _, _ in compared])
    return str(_macros().model_cards(compared, example))


def summary_html(faces: Sequence[FaceAnalysis]) -> str:
    """Return a bar for each of the seven emotions and one for "not sure"; no face, no text."""
    counts = Counter(face.emotions.top if face.emotions.certain else None for face in faces)
    return str(_macros().summary(len(faces), counts, max(counts.values()))) if faces else ""


def table_html(rows: Sequence[dict[str, str]], label: str) -> str:
    """Return the rows as a table; the first value of each is its heading."""
    return str(_macros().table(rows, label))


def crop_data_url(face: FaceAnalysis) -> str:
    """Return what the network saw of the face, as a data address that a page can show."""
    from core import encode_png

    return "data:image/png;base64," + base64.b64encode(encode_png(face.crop)).decode("ascii")


def _locate(face: FaceAnalysis, size_wh: tuple[int, int]) -> str:
    """Return left, top, width and height of the face in percent of the picture."""
    box, (width, height) = face.face.box, size_wh
    parts = box.x1 / width, box.y1 / height, box.width / width, box.height / height
    return " ".join(f"{100 * part:.2f}" for part in parts)


def _choose_example(faces: Sequence[FaceAnalysis]) -> FaceAnalysis:
    return next((face for face in faces if face.emotions.certain), faces[0])


def _macros() -> Any:
    return load_template("cards.html.j2")


@cache
def load_template(name: str) -> Any:
    """Return the macros of a file in the folder `templates`; what they insert is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(
        EMOTIONS=EMOTIONS,
        wording=wording,
        describe_people=describe_people,
        explain_doubt=explain_doubt,
        crop_data_url=crop_data_url,
        css_colour=_css_colour,
        locate=_locate,
    )
    environment.filters["keep_units"] = wording.keep_units
    return environment.get_template(name).module


def _css_colour(emotion: Emotion) -> str:
    return "rgb({},{},{})".format(*emotion.colour)
