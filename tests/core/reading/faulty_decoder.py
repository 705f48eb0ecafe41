"""A decoder process whose decoder fails as real ones do, where a picture's content asks for it.

`python faulty_decoder.py [SECONDS]`, or as the command of an IsolatedReader; SECONDS is the
processor time that a small picture may take. A fault is named in what follows a picture's end,
which every decoder ignores.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, __file__)


def crash() -> None:
    ctypes.string_at(0)


def abort() -> None:
    os.abort()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def spin() -> None:
    while True:
        pass


def sleep() -> None:
    time.sleep(3600)


def hoard() -> None:
    held = []
    while True:
        held.append(bytes(2**24))


def leave_quietly() -> None:
    os._exit(0)


def chatter() -> None:
    os.write(1, b"decoding, please wait\n" * 100)
    os.write(2, b"warning\n")


def write_a_file() -> None:
    Path(os.environ["FAULTY_DECODER_FILE"]).write_bytes(b"a photo")


FAULTS = {
    function.__name__: function
    for function in (
        crash,
        abort,
        kill,
        spin,
        sleep,
        hoard,
        leave_quietly,
        chatter,
        write_a_file,
    )
}


def with_fault(content: bytes, name: str) -> bytes:
    """Return the picture with a mark that makes the faulty decoder fail that way."""
    assert name in FAULTS
    return content + f"FAULT:{name}".encode()


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    from core.reading import decoding, limits

    if sys.argv[1:]:
        limits._PROCESSOR_SECONDS = float(sys.argv[1])

    def fail_on_request(screen):
        def screen_or_fail(data, kind):
            name = data[-40:].partition(b"FAULT:")[2].decode()
            if name:
                FAULTS[name]()
            return screen(data, kind)

        return screen_or_fail

    decoding.screen = fail_on_request(decoding.screen)
    decoding.screen_media = fail_on_request(decoding.screen_media)
    from core.reading.decoder_process import main

    main()
