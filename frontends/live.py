"""The camera as it runs, for both fronts: the browser's part, and what a front answers it.

The browser shows its camera itself and sends a frame whenever the last one was answered, over
the connection that the page has anyway. A WebRTC stream would bring aiortc and PyAV along and
need a relay server as soon as the page is opened from another computer; this needs neither.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import FaceTracker, InputError, ProjectError, RgbImage, TrackedFace

from .wording import emotion_word, percent

if TYPE_CHECKING:
    from core import Analyzer

LIVE_HELP = (
    "The camera's picture with every face framed and named, its answer smoothed over about "
    "a second. Frames go to the computer that runs this page, are answered and forgotten. "
    "Let only people be seen who agreed to it."
)

_FOLDER = Path(__file__).with_name("camera")
_PREFIX = "data:image/jpeg;base64,"
_MOST_CHARACTERS = 2_000_000
"""Of a frame as text; 640 px take about 100,000."""
_DARK, _LIGHT = "#000", "#fff"


def camera_code(connection: Path) -> tuple[str, str, str]:
    """HTML, CSS and JavaScript of the camera, with the script that connects it to a front."""
    html, css, script = (
        (_FOLDER / f"camera.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    return html, css, f"{script}\n{connection.read_text(encoding='utf-8')}"


def answered(frame: object, tracker: FaceTracker, analyzer: Analyzer) -> dict[str, Any]:
    """What the page draws for ``frame``: ``number`` and ``jpeg`` as a data address.

    With ``problem`` in place of faces when the frame cannot be read.
    """
    if not isinstance(frame, Mapping):
        return {"number": None, "problem": "The page sent no picture. Reload it."}
    told = {"number": frame.get("number"), "run": frame.get("run")}
    started = time.perf_counter()
    try:
        image = _picture(frame.get("jpeg"))
        analysis = analyzer.analyze(image)
    except ProjectError as error:
        return {**told, "problem": f"{error.message} {error.hint}".strip()}
    faces = tracker.update(analysis.faces, time.monotonic())
    milliseconds = 1000 * (time.perf_counter() - started)
    return {**told, "ms": milliseconds, "faces": [_drawn(each, image) for each in faces]}


def _picture(address: object) -> RgbImage:
    from core import read_isolated

    if not isinstance(address, str) or not address.startswith(_PREFIX):
        raise InputError("The page sent no picture.", hint="Reload the page.")
    if len(address) > _MOST_CHARACTERS:
        raise InputError("The camera's picture is too large.", hint="Choose a smaller one.")
    try:
        data = base64.b64decode(address.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise InputError("The page sent a broken picture.", hint="Reload the page.") from error
    return read_isolated(data, name="camera")


def _votes(face: TrackedFace) -> str:
    """How many of an ensemble's networks name its emotion; nothing for a single one."""
    if len(face.per_model) < 2:
        return ""
    named = sum(each.top == face.emotions.top for each in face.per_model.values())
    return f" · {named} of {len(face.per_model)}"


def _drawn(face: TrackedFace, image: RgbImage) -> dict[str, Any]:
    top, probability = face.emotions.ranked()[0]
    certain = face.emotions.certain
    word = emotion_word(top) if certain else f"Not sure ({top.value}?)"
    red, green, blue = top.colour
    box = face.box
    return {
        "box": [
            box.x1 / image.width,
            box.y1 / image.height,
            box.x2 / image.width,
            box.y2 / image.height,
        ],
        "label": f"{face.number} · {word} {percent(probability)}{_votes(face)}",
        "certain": certain,
        "colour": f"rgb({red},{green},{blue})",
        # Brightness as eyes weigh it (ITU-R BT.601); between the seven colours no close case.
        "ink": _DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else _LIGHT,
    }
