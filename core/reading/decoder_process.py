"""The program of a decoder process: bytes in, pixels out.

:mod:`.isolation` starts it and talks to it over standard input and output, in lengths, JSON and raw
pixels: an attacker who takes this process over through a bug in a decoder can send nothing that
would run on the other side, and the process can open nothing (:mod:`..confinement`). It imports the
decoder and none of the networks.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import sys
import time
from collections.abc import Iterator
from typing import Any, BinaryIO

from ..allocator import keep_blocks
from ..confinement import confine_process
from ..errors import InputError
from .decoding import decode, load_decoders
from .formats import Format
from .limits import NoteSize, processor_seconds

READY = b"ready\n"
FORMATS = tuple(Format)
REQUEST = struct.Struct("<BIQ")
"""Index in FORMATS, allowed seconds, length of the file; the file follows."""
REPLY = struct.Struct("<IQ")
"""Lengths of the JSON and of the pixels, which follow."""

_MEMORY_BYTES = 1024**3
"""Added to what the process holds at its start: twice the largest image within the limits."""


def main() -> None:
    """Answer one request after another until standard input ends."""
    requests, replies = _open_channels()
    load_decoders()
    keep_blocks()
    confine_process(_MEMORY_BYTES)
    replies.write(READY)
    replies.flush()
    while head := requests.read(REQUEST.size):
        number, seconds, size = REQUEST.unpack(head)
        data = requests.read(size)
        with _time_limits(seconds) as note_size:
            reply, pixels = _decode(data, FORMATS[number], note_size)
        text = json.dumps(reply).encode()
        replies.write(REPLY.pack(len(text), len(pixels)))
        replies.write(text)
        replies.write(pixels)
        replies.flush()


@contextlib.contextmanager
def _time_limits(seconds: int) -> Iterator[NoteSize]:
    """End this process if the block takes longer, or too much processor time.

    Yields what extends the processor time for an image of the width and height it is called with.
    The signals have no handler, so the system ends the process even inside C code, and even if
    nobody waits for the answer any more.
    """
    if not hasattr(signal, "setitimer"):  # on Windows
        yield lambda *_: None
        return
    started = time.process_time()

    def extend(width: int = 0, height: int = 0) -> None:
        used = time.process_time() - started
        signal.setitimer(signal.ITIMER_PROF, max(0.01, processor_seconds(width, height) - used))

    signal.alarm(seconds)
    extend()
    yield extend
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.alarm(0)


def _decode(data: bytes, kind: Format, note_size: NoteSize) -> tuple[dict[str, Any], memoryview]:
    """Return the reply for JSON, and the pixels."""
    try:
        pixels, notes = decode(data, kind, note_size)
    except InputError as error:
        reply = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
        return reply, memoryview(b"")
    return {"shape": pixels.shape, "notes": notes}, pixels.data.cast("B")


def _open_channels() -> tuple[BinaryIO, BinaryIO]:
    """Return requests and replies; output of the decoder itself is discarded."""
    replies = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    return sys.stdin.buffer, replies
