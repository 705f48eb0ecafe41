"""FER-2013's official CSV files, read by torchvision."""

from __future__ import annotations

import csv
import hashlib

import numpy as np
import pytest
from torchvision.datasets import FER2013

from core.errors import DataError
from training.data.faces import read_faces
from training.data.splits import Split

USAGES = ("Training", "Training", "PublicTest", "PrivateTest", "PublicTest", "PrivateTest")
LABELS = (0, 3, 6, 5, 1, 2)
KEYS = {"fer2013.csv": "fer", "icml_face_data.csv": "icml", "train.csv": "train"}
HEADS = {
    "fer2013.csv": ("emotion", "pixels", "Usage"),
    "icml_face_data.csv": ("emotion", " Usage", " pixels"),
    "train.csv": ("emotion", "pixels"),
}


@pytest.fixture
def official(tmp_path, monkeypatch, draw):
    """Write a tiny release with an official name that torchvision accepts as genuine."""

    def write(name):
        path = tmp_path / "fer2013" / name
        path.parent.mkdir(exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, HEADS[name], extrasaction="ignore")
            writer.writeheader()
            for row, (label, usage) in enumerate(zip(LABELS, USAGES, strict=True)):
                if name == "train.csv" and usage != "Training":
                    continue
                pixels = " ".join(map(str, draw(label, row).ravel()))
                record = {"emotion": label, "pixels": pixels, "Usage": usage}
                writer.writerow({**record, " Usage": usage, " pixels": pixels})
        digest = hashlib.md5(path.read_bytes()).hexdigest()
        resources = {**FER2013._RESOURCES, KEYS[name]: (name, digest)}
        monkeypatch.setattr(FER2013, "_RESOURCES", resources)
        return path

    return write


@pytest.mark.parametrize("name", ["fer2013.csv", "icml_face_data.csv"])
@pytest.mark.parametrize("split", list(Split))
def test_faces_of_a_split_are_named_by_their_row_in_the_file(official, draw, name, split):
    root = official(name).parent.parent
    usage = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}[split]
    rows = [row for row, name in enumerate(USAGES) if name == usage]
    faces = read_faces([root], split)
    assert faces.names == tuple(f"{usage}_{row:05d}.png" for row in rows)
    assert faces.labels.tolist() == [LABELS[row] for row in rows]
    for row, pixels in zip(rows, faces.images, strict=True):
        np.testing.assert_array_equal(pixels, draw(LABELS[row], row))


def test_source_can_be_the_file_its_folder_or_the_folder_above(official):
    path = official("fer2013.csv")
    for source in (path, path.parent, path.parent.parent):
        assert len(read_faces([source], Split.TRAIN)) == 2


def test_train_csv_alone_is_enough_for_training_faces(official):
    root = official("train.csv").parent.parent
    assert read_faces([root], Split.TRAIN).names == ("Training_00000.png", "Training_00001.png")


def test_changed_file_is_refused(official):
    path = official("fer2013.csv")
    path.write_text(path.read_text().replace("PrivateTest", "Training"))
    with pytest.raises(DataError, match="differ from the official"):
        read_faces([path], Split.TRAIN)


def test_csv_in_another_folder_is_refused(tmp_path):
    (tmp_path / "faces.csv").write_text("emotion,pixels\n")
    with pytest.raises(DataError, match="folder named fer2013"):
        read_faces([tmp_path / "faces.csv"], Split.TRAIN)


def test_image_folder_named_fer2013_is_read_as_images(tmp_path, draw, save_png):
    save_png(tmp_path / "fer2013" / "train" / "angry" / "a.png", draw(0, 1))
    assert read_faces([tmp_path / "fer2013"], Split.TRAIN).names == ("a.png",)
    assert read_faces([tmp_path], Split.TRAIN).names == ("a.png",)
