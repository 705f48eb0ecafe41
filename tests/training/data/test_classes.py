"""The emotion that a class folder stands for."""

from __future__ import annotations

import pytest

from core.errors import DataError
from core.labels import EMOTIONS, Emotion
from training.data.classes import map_to_emotion, parse_emotion, read_mapping
from training.data.faces import find_faces, read_faces
from training.data.splits import Split


@pytest.mark.parametrize(
    ("folder", "emotion"),
    [
        ("angry", Emotion.ANGRY),
        ("Happy ", Emotion.HAPPY),
        ("anger", Emotion.ANGRY),
        ("happiness", Emotion.HAPPY),
        ("Surprised", Emotion.SURPRISE),
        ("neutral", Emotion.NEUTRAL),
    ],
)
def test_class_folder_names_its_emotion(folder, emotion):
    assert parse_emotion(folder) is emotion


@pytest.mark.parametrize("folder", ["contempt", "", "angry faces"])
def test_error_about_an_unknown_class_folder_names_the_seven_emotions(folder):
    with pytest.raises(DataError) as raised:
        parse_emotion(folder)
    assert all(emotion in raised.value.hint for emotion in EMOTIONS)


@pytest.fixture
def mapping_csv(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("\ufeffclass,emotion\n1,surprise\n2, fear\n7,neutral\nContempt,\n")
    return path


def test_mapping_gives_emotions_and_classes_to_leave_out(mapping_csv):
    mapping = read_mapping(mapping_csv)
    assert map_to_emotion("1", mapping) is Emotion.SURPRISE
    assert map_to_emotion("2", mapping) is Emotion.FEAR
    assert map_to_emotion("contempt", mapping) is None
    with pytest.raises(DataError, match="class folder '3'"):
        map_to_emotion("3", mapping)
    # Without a mapping, the folder's own name counts.
    assert map_to_emotion("Happiness", None) is Emotion.HAPPY


@pytest.mark.parametrize("text", [None, "", "folder,emotion\n1,sad\n", "class,emotion\n1,glad\n"])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "labels.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError):
        read_mapping(path)


def test_faces_in_folders_with_other_names_are_read_by_the_mapping(
    tmp_path, mapping_csv, draw, save_png
):
    for folder, count in (("1", 3), ("7", 2), ("contempt", 4)):
        for index in range(count):
            save_png(tmp_path / "faces" / folder / f"{folder}_{index}.png", draw(0, index))
    faces = read_faces([tmp_path / "faces"], None, read_mapping(mapping_csv))
    assert sorted(faces.labels) == [5, 5, 5, 6, 6]


def test_all_splits_together_leave_out_the_test_faces_of_fer2013(faces_dir):
    parts = [find_faces([faces_dir], split) for split in (Split.TRAIN, Split.VALIDATION)]
    everything = find_faces([faces_dir], None)
    assert len(everything) == sum(map(len, parts))
    assert not [name for name in everything.names if name.startswith("PrivateTest_")]
