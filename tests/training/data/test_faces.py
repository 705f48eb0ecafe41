"""Reading faces from folders and zips, damaged ones included."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.errors import DataError
from core.labels import EMOTIONS
from training.data.faces import count_classes, find_faces, read_faces, read_grey_face, sample_faces
from training.data.splits import Split


def zip_folder(folder: Path, path: Path, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return path


@pytest.mark.parametrize("kind", ["tree", "zip"])
def test_tree_and_zip_give_the_same_faces(faces_dir, tmp_path, kind):
    source = faces_dir if kind == "tree" else zip_folder(faces_dir, tmp_path / "faces.zip")
    faces = read_faces([source], Split.VALIDATION)
    assert len(faces) == 21
    assert faces.images.shape == (21, 48, 48)
    assert faces.images.dtype == np.uint8
    assert count_classes(faces.labels) == dict.fromkeys(EMOTIONS, 3)
    assert all(name.startswith("PublicTest_") for name in faces.names)
    assert faces.skipped == ()


def test_pixels_and_labels_belong_together(faces_dir, draw):
    faces = read_faces([faces_dir], Split.TRAIN)
    for name, label, pixels in zip(faces.names, faces.labels, faces.images, strict=True):
        row = int(name.removeprefix("Training_").removesuffix(".png"))
        np.testing.assert_array_equal(pixels, draw(int(label), row))


def test_several_sources_are_combined(faces_dir):
    once = read_faces([faces_dir], Split.TEST)
    twice = read_faces([faces_dir, faces_dir], Split.TEST)
    assert twice.names == once.names * 2


def test_subset_keeps_pictures_labels_and_names_together(faces_dir):
    faces = read_faces([faces_dir], Split.TEST)
    part = faces.subset(np.array([4, 1]))
    assert part.names == (faces.names[4], faces.names[1])
    assert part.labels.tolist() == [faces.labels[4], faces.labels[1]]
    np.testing.assert_array_equal(part.images, faces.images[[4, 1]])


def test_damaged_images_are_listed_and_skipped(faces_dir, tmp_path):
    folder = tmp_path / "faces"
    shutil.copytree(faces_dir / "test", folder)
    (folder / "angry" / "PrivateTest_99998.png").write_bytes(b"")
    (folder / "happy" / "PrivateTest_99999.jpg").write_bytes(b"no picture")
    faces = read_faces([folder], Split.TEST)
    assert len(faces) == 7
    assert [line.partition(":")[0] for line in faces.skipped] == [
        "angry/PrivateTest_99998.png",
        "happy/PrivateTest_99999.jpg",
    ]


def test_file_without_read_permission_is_listed_and_skipped(faces_dir, tmp_path, monkeypatch):
    folder = tmp_path / "faces"
    shutil.copytree(faces_dir / "test", folder)
    open_file = os.open
    refused = next((folder / "sad").iterdir())

    def open_or_refuse(file, *arguments, **options):
        if file == refused:
            raise PermissionError(errno.EACCES, "Permission denied", str(file))
        return open_file(file, *arguments, **options)

    monkeypatch.setattr(os, "open", open_or_refuse)
    faces = read_faces([folder], Split.TEST)
    assert len(faces) == 6
    assert faces.skipped == (f"sad/{refused.name}: You have no permission to read this file.",)


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs rights there")
def test_broken_links_are_listed_and_folders_with_image_names_are_not(faces_dir, tmp_path):
    folder = tmp_path / "faces"
    shutil.copytree(faces_dir / "test", folder)
    (folder / "angry" / "PrivateTest_99997.png").mkdir()
    (folder / "angry" / "PrivateTest_99998.png").symlink_to("nowhere.png")
    (folder / "happy" / "PrivateTest_99999.png").symlink_to("PrivateTest_99999.png")
    faces = read_faces([folder], Split.TEST)
    assert len(faces) == 7
    assert faces.skipped == (
        "angry/PrivateTest_99998.png: There is no such file.",
        "happy/PrivateTest_99999.png: The file cannot be read: Too many levels of symbolic links.",
    )


def test_damaged_zip_member_is_skipped(faces_dir, tmp_path):
    path = zip_folder(faces_dir / "test", tmp_path / "faces.zip")
    with zipfile.ZipFile(path) as archive:
        first = archive.infolist()[0]
    data = bytearray(path.read_bytes())
    # Change the last byte of the first member's data, so that its checksum is wrong.
    end = first.header_offset + 30 + len(first.filename) + first.compress_size
    data[end - 1] ^= 0xFF
    path.write_bytes(bytes(data))
    faces = read_faces([path], Split.TEST)
    assert len(faces) == 6
    assert len(faces.skipped) == 1
    assert first.filename in faces.skipped[0]


@pytest.mark.parametrize(
    ("compression", "settings"),
    [
        (zipfile.ZIP_STORED, 0),
        (zipfile.ZIP_DEFLATED, 0),
        (zipfile.ZIP_BZIP2, 0),
        # LZMA settings before the data.
        (zipfile.ZIP_LZMA, 9),
    ],
)
def test_zip_member_that_cannot_be_unpacked_is_skipped(faces_dir, tmp_path, compression, settings):
    path = zip_folder(faces_dir / "test", tmp_path / "faces.zip", compression)
    with zipfile.ZipFile(path) as archive:
        first = archive.infolist()[0]
    data = bytearray(path.read_bytes())
    start = first.header_offset + 30 + len(first.filename)
    rest = slice(start + settings, start + first.compress_size)
    data[rest] = b"\xff" * len(data[rest])
    path.write_bytes(bytes(data))
    faces = read_faces([path], Split.TEST)
    assert len(faces) == 6
    assert [line.partition(":")[0] for line in faces.skipped] == [first.filename]


def test_zip_member_with_an_invalid_name_is_skipped(tmp_path):
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("angry/Training_\N{LATIN SMALL LETTER E WITH ACUTE}.png", b"")
    # The name is stored beside the data and in the list of files; this changes the first.
    path.write_bytes(path.read_bytes().replace(b"\xc3\xa9", b"\xff\xff", 1))
    assert len(find_faces([path], Split.TRAIN).skipped) == 1


@pytest.mark.parametrize(
    "changes",
    [{0: 0}, {6: 255}, {9: 8, 46: 255}],
    ids=["no entry", "unknown version", "invalid name"],
)
def test_zip_whose_list_of_files_is_damaged_is_an_error(faces_dir, tmp_path, changes):
    path = zip_folder(faces_dir / "test", tmp_path / "faces.zip")
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    for place, value in changes.items():
        data[entry + place] = value
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"'faces\.zip' is damaged") as raised:
        read_faces([path], Split.TEST)
    assert "pack it again" in raised.value.hint


def test_hidden_macos_files_are_ignored(faces_dir, tmp_path):
    path = zip_folder(faces_dir / "test", tmp_path / "faces.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/angry/._PrivateTest_1.png", b"\0")
        archive.writestr("angry/._PrivateTest_2.png", b"\0")
    faces = read_faces([path], Split.TEST)
    assert (len(faces), faces.skipped) == (7, ())


def test_error_names_a_file_when_all_images_are_damaged(tmp_path):
    (tmp_path / "angry").mkdir()
    (tmp_path / "angry" / "Training_1.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="None of the 1 train files") as raised:
        read_faces([tmp_path], Split.TRAIN)
    assert "angry/Training_1.png" in raised.value.hint


def test_missing_split_is_an_error_only_for_read_faces(faces_dir):
    assert len(find_faces([faces_dir / "train"], Split.TEST)) == 0
    with pytest.raises(DataError, match="No test faces"):
        read_faces([faces_dir / "train"], Split.TEST)


@pytest.mark.parametrize(
    ("name", "message"), [("absent", "no file or folder"), ("faces.rar", "neither a folder")]
)
def test_wrong_source_is_an_error(tmp_path, name, message):
    (tmp_path / "faces.rar").write_bytes(b"Rar!")
    with pytest.raises(DataError, match=message):
        read_faces([tmp_path / name], Split.TRAIN)


def test_unknown_class_folder_is_an_error(faces_dir, tmp_path):
    folder = tmp_path / "faces"
    shutil.copytree(faces_dir / "test", folder)
    (folder / "angry").rename(folder / "contempt")
    with pytest.raises(DataError, match="'contempt'"):
        read_faces([folder], Split.TEST)


def test_photo_of_another_size_becomes_a_grey_face(astronaut, tmp_path, save_png):
    save_png(tmp_path / "photo.png", astronaut[:200, :180])
    face = read_grey_face((tmp_path / "photo.png").read_bytes())
    assert (face.shape, face.dtype) == ((48, 48), np.uint8)
    assert face.std() > 20


@pytest.mark.data
def test_shared_fer2013_has_its_official_counts(shared_dir):
    faces = read_faces([shared_dir / "fer2013" / "publictest.zip"], Split.VALIDATION)
    assert count_classes(faces.labels) == {
        "angry": 467,
        "disgust": 56,
        "fear": 496,
        "happy": 895,
        "sad": 653,
        "surprise": 415,
        "neutral": 607,
    }
    assert faces.skipped == ()


def test_sample_keeps_every_emotion_s_share(faces_dir):
    faces = read_faces([faces_dir], Split.TRAIN)
    part = sample_faces(faces, 14, seed=1)
    assert np.bincount(part.labels).tolist() == [2] * 7
    assert set(part.names) < set(faces.names)
    assert part.names == sample_faces(faces, 14, seed=1).names
    assert part.names != sample_faces(faces, 14, seed=2).names
    for image, name in zip(part.images, part.names, strict=True):
        assert (image == faces.images[faces.names.index(name)]).all()


def test_sample_as_large_as_the_set_is_the_set(faces_dir):
    faces = read_faces([faces_dir], Split.TRAIN)
    assert sample_faces(faces, None, seed=1) is faces
    assert sample_faces(faces, 28, seed=1) is faces


def test_sample_too_small_for_all_emotions_is_refused(faces_dir):
    with pytest.raises(DataError, match="3 of 28 faces"):
        sample_faces(read_faces([faces_dir], Split.TRAIN), 3, seed=1)
