"""Counting a folder before a run."""

from __future__ import annotations

import pytest

from core import ConfigError, survey_folder


def test_photos_and_other_files_are_counted_as_the_run_reads_them(tmp_path):
    (tmp_path / "inner").mkdir()
    for name in ("a.JPG", "b.heic", "inner/c.png", "notes.txt", ".DS_Store", "b.mov"):
        (tmp_path / name).touch()
    survey = survey_folder(tmp_path)
    assert (survey.photos, survey.others, survey.complete) == (3, 1, True)
    assert {path.name for path in survey.sample} == {"a.JPG", "b.heic", "c.png"}


def test_sample_is_small_and_always_the_same(tmp_path):
    for number in range(50):
        (tmp_path / f"{number}.jpg").touch()
    first = survey_folder(tmp_path).sample
    assert len(set(first)) == 4
    assert survey_folder(tmp_path).sample == first


def test_slow_folder_is_counted_in_part(tmp_path):
    (tmp_path / "a.jpg").touch()
    assert not survey_folder(tmp_path, longest_s=-1.0).complete


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError):
        survey_folder(tmp_path / "none")
