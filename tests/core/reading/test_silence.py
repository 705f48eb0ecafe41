"""Reading prints nothing to the terminal and leaves the process unchanged."""

from __future__ import annotations

import contextlib
import io
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile, TiffImagePlugin

from core.errors import InputError
from core.reading.reader import read_in_process
from core.reading.silence import silence_decoders
from tests.core.reading.picture_files import SHORT, corners, exif, photo, png, save, tiff


def _damaged_tiff() -> bytes:
    content = bytearray(save(photo(), "TIFF", compression="tiff_lzw"))
    content[200:600] = bytes(400)
    return bytes(content)


NOISY: dict[str, Callable[[], bytes]] = {
    "libtiff": _damaged_tiff,
    "cut off TIFF": lambda: save(photo(), "TIFF", compression="jpeg")[:900],
    "log record": lambda: tiff(bytes(100), (4, 4), extra={277: (SHORT, 1, 65535)}),
    "bomb warning": lambda: png(b"", (10_000, 10_000), depth=8, color=0),
    "EXIF warning": lambda: save(corners(), "JPEG", exif=exif((270, (2, 99_999, 7)))),
    "tag warning": lambda: tiff(
        np.asarray(corners()).tobytes(), (24, 16), extra={40_000: (2, 99_999, 7)}
    ),
}


def _try_to_read(content: bytes) -> None:
    try:
        read_in_process(content)
    except InputError:
        return


def test_pillow_or_libtiff_print_messages_for_these_files(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for what, make in NOISY.items():
        caplog.clear()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            with contextlib.suppress(OSError, ValueError, Image.DecompressionBombError):
                Image.open(io.BytesIO(make()), formats=("TIFF", "PNG", "JPEG")).load()
        assert warned or caplog.records or capfd.readouterr().err, what


@pytest.mark.parametrize("what", NOISY)
def test_nothing_reaches_the_terminal(what: str, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        _try_to_read(NOISY[what]())
    written = capfd.readouterr()
    assert written.out + written.err == ""


def test_reading_in_a_new_process_prints_nothing(tmp_path: Path, root: Path) -> None:
    for number, make in enumerate(NOISY.values()):
        (tmp_path / f"{number}.bin").write_bytes(make())
    program = (
        "import sys; from pathlib import Path\n"
        "from core.errors import InputError\n"
        "from core.reading.reader import read_in_process\n"
        "for path in Path(sys.argv[1]).iterdir():\n"
        "    try: read_in_process(path)\n"
        "    except InputError: pass\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "always", "-c", program, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout + run.stderr == ""


def test_pictures_are_read_even_if_warnings_are_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_in_process(NOISY["EXIF warning"]()).width == 24
        assert read_in_process(NOISY["tag warning"]()).width == 24


def test_other_uses_of_pillow_still_warn() -> None:
    _try_to_read(NOISY["tag warning"]())
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        _try_to_read(NOISY["tag warning"]())
        assert warned == []
        Image.open(io.BytesIO(NOISY["tag warning"]())).load()
    assert warned


def test_other_threads_can_warn_while_this_one_reads(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def elsewhere() -> None:
        warnings.warn_explicit("heard", UserWarning, "file.py", 1, module="PIL.Image")
        logging.getLogger(TiffImagePlugin.__name__).error("heard")

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with silence_decoders():
            elsewhere()
            assert (warned, caplog.records) == ([], [])
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
    assert [str(entry.message) for entry in warned] == ["heard"]
    assert [record.message for record in caplog.records] == ["heard"]


def test_only_pillow_is_silenced() -> None:
    with pytest.warns(UserWarning, match="ours"), silence_decoders():
        warnings.warn("ours", UserWarning, stacklevel=1)


def test_libtiff_prints_again_after_the_last_reader(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def decode() -> str:
        with pytest.raises(OSError, match="decoder error"):
            Image.open(io.BytesIO(_damaged_tiff())).load()
        return capfd.readouterr().err

    talk = decode()
    assert talk
    with silence_decoders(libtiff=True):
        with silence_decoders(libtiff=True):
            assert decode() == ""
        assert decode() == ""
    assert decode() == talk


def test_filters_do_not_pile_up() -> None:
    content = save(corners(), "TIFF")

    def installed() -> tuple[int, int]:
        return len(warnings.filters), len(logging.getLogger(TiffImagePlugin.__name__).filters)

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        read_in_process(content)
        before = installed()
        for action in ("error", "ignore", "always", "default") * 3:
            warnings.simplefilter(action)
            read_in_process(content)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                read_in_process(content)
        assert installed()[1] == before[1]
        assert installed()[0] <= before[0] + 3  # the three actions that the test itself added


def test_settings_of_pillow_are_not_changed() -> None:
    before = (
        Image.MAX_IMAGE_PIXELS,
        ImageFile.LOAD_TRUNCATED_IMAGES,
        TiffImagePlugin.READ_LIBTIFF,
    )
    for make in NOISY.values():
        _try_to_read(make())
    assert before == (
        Image.MAX_IMAGE_PIXELS,
        ImageFile.LOAD_TRUNCATED_IMAGES,
        TiffImagePlugin.READ_LIBTIFF,
    )


def test_reading_a_picture_loads_neither_opencv_nor_torch(root: Path) -> None:
    program = (
        "import sys; from core.reading.reader import read_in_process; import core.reading.reader\n"
        "print([name for name in ('cv2', 'torch', 'mediapipe', 'skimage') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
