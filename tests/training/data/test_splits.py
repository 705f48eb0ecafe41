"""Splits of a data set, and the cheap import that the command line relies on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from training.data.splits import Split, choose_split, describe_data


def test_importing_the_choices_of_the_command_line_loads_nothing_heavy(root):
    heavy = {"torch", "numpy", "cv2", "lightning", "albumentations", "sklearn", "matplotlib"}
    code = (
        "import sys; from training.data.splits import Split; "
        "from training.learning.precision import Precision;"
        f"sys.exit(','.join({heavy!r} & set(sys.modules)) or None)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stderr) == (0, "")


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("angry/Training_00001.png", Split.TRAIN),
        ("angry/PublicTest_28709.png", Split.VALIDATION),
        ("angry/PrivateTest_32298.png", Split.TEST),
        # FER-2013's mirrors keep both test splits in a folder named test.
        ("test/angry/PublicTest_28709.png", Split.VALIDATION),
        ("train/angry/a.png", Split.TRAIN),
        ("Validation/angry/a.png", Split.VALIDATION),
        ("data/test/angry/a.png", Split.TEST),
        ("test/train/angry/a.png", Split.TRAIN),
        # The class folder and the file name do not name a split.
        ("train/angry/test.png", Split.TRAIN),
    ],
)
def test_split_comes_from_the_prefix_then_from_the_nearest_folder(path, split):
    assert choose_split(PurePosixPath(path)) is split


def test_folder_given_as_source_counts_as_outermost():
    assert choose_split(PurePosixPath("angry/a.png"), "test") is Split.TEST
    assert choose_split(PurePosixPath("train/angry/a.png"), "test") is Split.TRAIN


def test_files_without_a_split_are_assigned_eight_to_one_to_one_by_hash():
    splits = [choose_split(PurePosixPath(f"angry/{index}.png")) for index in range(3000)]
    shares = [splits.count(split) / len(splits) for split in Split]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


def test_folder_and_zip_of_it_are_split_the_same_way():
    for index in range(50):
        inside = PurePosixPath(f"angry/{index}.png")
        assert choose_split(inside) is choose_split(PurePosixPath("my faces") / inside)


def test_data_is_described_by_fer2013_prefixes_or_file_names():
    own = [Path("a/faces.zip"), Path("b")]
    assert describe_data(["PublicTest_1.png", "PublicTest_2.png"], own) == "FER-2013 PublicTest"
    assert describe_data(["PublicTest_1.png", "a.png"], own) == "faces.zip, b"
    assert describe_data([], own) == "faces.zip, b"
