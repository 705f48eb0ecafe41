"""Pictures that `emotion analyze` writes beside its answers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cli import main
from core import Emotion
from tests.fakes import picture, png

pytestmark = pytest.mark.usefixtures("configs")

ONE = png(picture(Emotion.HAPPY))
TWO = png(picture(Emotion.SAD, unsure=[Emotion.FEAR]))


def analyze(*arguments):
    return CliRunner().invoke(main.app, ["analyze", *map(str, arguments)])


def test_annotated_pictures_are_written_and_named_on_stderr(photos, tmp_path):
    out = tmp_path / "new" / "folder"
    result = analyze(photos["one.png"], "--annotate", out, "--format", "json")
    assert json.loads(result.stdout)["name"] == "one.png"
    written = out / "one.annotated.png"
    assert result.stderr == f"Wrote {written}\n"
    with Image.open(written) as file:
        original = picture(Emotion.HAPPY)
        assert file.size == (original.shape[1], original.shape[0])
        assert (np.asarray(file) != original).any()


def test_explained_pictures_are_written(photos, tmp_path):
    assert analyze(photos["one.png"], "--explain", tmp_path / "out").exit_code == 0
    with Image.open(tmp_path / "out" / "one.explained.png") as file:
        assert (np.asarray(file) != picture(Emotion.HAPPY)).any()


def test_pictures_with_blurred_faces_are_written(photos, tmp_path):
    assert analyze(photos["one.png"], "--blur", tmp_path / "out").exit_code == 0
    with Image.open(tmp_path / "out" / "one.blurred.png") as file:
        blurred, original = np.asarray(file), picture(Emotion.HAPPY)
    assert (blurred[15:65, 15:65] != original[15:65, 15:65]).any()
    np.testing.assert_array_equal(blurred[200:], original[200:])


def test_pictures_of_photos_with_the_same_name_do_not_overwrite_each_other(photos, tmp_path):
    other = tmp_path / "other" / "one.png"
    other.parent.mkdir()
    other.write_bytes(TWO)
    out = tmp_path / "out"
    assert analyze(photos["one.png"], other, "--annotate", out).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "one.annotated-2.png",
        "one.annotated.png",
    ]
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert len(set(before.values())) == 2
    analyze(photos["two.png"], photos["one.png"], "--annotate", out)
    assert before.items() <= {path.name: path.read_bytes() for path in out.iterdir()}.items()


def test_very_long_name_can_be_annotated(tmp_path):
    photo = tmp_path / ("ü" * 125 + ".png")  # 254 bytes, as long as names may be
    photo.write_bytes(ONE)
    out = tmp_path / "out"
    assert analyze(photo, "--annotate", out).exit_code == 0
    (written,) = out.iterdir()
    assert written.name == "ü" * 100 + ".annotated.png"


@pytest.mark.parametrize("option", ["--annotate", "--explain", "--blur"])
def test_folder_that_cannot_be_created_is_reported_before_any_work(
    photos, tmp_path, configs, option
):
    file = tmp_path / "file"
    file.write_text("")
    for folder in (file, file / "below"):
        result = analyze(photos["one.png"], option, folder)
        assert result.exit_code == 2
        assert option in result.stderr
        assert str(file) in result.stderr
    assert configs == []


def test_full_disk_is_reported_and_leaves_no_partial_picture(photos, tmp_path, monkeypatch):
    real = type(tmp_path).open

    class FileOnFullDisk:
        """Fails after ten bytes."""

        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_error):
            self.file.close()

        def write(self, data):
            self.file.write(data[:10])
            raise OSError(28, "No space left on device")

    def open_file(path, mode="r", *arguments, **options):
        file = real(path, mode, *arguments, **options)
        return FileOnFullDisk(file) if mode == "xb" else file

    monkeypatch.setattr(type(tmp_path), "open", open_file)
    result = analyze(photos["one.png"], "--annotate", tmp_path / "out")
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert list((tmp_path / "out").iterdir()) == []
