"""One decoder process as the process sees it that it works for."""

from __future__ import annotations

import contextlib
import json
import os
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
"""For Python, NumPy and Pillow to load, a fifth of a second, on a computer that is very busy."""
_PIPE_BYTES = 1024**2
"""What a pipe is made to hold where the system can: fewer turns between the two processes."""
_MOST_TEXT = 64 * 1024
_REFUSALS = {kind.__name__: kind for kind in (UnreadableImage, UnsupportedImage, ImageTooLarge)}
# NumPy's own threads would only take memory there.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class DecoderEnded(Exception):
    """The process ended, or said what cannot be, before its answer was complete."""

    def __init__(self, *, was_ready: bool) -> None:
        super().__init__("the decoder process ended")
        self.was_ready = was_ready


class DecoderLate(Exception):
    """The process was ended because its time was up."""


class DecoderLink:
    """A process and the pipes to it; used by one thread at a time. OSError if it cannot start."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a C library's last words are nothing for the user
            env={**os.environ, **_ONE_THREAD},
            start_new_session=True,  # Ctrl-C is for this process to handle
        )
        self._requests = cast("BufferedWriter", self._process.stdin)
        self._replies = cast("BufferedReader", self._process.stdout)
        _make_roomy(self._requests, self._replies)
        self._ready = False
        self.usable = False
        """Whether it can be given another picture."""

    def decode(self, data: bytes, kind: Format, seconds: int) -> tuple[UInt8Array, tuple[str, ...]]:
        """What ``decoding.decode`` gives, and its errors; DecoderEnded and DecoderLate besides."""
        if not self._ready:
            with self._ended_after(_START_SECONDS):
                self._ready = self._replies.read(len(READY)) == READY
        self.usable = False
        with self._ended_after(seconds) as late:
            try:
                # The process watches the clock too, should nobody be left to end it.
                self._requests.write(REQUEST.pack(FORMATS.index(kind), 2 * seconds, len(data)))
                self._requests.write(data)
                self._requests.flush()
                answer = self._answer()
            except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
                if late.is_set():
                    raise DecoderLate from error
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
            with contextlib.suppress(OSError):  # what could not be written any more
                pipe.close()

    def _answer(self) -> InputError | tuple[UInt8Array, tuple[str, ...]]:
        """The process's reply, of which nothing is believed: it met hostile bytes."""
        text_bytes, pixel_bytes = REPLY.unpack(self._exactly(REPLY.size))
        if text_bytes > _MOST_TEXT:
            raise ValueError("that much is never told")
        told = json.loads(self._exactly(text_bytes))
        if "error" in told:
            return _REFUSALS[told["error"]](str(told["message"]), hint=str(told["hint"]))
        height, width, channels = map(int, told["shape"])
        if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE and channels == 3):
            raise ValueError("no picture has that shape")
        pixels: UInt8Array = np.empty((height, width, 3), np.uint8)
        if pixel_bytes != pixels.nbytes:
            raise ValueError("the pixels do not fit the shape")
        if self._replies.readinto(pixels.data.cast("B")) != pixel_bytes:
            raise EOFError
        pixels.setflags(write=False)
        return pixels, tuple(map(str, told["notes"]))

    def _exactly(self, size: int) -> bytes:
        data = self._replies.read(size)
        if len(data) != size:
            raise EOFError
        return data

    @contextlib.contextmanager
    def _ended_after(self, seconds: int) -> Iterator[threading.Event]:
        """End the process if the block takes longer, and tell so; its pipes then end too."""
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


def _make_roomy(*pipes: IOBase) -> None:
    with contextlib.suppress(ImportError, AttributeError, OSError):  # Linux alone can
        import fcntl

        for pipe in pipes:
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
