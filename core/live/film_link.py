"""One film's decoder process, from the side of the process that uses it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import numpy as np

from ..errors import ImageTooLarge, ProjectError, UnreadableImage
from ..types import UInt8Array
from .film_limits import FilmLimits, format_duration

_ROOT = str(Path(__file__).resolve().parents[2])
# -I: modules in the working folder or named by the environment must not be loaded instead.
_PROGRAM = (
    f"import sys; sys.path.insert(0, {_ROOT!r}); from core.live.film_process import main; main()"
)
DECODER = (sys.executable, "-I", "-c", _PROGRAM)
"""The command that starts a decoder process; the limits follow as JSON."""

_START_SECONDS = 60
"""Added for the first frame: loading Python, NumPy and FFmpeg takes far longer when it is busy."""
_PIPE_BYTES = 1024**2
_MOST_TEXT = 64 * 1024
_HEAD_BYTES = 12
_DAMAGED_HINT = "Save it as MP4 (H.264) and try again."
_REFUSALS = {kind.__name__: kind for kind in (UnreadableImage, ImageTooLarge)}
# NumPy's own threads would only use memory there.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class _LinkBroken(Exception):
    """The process ended, was too slow, or sent nonsense."""


@dataclasses.dataclass(frozen=True, slots=True)
class LinkFrame:
    """A frame as the process sent it."""

    pixels: UInt8Array
    time_s: float
    done: float


class FilmLink:
    """A process that decodes one film, and the pipe from it; used by one thread.

    Raises UnreadableImage if the file cannot be opened or is not a film, ImageTooLarge if it is
    over a limit, ProjectError if no process can be started.
    """

    def __init__(self, path: Path, limits: FilmLimits) -> None:
        self._limits = limits
        self.problems: list[str] = []
        """What was lost, in sentences; complete after the last frame."""
        self.lost_frames = 0
        with _open_regular_file(path, limits) as film:
            try:
                self._process = subprocess.Popen(
                    [*DECODER, json.dumps(dataclasses.asdict(limits))],
                    stdin=film,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,  # messages of FFmpeg do not help the user
                    env={**os.environ, **_ONE_THREAD},
                    start_new_session=True,  # this process handles Ctrl-C
                )
            except OSError as error:
                raise ProjectError(
                    "The process that decodes films cannot be started.",
                    hint="Free some memory, or run `emotion doctor` to check the installation.",
                ) from error
        self._replies = cast("BufferedReader", self._process.stdout)
        _enlarge_pipe(self._replies)
        try:
            self._open()
        except BaseException:
            self.end()
            raise

    def _open(self) -> None:
        try:
            message, _ = self._receive(self._limits.frame_seconds + _START_SECONDS)
            if "error" in message:
                refusal = _REFUSALS[message["error"]]
                raise refusal(str(message["message"]), hint=str(message["hint"]))
            facts = message["film"]
            self.width, self.height = int(facts["width"]), int(facts["height"])
            self.frames_per_s = float(facts["frames_per_s"])
            length, duration_s = facts["length"], facts["duration_s"]
            self.length = int(length) if length is not None else None
            self.duration_s = float(duration_s) if duration_s is not None else None
            most = self._limits.longest_side_px
            if not (0 < self.width <= most and 0 < self.height <= most):
                raise ValueError("no film has this size")
        except (_LinkBroken, ValueError, KeyError, TypeError) as error:
            late = "took too long and was stopped" if self._late else "made the decoder crash"
            raise UnreadableImage(f"Reading this film {late}.", hint=_DAMAGED_HINT) from error

    def read_frames(self) -> Iterator[LinkFrame]:
        """Yield the frames; if the process fails, those so far were all, and a problem says so."""
        number, last_s = 0, 0.0
        while True:
            try:
                message, pixels = self._receive(self._limits.frame_seconds)
                if "end" in message:
                    self._finish(message["end"])
                    return
                time_s, done = float(message["time_s"]), float(message["done"])
                if message["damaged"] and not self.problems:  # counted at the end
                    self.lost_frames = 1
                    self.problems.append(
                        "The film is damaged: some frames could not be read and are missing."
                    )
                if pixels is None or not (math.isfinite(time_s) and time_s >= last_s):
                    raise ValueError("no frame is like this")
            except (_LinkBroken, ValueError, KeyError, TypeError):
                self.lost_frames += 1
                why = "took too long" if self._late else "made the decoder crash"
                self.problems.append(f"What follows frame {number} {why} and is missing.")
                return
            number, last_s = number + 1, time_s
            yield LinkFrame(pixels, time_s, min(1.0, max(0.0, done)))

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._replies.close()

    def _finish(self, end: dict[str, Any]) -> None:
        self.lost_frames, total = int(end["frames"]), int(end["of"])
        self.problems.clear()
        if self.lost_frames:
            self.problems.append(
                f"The film is damaged: {self.lost_frames} of about {total} frames could not be "
                "read and are missing."
            )
        if end["too_long"]:
            longest = format_duration(self._limits.max_seconds)
            self.problems.append(f"Only the first {longest} were read.")

    def _receive(self, seconds: float) -> tuple[dict[str, Any], UInt8Array | None]:
        """Return the next message after checking it: hostile bytes may have made it."""
        self._late = False
        timer = threading.Timer(seconds, self._kill_late)
        timer.daemon = True
        timer.start()
        try:
            head = self._read_exactly(_HEAD_BYTES)
            text_bytes, pixel_bytes = int.from_bytes(head[:4], "little"), head[4:]
            if text_bytes > _MOST_TEXT:
                raise ValueError("the message is too long")
            message = json.loads(self._read_exactly(text_bytes))
            size = int.from_bytes(pixel_bytes, "little")
            return dict(message), self._receive_pixels(size) if size else None
        except (OSError, AttributeError) as error:
            raise _LinkBroken from error
        finally:
            timer.cancel()

    def _receive_pixels(self, size: int) -> UInt8Array:
        pixels: UInt8Array = np.empty((self.height, self.width, 3), np.uint8)
        if size != pixels.nbytes or self._replies.readinto(pixels.data.cast("B")) != size:
            raise ValueError("the pixels do not fit the film")
        pixels.setflags(write=False)
        return pixels

    def _read_exactly(self, size: int) -> bytes:
        data = self._replies.read(size)
        if len(data) != size:
            raise _LinkBroken
        return data

    def _kill_late(self) -> None:
        self._late = True
        self._process.kill()


@contextlib.contextmanager
def _open_regular_file(path: Path, limits: FilmLimits) -> Iterator[int]:
    """Yield a descriptor of the file; a pipe or a device is refused without waiting for it."""
    try:
        # Opening a pipe would wait for its other end; this flag means nothing for a file.
        descriptor = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        what = getattr(error, "strerror", None) or "the name is not valid"
        raise UnreadableImage(
            "There is no such video file." if missing else f"The file cannot be opened: {what}.",
            hint="Name a video file on this computer; web addresses are not opened.",
        ) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableImage(
                "This is not a file.",
                hint="Name a video file on this computer; web addresses are not opened.",
            )
        if not status.st_size:
            raise UnreadableImage("The file is empty.", hint="Choose a video.")
        if status.st_size > limits.max_bytes:
            raise ImageTooLarge(
                f"The film has {status.st_size / 1024**2:,.1f} MB; at most "
                f"{limits.max_bytes / 1024**2:,.0f} MB are read.",
                hint="Save it smaller, or cut it into parts.",
            )
        yield descriptor
    finally:
        os.close(descriptor)


def _enlarge_pipe(pipe: BufferedReader) -> None:
    with contextlib.suppress(ImportError, AttributeError, OSError):  # only Linux can
        import fcntl

        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
