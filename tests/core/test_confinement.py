"""A decoder that was taken over reaches nothing: the system itself refuses."""

from __future__ import annotations

import ctypes
import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core import FilmLimits, IsolatedReader
from core.confinement import Barrier
from core.diagnostics import Status
from core.diagnostics.confinement import check_confinement
from core.live.film_link import FilmLink
from tests.core import escapes
from tests.core.reading.media_files import avif, heic
from tests.core.reading.picture_files import animation, orientation_tag, photo, save
from tests.films import corners, make_film

_FILES = {
    *("read a file", "read a file of the system", "list a folder", "change a file"),
    *("empty a file", "create a file", "delete a file", "rename a file", "link a file"),
    *("make a folder", "connect", "become a program"),
}
"""What Landlock alone refuses."""


def has_landlock() -> bool:
    create_ruleset, version = 444, 1
    if sys.platform != "linux":
        return False
    return ctypes.CDLL(None).syscall(create_ruleset, None, ctypes.c_size_t(0), version) > 0


def has_seccomp() -> bool:
    status = Path("/proc/self/status")
    known = platform.machine() in {"x86_64", "aarch64"}
    return known and status.exists() and "Seccomp:" in status.read_text()


needs_seccomp = pytest.mark.skipif(not has_seccomp(), reason="this system's kernel has no seccomp")
needs_landlock = pytest.mark.skipif(
    not has_landlock(), reason="this system's kernel has no Landlock"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photo").write_bytes(b"a photo")
    (tmp_path / "photo").chmod(0o600)
    return tmp_path


def run_escapes(folder: Path, *without: Barrier) -> set[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, escapes.__file__, folder, server.getsockname()[1], *without]
        run = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False, timeout=60
        )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.splitlines())


@needs_seccomp
def test_confined_process_reaches_nothing(folder):
    assert run_escapes(folder) == set()
    assert [(each.name, each.read_bytes()) for each in folder.iterdir()] == [("photo", b"a photo")]
    assert (folder / "photo").stat().st_mode & 0o777 == 0o600


@needs_seccomp
def test_calls_alone_refuse_everything(folder):
    assert run_escapes(folder, Barrier.LANDLOCK) == set()


@needs_landlock
def test_landlock_alone_refuses_files_and_connections(folder):
    let_pass = run_escapes(folder, Barrier.SECCOMP)
    assert not let_pass & _FILES
    assert "fork" in let_pass  # else the attempts prove nothing


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux confines a process")
def test_every_attempt_would_succeed_without_confinement(folder):
    let_pass = run_escapes(folder, *Barrier)
    assert {"read a file", "create a file", "fork", "start a program"} <= let_pass


@needs_seccomp
def test_decoder_of_photos_is_confined():
    with IsolatedReader() as reader:
        reader.read(save(photo(), "PNG"))
        (link,) = reader._running
        assert read_status(link._process.pid) == ("2", "1", 0)


@needs_seccomp
def test_decoder_of_films_is_confined(tmp_path):
    film = make_film(tmp_path / "film.mp4", [corners()] * 3)
    link = FilmLink(film, FilmLimits())
    try:
        assert read_status(link._process.pid) == ("2", "1", 0)
        assert len(list(link.read_frames())) == 3
    finally:
        link.end()


def test_decoding_imports_nothing_once_everything_is_loaded(tmp_path):
    kinds = {
        "PNG": save(photo(), "PNG"),
        "clear PNG": save(photo().convert("RGBA"), "PNG"),
        "JPEG": save(photo(), "JPEG", exif=orientation_tag(6)),
        "JPEG without end": save(photo(), "JPEG")[:-2],
        "WebP": save(photo(), "WEBP"),
        "TIFF": save(photo(), "TIFF", compression="tiff_lzw"),
        "GIF": animation("GIF"),
        "BMP": save(photo(), "BMP"),
        "HEIC": heic(photo()),
        "AVIF": avif(photo()),
        "damaged": save(photo(), "PNG")[:200],
    }
    for name, content in kinds.items():
        (tmp_path / name).write_bytes(content)
    code = (
        "import sys, pathlib\n"
        "import core.reading.decoder_process\n"
        "from core.errors import InputError\n"
        "from core.reading.decoding import decode, load_decoders\n"
        "from core.reading.formats import identify\n"
        "files = {each.name: each.read_bytes() for each in pathlib.Path(sys.argv[1]).iterdir()}\n"
        "load_decoders()\n"
        "before = set(sys.modules)\n"
        "for name, data in files.items():\n"
        "    try: decode(data, identify(data))\n"
        "    except InputError: assert name == 'damaged', name\n"
        "print(*set(sys.modules) - before)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        cwd=escapes.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == []


def read_status(process: int) -> tuple[str, str, int]:
    """Return a process's kind of seccomp, whether it can gain rights, and its capabilities."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    facts = dict(line.split(":\t", 1) for line in lines)
    return facts["Seccomp"], facts["NoNewPrivs"], int(facts["CapEff"], 16)


@needs_seccomp
def test_doctor_finds_decoders_confined():
    finding = check_confinement()
    assert finding.status is Status.OK
    assert "no file, connection or program" in finding.detail


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("Landlock", "connections and programs are not refused"),
        ("", "the system confines none"),
    ],
)
def test_doctor_says_what_is_not_confined(printed, said):
    finding = check_confinement(f"\nprint({printed!r})")
    assert finding.status is Status.WARNING
    assert said in finding.detail


def test_other_systems_and_processors_get_the_limits_alone():
    code = (
        "import platform, sys; from core import confinement;"
        "platform.machine = lambda: 'riscv64'; confinement._forbid_files = lambda: False;"
        "print(sorted(confinement.confine_process(2**30)))\n"
        "try: open('README.md')\n"
        "except OSError as error: print(error.errno)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=escapes.ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["[]", "24"]  # too many open files


def test_filter_is_for_this_processor_and_has_no_call_that_opens():
    from core.confinement import _AARCH64, _X86_64

    opening = {
        "x86_64": {2, 41, 42, 57, 58, 59, 62, 85, 87, 257, 322, 425, 437},
        "aarch64": {33, 34, 35, 56, 198, 203, 221, 281, 425, 437},
    }
    for machine, numbers in ((_X86_64, opening["x86_64"]), (_AARCH64, opening["aarch64"])):
        assert not numbers & set(machine.allowed)
        assert len(set(machine.allowed)) == len(machine.allowed)
    assert platform.machine() in opening or sys.platform != "linux"
