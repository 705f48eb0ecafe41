"""What a class folder stands for."""

from __future__ import annotations

import pytest

from core.errors import DataError
from core.labels import Emotion
from training.data.classes import map_to_emotion, read_mapping
from training.data.faces import find_faces, read_faces
from training.data.splits import Split


@pytest.fixture
def mapping_csv(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("\ufeffclass,emotion\n1,surprise\n2, fear\n7,neutral\nContempt,\n")
    return path


def test_mapping_names_emotions_and_classes_that_are_left_out(mapping_csv):
    mapping = read_mapping(mapping_csv)
    assert map_to_emotion("1", mapping) is Emotion.SURPRISE
    assert map_to_emotion("2", mapping) is Emotion.FEAR
    assert map_to_emotion("contempt", mapping) is None
    with pytest.raises(DataError, match="class folder '3'"):
        map_to_emotion("3", mapping)
    # Without one the folder's own name counts.
    assert map_to_emotion("Happiness", None) is Emotion.HAPPY


@pytest.mark.parametrize("text", [None, "", "folder,emotion\n1,sad\n", "class,emotion\n1,glad\n"])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "labels.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError):
        read_mapping(path)


def test_data_of_other_class_names_are_read_by_the_mapping(tmp_path, mapping_csv, draw, save_png):
    for folder, count in (("1", 3), ("7", 2), ("contempt", 4)):
        for index in range(count):
            save_png(tmp_path / "faces" / folder / f"{folder}_{index}.png", draw(0, index))
    faces = read_faces([tmp_path / "faces"], None, read_mapping(mapping_csv))
    assert sorted(faces.labels) == [5, 5, 5, 6, 6]


def test_all_faces_are_those_of_every_split_but_fer2013_s_test(faces_dir):
    parts = [find_faces([faces_dir], split) for split in (Split.TRAIN, Split.VALIDATION)]
    everything = find_faces([faces_dir], None)
    assert len(everything) == sum(map(len, parts))
    assert not [name for name in everything.names if name.startswith("PrivateTest_")]
