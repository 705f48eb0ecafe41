"""One decoder process, from the side of the process that uses it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from io import BufferedReader, BufferedWriter, IOBase
from typing import cast

import numpy as np

from ..errors import ImageTooLarge, InputError, UnreadableImage, UnsupportedImage
from ..types import UInt8Array
from .decoder_process import FORMATS, READY, REPLY, REQUEST
from .formats import Format
from .limits import MAX_SIDE

_START_SECONDS = 60
"""For loading Python, NumPy and Pillow: .2 s, and far more on a very busy computer."""
_END_SECONDS = 0.5
"""Between the end of a process's answers and its own."""
_PIPE_BYTES = 1024**2
"""Size of the pipes where the system allows it: fewer switches between the two processes."""
_MOST_TEXT = 64 * 1024
_REFUSALS = {kind.__name__: kind for kind in (UnreadableImage, UnsupportedImage, ImageTooLarge)}
# NumPy's own threads would only use memory there.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class DecoderEnded(Exception):
    """The process ended, or replied with nonsense, before its answer was complete."""

    def __init__(self, *, was_ready: bool) -> None:
        super().__init__("the decoder process ended")
        self.was_ready = was_ready


class DecoderLate(Exception):
    """The process was ended because it took too long; its text is how long."""


class DecoderLink:
    """A process and the pipes to it; used by one thread at a time. OSError if it cannot start."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # messages of a C library do not help the user
            env={**os.environ, **_ONE_THREAD},
            start_new_session=True,  # this process handles Ctrl-C
        )
        self._requests = cast("BufferedWriter", self._process.stdin)
        self._replies = cast("BufferedReader", self._process.stdout)
        _enlarge_pipes(self._requests, self._replies)
        self._ready = False
        self.usable = False
        """Whether it can decode another image."""

    def decode(self, data: bytes, kind: Format, seconds: int) -> tuple[UInt8Array, tuple[str, ...]]:
        """Return what ``decoding.decode`` returns; also raises DecoderEnded and DecoderLate."""
        if not self._ready:
            with self._time_limit(_START_SECONDS):
                self._ready = self._replies.read(len(READY)) == READY
        self.usable = False
        with self._time_limit(seconds) as late:
            try:
                # The process has its own time limit, in case nobody is left to end it.
                self._requests.write(REQUEST.pack(FORMATS.index(kind), 2 * seconds, len(data)))
                self._requests.write(data)
                self._requests.flush()
                answer = self._read_reply()
            except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
                if late.is_set():
                    raise DecoderLate(f"longer than {seconds} seconds") from error
                if self._took_too_much_processor_time():
                    raise DecoderLate("far more time than its picture needs") from error
                raise DecoderEnded(was_ready=self._ready) from error
        self.usable = True
        if isinstance(answer, InputError):
            raise answer
        return answer

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._replies):
            with contextlib.suppress(OSError):  # for data that was not written yet
                pipe.close()

    def _read_reply(self) -> InputError | tuple[UInt8Array, tuple[str, ...]]:
        """Return the process's reply after checking all of it: hostile bytes may have made it."""
        text_bytes, pixel_bytes = REPLY.unpack(self._read_exactly(REPLY.size))
        if text_bytes > _MOST_TEXT:
            raise ValueError("the reply is too long")
        reply = json.loads(self._read_exactly(text_bytes))
        if "error" in reply:
            return _REFUSALS[reply["error"]](str(reply["message"]), hint=str(reply["hint"]))
        height, width, channels = map(int, reply["shape"])
        if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE and channels == 3):
            raise ValueError("no image has this shape")
        pixels: UInt8Array = np.empty((height, width, 3), np.uint8)
        if pixel_bytes != pixels.nbytes:
            raise ValueError("the pixels do not fit the shape")
        if self._replies.readinto(pixels.data.cast("B")) != pixel_bytes:
            raise EOFError
        pixels.setflags(write=False)
        return pixels, tuple(map(str, reply["notes"]))

    def _took_too_much_processor_time(self) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(_END_SECONDS) == -getattr(signal, "SIGPROF", 0)
        return False

    def _read_exactly(self, size: int) -> bytes:
        data = self._replies.read(size)
        if len(data) != size:
            raise EOFError
        return data

    @contextlib.contextmanager
    def _time_limit(self, seconds: int) -> Iterator[threading.Event]:
        """End the process if the block takes longer, and set the event; its pipes then close."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()


def _enlarge_pipes(*pipes: IOBase) -> None:
    with contextlib.suppress(ImportError, AttributeError, OSError):  # only Linux can
        import fcntl

        for pipe in pipes:
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
