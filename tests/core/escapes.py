"""What an attacker would try in a decoder's process; prints the names of what the system let pass.

`python escapes.py FOLDER ADDRESS [BARRIER]`: FOLDER has a file ``photo`` that can be changed,
ADDRESS is the port of a server on this computer, and BARRIER is left out of the confinement.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_IO_URING_SETUP, _PIDFD_OPEN = 425, 434
"""The same number on every processor."""


def list_attempts(folder: Path, port: int) -> dict[str, Callable[[], object]]:
    """Return each attempt by its name; one that the system refuses raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    photo = folder / "photo"

    def call(function: Callable[..., int], *arguments: object) -> None:
        if function(*arguments) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    return {
        "read a file": photo.read_bytes,
        "read a file of the system": lambda: Path("/etc/passwd").read_bytes(),
        "list a folder": lambda: list(folder.iterdir()),
        "change a file": lambda: os.open(photo, os.O_RDWR),
        "empty a file": lambda: os.truncate(photo, 0),
        "create a file": lambda: os.open(folder / "new", os.O_CREAT | os.O_WRONLY),
        "delete a file": photo.unlink,
        "rename a file": lambda: photo.rename(folder / "renamed"),
        "link a file": lambda: (folder / "link").symlink_to(photo),
        "open a file to others": lambda: photo.chmod(0o777),
        "make a folder": (folder / "folder").mkdir,
        "connect": lambda: socket.socket().connect(("127.0.0.1", port)),
        "send a datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
            b"photo", ("127.0.0.1", port)
        ),
        "connect to a local service": lambda: socket.socket(socket.AF_UNIX),
        "fork": lambda: os.fork() or os._exit(0),
        "start a program": lambda: subprocess.Popen(["/bin/true"]),
        "become a program": lambda: os.execv("/bin/true", ["/bin/true"]),
        "signal another process": lambda: os.kill(os.getppid(), 0),
        "trace another process": lambda: call(library.ptrace, 16, os.getppid(), None, None),
        "hold another process": lambda: call(library.syscall, _PIDFD_OPEN, os.getppid(), 0),
        "limit another process": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU),
        "use another way into the kernel": lambda: call(
            library.syscall, _IO_URING_SETUP, 1, ctypes.create_string_buffer(120)
        ),
        "become another user": lambda: os.setuid(0),
        "make a file in memory": lambda: os.memfd_create("program"),
    }


def main() -> None:
    """Confine this process, then make all attempts."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    sys.path.insert(0, str(ROOT))
    from core import confinement

    if "seccomp" in sys.argv[3:]:
        confinement._forbid_calls = lambda: False
    if "Landlock" in sys.argv[3:]:
        confinement._forbid_files = lambda: False
    attempts = list_attempts(folder, port)
    # The system must refuse by itself: with these limits alone, root would get everything back.
    confinement._limit_resources = lambda _limit: None
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    confinement.confine_process(2**30)
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        os.write(1, f"{name}\n".encode())


if __name__ == "__main__":
    main()
