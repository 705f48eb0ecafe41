"""What phones, computers and network storage put beside photos gets no row."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cli.batch import _format_summary
from core import Emotion, UnreadableImage
from core.batch.source import LocalFolder
from core.batch.system_files import Neighbours, Skip, is_system_folder
from core.reading.isolation import IsolatedReader
from tests.core.batch.batch_parts import run
from tests.core.reading.media_files import heic
from tests.core.reading.picture_files import photo
from tests.fakes import picture, png

PHOTO = png(picture(Emotion.HAPPY))
SYSTEM = (
    *("Thumbs.db", "ehthumbs.db", ".DS_Store", "desktop.ini", ".nomedia", ".picasa.ini"),
    *("._IMG_1.jpg", "IMG_1.AAE", "IMG_1.xmp", "IMG_1.jpg.xmp", "IMG_1.jpg.json"),
    *("IMG_1.jpg.supplemental-metadata.json", "SYNOFILE_THUMB_M.jpg"),
)
FOLDERS = ("$RECYCLE.BIN", "@eaDir", ".Trash-1000", ".thumbnails", "#recycle", "__MACOSX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one photo of a phone, and everything around it."""
    photos = tmp_path / "nas" / "2024"
    photos.mkdir(parents=True)
    (photos / "IMG_1.jpg").write_bytes(PHOTO)
    for name in SYSTEM:
        (photos / name).write_bytes(b"written by a system")
    for name in FOLDERS:
        (photos / name).mkdir()
        (photos / name / "copy.jpg").write_bytes(PHOTO)
    return tmp_path / "nas"


def test_only_the_photo_gets_a_row(folder: Path, tmp_path: Path) -> None:
    summary = run(folder, tmp_path / "table.jsonl")
    assert (summary.files, summary.failed, summary.with_faces) == (1, 0, 1)
    assert (summary.skipped, summary.films) == (len(SYSTEM) + len(FOLDERS), 0)


def test_object_store_skips_the_same(folder: Path, tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.put(str(folder), "/nas", recursive=True)
    try:
        summary = run("memory://nas", tmp_path / "table.jsonl")
    finally:
        memory.rm("/nas", recursive=True)
    assert (summary.files, summary.failed) == (1, 0)


def test_photo_of_a_live_photo_is_answered_and_its_film_named(tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    folder.mkdir()
    (folder / "IMG_2.HEIC").write_bytes(heic(photo()))
    (folder / "IMG_2.MOV").write_bytes(b"\0\0\0\x14ftypqt  \0\0\0\0qt  ")
    summary = run(folder, tmp_path / "table.jsonl")
    assert (summary.read, summary.failed, summary.films) == (1, 0, 1)
    assert "1 film of a Live Photo was left out" in _format_summary(summary)


def test_film_without_a_photo_keeps_its_row(tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    folder.mkdir()
    (folder / "IMG_3.MOV").write_bytes(b"\0\0\0\x14ftypqt  \0\0\0\0qt  ")
    (folder / "notes.json").write_bytes(b"{}")
    summary = run(folder, tmp_path / "table.jsonl")
    assert (summary.failed, summary.films, summary.skipped) == (2, 0, 0)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("img_1.mov", Skip.FILM),
        ("IMG_1.MP4", Skip.FILM),
        ("IMG_10.MOV", None),
        ("IMG_1.jpg", None),
        ("IMG_1.png", None),
        ("IMG_1.txt", None),
        ("IMG_1.json", Skip.SYSTEM),
        ("other.json", None),
        ("Icon\r", Skip.SYSTEM),
        (".hidden.jpg", None),
    ],
)
def test_names_are_compared_with_those_of_the_photos(name: str, reason: Skip | None) -> None:
    assert Neighbours(["IMG_1.JPG", "notes.txt"]).find_reason(name) is reason


def test_ordinary_folders_are_entered() -> None:
    assert not any(map(is_system_folder, ("2024", ".private", "Trash talk", "recycle")))


def test_skipped_folder_can_be_named_itself(folder: Path, tmp_path: Path) -> None:
    named = shutil.copytree(folder / "2024" / "@eaDir", tmp_path / "@eaDir")
    assert run(named, tmp_path / "table.jsonl").files == 1


def test_listed_folder_that_may_not_be_entered_gives_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = os.stat

    def refuse(path: object, *arguments: object, **options: object) -> os.stat_result:
        if str(path).endswith("p1.jpg"):
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", refuse)
    with IsolatedReader(1) as reader, pytest.raises(UnreadableImage, match="no permission"):
        LocalFolder(tmp_path).read("p1.jpg", reader)
