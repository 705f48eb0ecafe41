"""Pictures decoded in other processes: the same answers, and nothing lost when one of them dies."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import (
    MAX_FILE_BYTES,
    ImageTooLarge,
    InputError,
    IsolatedReader,
    ProjectError,
    RgbImage,
    UnreadableImage,
    read_image,
    warm_up_reader,
)
from core.reading.reader import read_in_process
from tests.core.reading.faulty_decoder import COMMAND, with_fault
from tests.core.reading.media_files import avif, heic
from tests.core.reading.picture_files import (
    animation,
    corners,
    jpeg_of_size,
    orientation_tag,
    photo,
    save,
    tiff,
)

PNG = save(photo(), "PNG")
LONG_S = 120
"""A limit that no test reaches."""


@pytest.fixture(scope="module")
def reader() -> Iterator[IsolatedReader]:
    with IsolatedReader() as shared:
        yield shared


@pytest.fixture
def faulty() -> Iterator[IsolatedReader]:
    """A reader whose decoder fails where the picture asks for it."""
    with IsolatedReader(command=COMMAND, seconds=LONG_S) as shared:
        yield shared


def read_outcome(read: Callable[[], RgbImage]) -> object:
    """Return a reader's result for a file: the image or the error."""
    try:
        image = read()
    except InputError as refusal:
        return type(refusal), refusal.message, refusal.hint
    return image.pixels.shape, image.pixels.tobytes(), image.name, image.notes


def processes(reader: IsolatedReader) -> list[int]:
    return [link._process.pid for link in reader._running]


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


FILES: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello",
    "unsupported": b"%PDF-1.7",
    "PNG": PNG,
    "JPEG": save(photo(), "JPEG"),
    "sideways": save(photo(), "JPEG", exif=orientation_tag(6)),
    "WebP": save(photo(), "WEBP"),
    "TIFF": save(photo(), "TIFF", compression="tiff_lzw"),
    "GIF": animation("GIF"),
    "BMP": save(corners(), "BMP"),
    "one pixel": save(photo(1, 1), "PNG"),
    "reduced": save(Image.new("L", (5000, 40)), "PNG"),
    "cut off": PNG[:300],
    "bomb": jpeg_of_size(60_000, 60_000),
    "too many bytes": PNG + bytes(MAX_FILE_BYTES),
}


@pytest.mark.parametrize("what", FILES)
def test_isolated_reader_gives_the_same_bytes_as_the_reader(
    reader: IsolatedReader, what: str
) -> None:
    assert read_outcome(lambda: reader.read(FILES[what])) == read_outcome(
        lambda: read_in_process(FILES[what])
    )


def test_files_on_disk_give_the_same_result(reader: IsolatedReader, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(PNG)
    for path in (tmp_path / "photo.jpg", tmp_path, tmp_path / "absent.png"):
        for name in (None, "holiday.png"):
            again = read_outcome(lambda path=path, name=name: reader.read(path, name=name))
            assert again == read_outcome(
                lambda path=path, name=name: read_in_process(path, name=name)
            )


def test_pixels_cannot_be_written_to(reader: IsolatedReader) -> None:
    assert not reader.read(PNG).pixels.flags.writeable


@pytest.mark.data
def test_whole_corpus_gives_the_same_results(shared_dir: Path) -> None:
    with (
        zipfile.ZipFile(shared_dir / "image_intake" / "corpus.zip") as corpus,
        IsolatedReader(several_owners=False) as reader,
    ):
        files = [name for name in corpus.namelist() if not name.endswith("/")]
        before = None
        for name in files:
            data = corpus.read(name)
            isolated = read_outcome(partial(reader.read, data))
            assert isolated == read_outcome(partial(read_in_process, data)), name
            before = before or processes(reader)
        assert len(files) > 300
        assert processes(reader) == before  # no file took its decoder down


@pytest.mark.parametrize("make", [heic, avif])
def test_crashing_heic_or_avif_decoder_loses_only_that_picture(
    faulty: IsolatedReader, make: Callable[..., bytes]
) -> None:
    content = make(photo())
    with pytest.raises(UnreadableImage, match="made the decoder crash"):
        faulty.read(with_fault(content, "crash"))
    assert faulty.read(content).width == 96


@pytest.mark.parametrize("fault", ["crash", "abort", "kill", "leave_quietly"])
def test_crashing_decoder_loses_only_the_picture_that_crashes_it(
    faulty: IsolatedReader, fault: str
) -> None:
    with pytest.raises(UnreadableImage, match="made the decoder crash") as caught:
        faulty.read(with_fault(PNG, fault))
    assert "save it again" in caught.value.hint
    assert read_outcome(lambda: faulty.read(PNG)) == read_outcome(lambda: read_in_process(PNG))
    assert len(processes(faulty)) == 1


@pytest.mark.parametrize("fault", ["spin", "sleep"])
def test_hanging_decoder_is_stopped_in_time(fault: str) -> None:
    with IsolatedReader(command=COMMAND, seconds=1) as faulty:
        faulty.read(PNG)
        [hanging] = processes(faulty)
        with pytest.raises(UnreadableImage, match="took longer than 1 seconds"):
            faulty.read(with_fault(PNG, fault))
        assert not runs(hanging)
        assert faulty.read(PNG).width == 96


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory")
def test_decoder_cannot_take_all_memory(faulty: IsolatedReader) -> None:
    faulty.read(PNG)
    before = processes(faulty)
    with pytest.raises(ImageTooLarge):
        faulty.read(with_fault(PNG, "hoard"))
    assert faulty.read(PNG).width == 96
    assert processes(faulty) == before


def test_output_of_a_decoder_disturbs_nothing(
    faulty: IsolatedReader, capfd: pytest.CaptureFixture[str]
) -> None:
    assert faulty.read(with_fault(PNG, "chatter")).width == 96
    assert "".join(capfd.readouterr()) == ""


def test_decoder_cannot_write_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTY_DECODER_FILE", str(tmp_path / "stolen"))
    with IsolatedReader(command=COMMAND) as faulty, pytest.raises(UnreadableImage):
        faulty.read(with_fault(PNG, "write_a_file"))
    assert not (tmp_path / "stolen").exists()


def test_process_that_ended_while_idle_loses_no_picture(reader: IsolatedReader) -> None:
    reader.read(PNG)
    for process in processes(reader):
        os.kill(process, signal.SIGKILL)
    assert reader.read(PNG).width == 96


def test_other_pictures_are_read_while_one_hangs() -> None:
    reader = IsolatedReader(2, command=COMMAND, seconds=LONG_S)

    def hang() -> None:
        with contextlib.suppress(RuntimeError):  # closed below
            reader.read(with_fault(PNG, "sleep"))

    stuck = threading.Thread(target=hang)
    with reader, ThreadPoolExecutor(4) as pool:
        stuck.start()
        assert [image.width for image in pool.map(reader.read, [PNG] * 8)] == [96] * 8
        assert stuck.is_alive()
    stuck.join()


def test_threads_share_the_processes_and_get_their_own_answers(reader: IsolatedReader) -> None:
    files = [save(Image.new("RGB", (20 + n, 10), (n, 2 * n, 3 * n)), "PNG") for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        images = list(pool.map(reader.read, files))
    for n, image in enumerate(images):
        assert (image.width, *image.pixels[0, 0]) == (20 + n, n, 2 * n, 3 * n)
    assert len(processes(reader)) <= 2


def test_tiff_with_missing_rows_shows_nothing_of_the_photo_before_it() -> None:
    # Its one strip is a JPEG of 8 rows; Pillow below 13 fills the others with what memory held.
    strip = save(Image.new("L", (1000, 8)), "JPEG")
    crafted = tiff(strip, (1000, 1500), channels=1, compression=7, photometric=1)
    secret = save(Image.new("RGB", (1500, 1500), (171, 205, 239)), "JPEG")
    with IsolatedReader() as reader:
        for _ in range(3):
            reader.read(secret)
            shown = reader.read(crafted).pixels[8:]
            assert np.isin(shown, (171, 205, 239)).mean() < 0.05
            assert len(processes(reader)) <= 2


def test_picture_is_not_blamed_if_the_process_cannot_start(tmp_path: Path) -> None:
    absent, ending = (str(tmp_path / "absent"),), (sys.executable, "-c", "")
    for command in (absent, ending):
        with IsolatedReader(command=command) as reader:
            with pytest.raises(ProjectError, match="cannot be started") as caught:
                reader.read(PNG)
            assert not isinstance(caught.value, InputError)


@pytest.mark.parametrize(
    "lie",
    [
        b'{"shape": [1000000, 1000000, 3], "notes": []}',
        b'{"shape": [2, 2, 3], "notes": []}',
        b'{"shape": [-2, -2, 3], "notes": []}',
        b'{"shape": "large", "notes": []}',
        b'{"error": "SystemExit", "message": "", "hint": ""}',
        b"[]",
        b"\xff\xff",
        b"",
    ],
)
def test_replies_of_a_process_that_was_taken_over_are_not_trusted(lie: bytes) -> None:
    code = (
        "import struct, sys; out = sys.stdout.buffer; out.write(b'ready\\n');"
        f"lie = {lie!r}; out.write(struct.pack('<IQ', len(lie), 5) + lie + b'12345'); out.flush();"
        "sys.stdin.buffer.read()"
    )
    command = (sys.executable, "-c", code)
    with IsolatedReader(command=command) as reader, pytest.raises(UnreadableImage, match="crash"):
        reader.read(PNG)


def test_process_loads_only_the_reader(reader: IsolatedReader) -> None:
    reader.read(PNG)
    loaded = Path(f"/proc/{processes(reader)[0]}/maps")
    if not loaded.exists():
        pytest.skip("needs Linux, which lists what a process has loaded")
    text = loaded.read_text()
    assert "PIL" in text
    for name in ("torch", "cv2", "openvino", "mediapipe", "scipy"):
        assert f"/{name}/" not in text, name


def test_module_in_the_working_folder_is_not_loaded_instead_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "numpy", "PIL", "core"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with IsolatedReader() as reader:
        assert reader.read(PNG).width == 96


def test_closing_ends_the_processes() -> None:
    reader = IsolatedReader()
    reader.read(PNG)
    [process] = processes(reader)
    reader.close()
    assert not runs(process)
    with pytest.raises(RuntimeError, match="closed"):
        reader.read(PNG)


def test_renewing_keeps_one_new_process_and_those_that_are_reading() -> None:
    with IsolatedReader() as reader:
        reader.prepare()
        with reader._borrow(fresh=True):
            [idle] = [link._process.pid for link in reader._idle]
            [busy] = {*processes(reader)} - {idle}
            reader.renew()
            assert processes(reader) == [busy]
            assert not runs(idle)
        reader.renew()
        [new] = processes(reader)
        assert new not in {idle, busy}
        assert not runs(busy)
        assert np.array_equal(reader.read(PNG).pixels, read_in_process(PNG).pixels)


def test_reader_that_is_garbage_collected_leaves_no_process() -> None:
    reader = IsolatedReader()
    reader.read(PNG)
    [process] = processes(reader)
    del reader
    gc.collect()
    assert not runs(process)


PROGRAM = """
import os, sys, threading
from core.reading import isolation
picture = open(sys.argv[1], "rb").read()
isolation.warm_up_reader()
threading.Thread(target=lambda: isolation.read_image(picture), daemon=True).start()
if sys.argv[2] == "exit":
    isolation.read_image(picture)
reader = isolation._get_shared_reader(os.getpid())
print(*[link._process.pid for link in reader._running], flush=True)
if sys.argv[2] == "kill":
    sys.stdin.read()
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("end", ["exit", "kill"])
def test_no_process_outlives_its_owner(root: Path, tmp_path: Path, end: str) -> None:
    (tmp_path / "photo.png").write_bytes(PNG)
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "photo.png"), end],
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == (0 if end == "exit" else -signal.SIGKILL), run.stderr
    assert run.stderr == ""
    left = [int(process) for process in run.stdout.split()]
    assert left
    deadline = time.monotonic() + LONG_S
    while any(map(runs, left)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(runs, left))


def test_shared_reader_keeps_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.reading import isolation

    warm_up_reader()
    shared = isolation._get_shared_reader(os.getpid())
    before = processes(shared)
    assert np.array_equal(read_image(PNG, name="a").pixels, read_in_process(PNG).pixels)
    assert read_image(PNG).name == "image"
    assert processes(shared) == before
    warm_up_reader()
    assert processes(shared) == before
    assert isolation._get_shared_reader(-1) is not shared
