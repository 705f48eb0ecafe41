"""Report of copies within and across splits."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from core.errors import DataError
from training.data.duplicates import find_duplicates


@pytest.fixture
def copied(tmp_path, draw, save_png):
    """Ten faces and some copies, which are described by their names."""
    root = tmp_path / "faces"

    def put(split, emotion, name, pixels):
        save_png(root / split / emotion / f"{name}.png", pixels)

    for seed in range(5):
        put("train", "happy", f"own_{seed}", draw(3, seed))
        put("val", "sad", f"own_{seed}", draw(4, 50 + seed))
    put("train", "happy", "own_0_again", draw(3, 0))
    put("train", "angry", "own_0_disputed", draw(3, 0))
    put("val", "happy", "train_1", draw(3, 1))
    darker = np.clip(draw(4, 50) * 0.7 + 10, 0, 255).astype(np.uint8)
    put("test", "sad", "val_0_darker", darker)
    return root


def test_copies_are_counted_by_split_and_by_the_split_of_the_copy(copied, tmp_path):
    report, _ = find_duplicates([copied], tmp_path / "out")
    assert report["faces"] == {"train": 7, "validation": 6, "test": 1}
    exact, near = report["exact"]["splits"], report["near"]["splits"]
    assert (exact["train"]["within"], exact["train"]["redundant"]) == (3, 2)
    assert exact["train"]["also_in"]["validation"]["faces"] == 1
    assert exact["validation"]["also_in"]["train"]["faces"] == 1
    assert exact["validation"]["also_in"]["train"]["by_emotion"] == {"happy": 1.0, "sad": 0.0}
    # The darkened face shares no pixel with the original, but it is the same face.
    assert exact["test"]["also_in"]["validation"]["faces"] == 0
    assert near["test"]["also_in"]["validation"]["faces"] == 1
    assert near["validation"]["also_in"]["test"]["faces"] == 1
    assert near["test"]["also_in"]["train"]["faces"] == 0


def test_groups_and_different_labels_are_counted(copied, tmp_path):
    report, _ = find_duplicates([copied], tmp_path / "out")
    assert report["exact"]["groups"] == 2
    assert report["exact"]["largest_group"] == 3
    assert report["exact"]["groups_with_different_labels"] == 1
    assert report["near"]["groups"] == 3


def test_list_names_every_copy_and_nothing_else(copied, tmp_path):
    find_duplicates([copied], tmp_path / "out")
    with (tmp_path / "out" / "duplicates.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    groups = {}
    for row in rows:
        groups.setdefault(row["near_group"], set()).add(row["name"])
    assert sorted(map(sorted, groups.values())) == [
        ["own_0.png", "own_0_again.png", "own_0_disputed.png"],
        ["own_0.png", "val_0_darker.png"],
        ["own_1.png", "train_1.png"],
    ]
    alone = [row for row in rows if row["exact_group"] == ""]
    assert {row["name"] for row in alone} == {"own_0.png", "val_0_darker.png"}


def test_folders_may_have_any_names_and_copies_in_different_folders_disagree(
    tmp_path, draw, save_png
):
    root = tmp_path / "faces"
    for place, seed in {
        "train/cats/one.png": 1,
        "val/Birds/one_again.png": 1,
        "train/dogs/two.png": 2,
        "val/Dogs/two_again.png": 2,
        "train/anger/three.png": 3,
        "val/angry/three_again.png": 3,
        "val/cats/own.png": 4,
    }.items():
        save_png(root / place, draw(0, seed))
    report, _ = find_duplicates([root], tmp_path / "out")
    assert report["faces"] == {"train": 3, "validation": 4}
    assert report["exact"]["groups"] == 3
    # Only the copy in Birds: `anger` and `angry` are the same emotion.
    assert report["exact"]["groups_with_different_labels"] == 1
    shares = report["exact"]["splits"]["validation"]["also_in"]["train"]["by_emotion"]
    assert list(shares.items()) == [("angry", 1), ("birds", 1), ("cats", 0), ("dogs", 1)]
    with (tmp_path / "out" / "duplicates.csv").open(newline="") as file:
        labels = {row["name"]: row["label"] for row in csv.DictReader(file)}
    assert labels == {
        "one.png": "cats",
        "one_again.png": "birds",
        "two.png": "dogs",
        "two_again.png": "dogs",
        "three.png": "angry",
        "three_again.png": "angry",
    }


def test_faces_without_copies_leave_an_empty_list(faces_dir, tmp_path):
    report, _ = find_duplicates([faces_dir], tmp_path / "out")
    assert report["near"]["groups"] == report["near"]["largest_group"] == 0
    assert (tmp_path / "out" / "duplicates.csv").read_text().count("\n") == 1


def test_no_faces_are_an_error(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="No faces found in empty"):
        find_duplicates([tmp_path / "empty"], tmp_path / "out")
