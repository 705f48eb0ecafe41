"""The live camera of both fronts: the browser's code, and the answers to its messages.

The browser shows its camera itself. Once the last frames are answered it sends those of the next
tenth of a second or more, over a connection of its own (:mod:`.live_socket`). A WebRTC stream would
need aiortc and PyAV, and a relay server for pages opened from another computer.
"""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import (
    FaceAnalysis,
    FaceFollower,
    Frame,
    ImageAnalysis,
    InputError,
    Preset,
    ProjectError,
    RgbImage,
    describe_people,
    explain_doubt,
    format_probability,
)

from .film_view import film_html, read_player_style
from .live_recording import LiveRecording
from .wording import NOT_SURE, format_emotion

if TYPE_CHECKING:
    from core import Analyzer, AnalyzerConfig

LIVE_HELP = (
    "This page shows your camera's picture with a frame and an emotion for every face. Answers are "
    "averaged over about half a second, so that they do not flicker. Your camera's pictures go to "
    "the computer that runs this page and are deleted as soon as they are analyzed. Answers are "
    "kept only if you ask for it. Point the camera only at people who have agreed."
)

_FOLDER = Path(__file__).with_name("camera")
_PREFIX = "data:image/jpeg;base64,"
MAX_FRAMES = 12
"""In a message; the same as ``MAX_FRAMES`` in camera.js."""
MAX_CHARACTERS = 4_000_000
"""Of a message; a frame of 640 px takes about 100,000."""
MAX_FRAME_PIXELS = 1_000_000
"""Of one frame; a page sends 640 px on the longer side. A small file can have many pixels."""
_AT_ONCE = 2
"""Frames decoded at the same time, as many as there are decoders."""
_LATEST_MS = 1e15
"""Beyond every clock; a number in JSON has any length."""
_DARK, _LIGHT = "#000", "#fff"


@dataclass(slots=True)
class Stream:
    """Remember where one visitor's faces were and what they showed, but no frame.

    For one message at a time.
    """

    recording: LiveRecording | None = None
    """The newest session whose answers the visitor wanted to keep."""
    _follower: FaceFollower | None = None
    _run: object = None
    _newest_s: float = -math.inf

    def answer(
        self, frames: Sequence[Frame], run: object, analyzer: Analyzer, *, keep: bool = False
    ) -> tuple[ImageAnalysis, ...]:
        """Return the faces of each frame, tracked from earlier ones; InputError if one is older.

        ``run`` identifies a session, from starting the camera to stopping it; for another one,
        tracking starts again. ``keep`` adds the answers to :attr:`recording`.
        """
        if self._follower is None or run != self._run:
            self._follower, self._run, self._newest_s = FaceFollower(analyzer), run, -math.inf
            if self.recording is not None and not self.recording.is_finished:
                self.recording = None  # its faces have other numbers
        elif self._follower.analyzer is not analyzer:  # other settings; faces keep their numbers
            self._follower = FaceFollower(analyzer, self._follower.tracker)
        for frame in frames:
            if frame.time_s < self._newest_s:
                raise InputError("The page sent old pictures.", hint="Reload the page.")
            self._newest_s = frame.time_s
        answers = self._follower.answer_all(frames)
        if keep:
            if self.recording is None or self.recording.is_finished:
                self.recording = LiveRecording(analyzer.config.reading)
            self.recording.add(frames, answers)
        return answers

    def finish_recording(self) -> LiveRecording | None:
        """Return the recording with its files complete; None if there is none."""
        if self.recording is not None:
            self.recording.finish()
        return self.recording


def make_live_config(chosen: AnalyzerConfig) -> AnalyzerConfig:
    """Return ``chosen`` for a stream: fast, with some of the processor left for the browser."""
    return replace(chosen, preset=Preset.FAST, threads=1)


def read_camera_code(connection: Path) -> tuple[str, str, str]:
    """Return HTML, CSS and JavaScript of the camera, with the script that connects it to a page."""
    html, css, script = (
        (_FOLDER / f"camera.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    # A session that was kept is shown like a film.
    css += read_player_style()
    return html, css, f"{script}\n{connection.read_text(encoding='utf-8')}"


def answer_message(message: object, stream: Stream, analyzer: Analyzer) -> dict[str, Any]:
    """Return what the page draws for the frames of ``message``, in their order.

    A message has ``number``, ``run``, ``keep`` and ``frames``, each with ``at`` in milliseconds and
    ``jpeg`` as a data address. The reply has ``problem`` in place of frames if they cannot be read.
    """
    if not isinstance(message, Mapping):
        return refuse_message(message, "The page sent no picture. Reload it.")
    started = time.perf_counter()
    try:
        frames = _frames(message.get("frames"))
        keep = message.get("keep") is True
        answers = stream.answer(frames, message.get("run"), analyzer, keep=keep)
    except ProjectError as error:
        return refuse_message(message, f"{error.message} {error.hint}".strip())
    milliseconds = 1000 * (time.perf_counter() - started) / len(frames)
    drawn = [
        {
            "at": 1000 * frame.time_s,
            "faces": [_describe(face, frame.image) for face in answer.faces],
        }
        for frame, answer in zip(frames, answers, strict=True)
    ]
    return _make_reply(message, ms=milliseconds, frames=drawn)


def finish_session(message: Mapping[str, Any], stream: Stream, address: str) -> dict[str, Any]:
    """Return the timeline of the session that ``stream`` kept; its files are below ``address``."""
    try:
        recording = stream.finish_recording()
    except ProjectError as error:
        return refuse_message(message, f"{error.message} {error.hint}".strip())
    return _make_reply(message, session=film_html(recording, address) if recording else "")


def refuse_message(message: object, problem: str) -> dict[str, Any]:
    """Return the reply that says why there is no answer."""
    return _make_reply(message if isinstance(message, Mapping) else {}, problem=problem)


def _make_reply(message: Mapping[str, Any], **content: Any) -> dict[str, Any]:
    # Another sender could nest them more deeply than a reply can be.
    known = {
        name: value if isinstance(value := message.get(name), int | float | str) else None
        for name in ("number", "run")
    }
    return {**known, **content}


def _frames(sent: object) -> list[Frame]:
    if not isinstance(sent, Sequence) or isinstance(sent, str) or not sent:
        raise InputError("The page sent no picture.", hint="Reload the page.")
    frames = [each if isinstance(each, Mapping) else {} for each in sent]
    characters = sum(len(str(each.get("jpeg"))) for each in frames)
    if len(frames) > MAX_FRAMES or characters > MAX_CHARACTERS:
        raise InputError("The camera's pictures are too large.", hint="Choose a smaller size.")
    times = [_seconds(each.get("at")) for each in frames]
    with ThreadPoolExecutor(_AT_ONCE) as readers:
        pictures = readers.map(lambda each: _picture(each.get("jpeg")), frames)
        return list(map(Frame, pictures, times))


def _seconds(at: object) -> float:
    usable = isinstance(at, int | float) and not isinstance(at, bool) and abs(at) < _LATEST_MS
    if not usable:
        raise InputError("The page sent a picture without its time.", hint="Reload the page.")
    return at / 1000


def _picture(address: object) -> RgbImage:
    from core import read_image, read_jpeg_size

    if not isinstance(address, str) or not address.startswith(_PREFIX):
        raise InputError("The page sent no picture.", hint="Reload the page.")
    try:
        data = base64.b64decode(address.removeprefix(_PREFIX), validate=True)
    except ValueError as error:
        raise InputError("The page sent a broken picture.", hint="Reload the page.") from error
    width, height = read_jpeg_size(data)
    if width * height > MAX_FRAME_PIXELS:
        raise InputError("The camera's pictures are too large.", hint="Choose a smaller size.")
    return read_image(data, name="camera")


def _describe(face: FaceAnalysis, image: RgbImage) -> dict[str, Any]:
    emotions = face.emotions
    top, probability = emotions.ranked()[0]
    certain = emotions.certain
    word = format_emotion(top) if certain else f"{NOT_SURE} ({top.value}?)"
    label = f"{face.index} · {word} {format_probability(probability)}"
    if len(face.per_model) > 1:
        votes = sum(each.top == top for each in face.per_model.values())
        label += f" · {votes} of {len(face.per_model)}"
    red, green, blue = top.colour
    width, height = image.width, image.height
    box = face.face.box.clip(width, height)
    return {
        "box": [box.x1 / width, box.y1 / height, box.x2 / width, box.y2 / height],
        "label": label,
        "sentence": f"Face {face.index}: {explain_doubt(emotions) or describe_people(emotions)}",
        "certain": certain,
        "colour": f"rgb({red},{green},{blue})",
        # Perceived brightness (ITU-R BT.601); none of the seven colours is near the limit.
        "ink": _DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else _LIGHT,
    }
