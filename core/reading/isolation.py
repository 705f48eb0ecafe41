"""Reading untrusted images in separate processes, so that no decoder can crash this process.

A decoder is C code that meets hostile bytes: if one crashes, hangs or asks for all memory, only its
process ends, the file is refused like any damaged one, and the next file gets a new process.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from ..errors import ProjectError, UnreadableImage
from ..types import RgbImage, UInt8Array
from .decoder_link import DecoderEnded, DecoderLate, DecoderLink
from .formats import Format
from .limits import CONCURRENT_DECODES, DECODE_SECONDS, SAVE_AGAIN
from .reader import read_with

_ROOT = str(Path(__file__).resolve().parents[2])
# -I: modules in the working folder or named by the environment must not be loaded instead.
_PROGRAM = (
    f"import sys; sys.path.insert(0, {_ROOT!r}); "
    "from core.reading.decoder_process import main; main()"
)
DECODER = (sys.executable, "-I", "-c", _PROGRAM)
"""The command that starts a decoder process."""
_SHOWING_OLD_MEMORY: frozenset[Format] = frozenset({Format.TIFF})
"""Formats that are decoded by a new process where images have several owners.

With Pillow below 13, a TIFF whose rows are missing shows what was in the memory instead: parts of
the photo that the process decoded before, which may be another visitor's.
"""


class IsolatedReader:
    """Reads images as :func:`read_image` does, with decoder processes of its own.

    Threads may share it; those beyond the number of processes wait. A process is started when
    needed, kept for the next image, and ends with this process or with ``close``. Without
    ``several_owners``, all images are taken to be the same person's: a TIFF is then read faster,
    but a damaged one can show parts of the image before it.
    """

    def __init__(
        self,
        processes: int = CONCURRENT_DECODES,
        *,
        seconds: int = DECODE_SECONDS,
        command: Sequence[str] | None = None,
        several_owners: bool = True,
    ) -> None:
        self._seconds = seconds
        self._needing_new = _SHOWING_OLD_MEMORY if several_owners else frozenset()
        self._command = tuple(command or DECODER)
        self._processes = processes
        self._slots = threading.BoundedSemaphore(processes)
        self._lock = threading.Lock()
        self._idle: list[DecoderLink] = []
        self._running: set[DecoderLink] = set()
        self._closed = False
        self._end_all = weakref.finalize(self, _end_all, self._running)  # at the latest at exit

    def read(self, source: bytes | Path, *, name: str | None = None) -> RgbImage:
        """Read the image in ``source``; see :func:`read_image`.

        Also raises UnreadableImage if the decoder crashed, took longer than ``seconds`` or far more
        processor time than such a picture needs, and ProjectError if no process can be started.
        """
        return read_with(self._decode, source, name=name)

    def prepare(self) -> None:
        """Start a process if there is none, without waiting until it is ready."""
        with self._lock:
            if not self._running and not self._closed:
                self._idle.append(self._start_decoder())

    def renew(self) -> None:
        """Replace the idle processes, which hold freed memory, by one new one."""
        with self._lock:
            for decoder in self._idle:
                self._running.discard(decoder)
                decoder.end()
            self._idle.clear()
        self.prepare()

    def close(self) -> None:
        """End the processes; images that are being read are lost."""
        with self._lock:
            self._closed = True
            self._idle.clear()
            self._end_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _decode(self, data: bytes, kind: Format) -> tuple[UInt8Array, tuple[str, ...]]:
        with self._slots:
            # A process may have been ended from outside, for example while it was idle. An image is
            # blamed only if it also ends a second, new process.
            for fresh in (kind in self._needing_new, True):
                try:
                    with self._borrow(fresh=fresh) as decoder:
                        return decoder.decode(data, kind, self._seconds)
                except DecoderLate as late:
                    what = f"took {late} and was stopped"
                    break
                except DecoderEnded as ended:
                    if fresh and not ended.was_ready:
                        raise decoder_start_error() from ended
                    what = "made the decoder crash"
        raise UnreadableImage(f"Reading this {kind.value} picture {what}.", hint=SAVE_AGAIN)

    @contextlib.contextmanager
    def _borrow(self, *, fresh: bool) -> Iterator[DecoderLink]:
        with self._lock:
            if self._closed:
                raise RuntimeError("the reader is closed")
            if fresh and self._idle and len(self._running) >= self._processes:
                replaced = self._idle.pop()
                self._running.discard(replaced)
                replaced.end()
            decoder = self._start_decoder() if fresh or not self._idle else self._idle.pop()
        try:
            yield decoder
        finally:
            with self._lock:
                if decoder.usable and not self._closed:
                    self._idle.append(decoder)
                else:
                    self._running.discard(decoder)
                    decoder.end()

    def _start_decoder(self) -> DecoderLink:
        try:
            decoder = DecoderLink(self._command)
        except OSError as error:
            raise decoder_start_error() from error
        self._running.add(decoder)
        return decoder


def read_image(source: bytes | Path, *, name: str | None = None) -> RgbImage:
    """Read the image in ``source``: upright, in sRGB, its longer side at most 4096 pixels.

    The file is decoded in another process; at most two are started and kept for the next image.
    ``name`` is what the answer calls it: by default a path's last part, "image" for bytes. Notes
    say whether it was reduced or is the first of several. The content alone decides what the file
    is, and nothing of its metadata is kept.

    Raises UnsupportedImage for a format that is not read, ImageTooLarge over a limit (50 MB,
    50 megapixels, 25 for WebP), UnreadableImage for anything else that is not an image or makes
    the decoder crash or hang, ProjectError where no process can be started, and TypeError for any
    other kind of source.
    """
    return _get_shared_reader(os.getpid()).read(source, name=name)


def warm_up_reader() -> None:
    """Start the process that :func:`read_image` needs, so that the first image waits less."""
    _get_shared_reader(os.getpid()).prepare()


def renew_reader() -> None:
    """Replace the processes of :func:`read_image` by one new one, while a server is idle."""
    _get_shared_reader(os.getpid()).renew()


@functools.cache
def _get_shared_reader(_process: int) -> IsolatedReader:
    # One per process: after a fork the child must not write into its parent's pipes.
    return IsolatedReader()


def decoder_start_error() -> ProjectError:
    """Return the error for a computer that cannot start a decoder process."""
    return ProjectError(
        "The process that decodes pictures cannot be started.",
        hint="Free some memory, or run `emotion doctor` to check the installation.",
    )


def _end_all(running: set[DecoderLink]) -> None:
    for decoder in tuple(running):
        decoder.end()
    running.clear()
