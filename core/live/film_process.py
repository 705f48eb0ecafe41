"""The program of a film's decoder process: a film on standard input, frames on standard output.

:mod:`.film_link` starts one for each film. It sends lengths, JSON and raw pixels, so an attacker
who takes this process over through a bug in a decoder can send nothing that would run on the other
side, and once it has started it can open nothing (:mod:`..confinement`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pkgutil
import signal
import struct
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO

import av
import numpy as np

from ..allocator import keep_blocks
from ..confinement import confine_process
from ..errors import InputError
from ..types import UInt8Array
from .film_decoding import FilmDecoder
from .film_limits import FilmLimits

HEAD = struct.Struct("<IQ")
"""Lengths of the JSON and of the pixels, which follow."""


def main() -> None:
    """Send the facts of the film, each of its frames, and what was lost."""
    limits = FilmLimits(**json.loads(sys.argv[1]))
    film = os.fdopen(os.dup(0), "rb", buffering=0)
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nowhere, descriptor)
    _import_whole_decoder()
    keep_blocks()
    confine_process(limits.memory_bytes)
    # The signal has no handler, so the system ends the process even inside C code, and even if
    # nobody waits for the frame any more.
    alarm = getattr(signal, "alarm", lambda _: 0)  # Windows has none
    with contextlib.suppress(BrokenPipeError):  # nobody wants more frames
        _send_film(film, replies, limits, lambda: alarm(2 * limits.frame_seconds))


def _send_film(
    file: BinaryIO, replies: BinaryIO, limits: FilmLimits, set_alarm: Callable[[], object]
) -> None:
    set_alarm()
    try:
        decoder = FilmDecoder(file, limits)
    except InputError as error:
        kind = type(error).__name__
        _send(replies, {"error": kind, "message": error.message, "hint": error.hint})
        return
    _send(replies, {"film": dataclasses.asdict(decoder.facts)})
    for frame in decoder.read_frames():
        message = {"time_s": frame.time_s, "done": frame.done, "damaged": decoder.is_damaged}
        _send(replies, message, frame.pixels)
        set_alarm()
    _send(replies, {"end": dataclasses.asdict(decoder.losses)})


def _send(replies: BinaryIO, message: dict[str, Any], pixels: UInt8Array | None = None) -> None:
    text = json.dumps(message).encode()
    data = memoryview(b"") if pixels is None else np.ascontiguousarray(pixels).data.cast("B")
    for part in (memoryview(HEAD.pack(len(text), len(data)) + text), data):
        rest = part
        while rest:
            rest = rest[replies.write(rest) :]


def _import_whole_decoder() -> None:
    """Import what PyAV would import when it first meets a kind of stream: too late by then."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in {"av.__main__", "av.datasets"}:
            import_module(module.name)
