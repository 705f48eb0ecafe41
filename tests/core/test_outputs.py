"""Outputs are checked before any work: they may be no input, no stranger's file, and must fit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core import ConfigError, Output, check_output_folder, check_outputs, contains, starts_with
from core.outputs import ends_with


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"a film")
    return path


def link_softly(film):
    path = film.with_name("soft.mp4")
    path.symlink_to(film.name)
    return path


def link_firmly(film):
    path = film.with_name("hard.mp4")
    os.link(film, path)
    return path


def name_in_other_ways(film):
    folder = film.parent / "folder"
    folder.mkdir()
    return folder / ".." / film.name


def link_its_folder(film):
    (film.parent / "linked").symlink_to(film.parent, target_is_directory=True)
    return film.parent / "linked" / film.name


@pytest.mark.parametrize(
    "name_it", [lambda film: film, link_softly, link_firmly, name_in_other_ways, link_its_folder]
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_input_is_never_an_output(film, name_it, overwrite):
    output = Output("--out", name_it(film), is_ours=lambda _: True)
    with pytest.raises(ConfigError, match="--out would overwrite the input"):
        check_outputs([output], [film], overwrite=overwrite)
    assert film.read_bytes() == b"a film"


def test_name_in_other_case_is_the_input_on_a_disk_that_ignores_case(film, monkeypatch):
    real = Path.stat
    monkeypatch.setattr(
        Path, "stat", lambda self, **options: real(self.with_name(self.name.lower()), **options)
    )
    with pytest.raises(ConfigError, match="would overwrite the input"):
        check_outputs([Output("--out", film.with_name("FILM.MP4"))], [film])


def test_new_content_is_not_written_to_an_input_first(tmp_path):
    """Until it is complete, it stands beside the output under a name of its own."""
    film = tmp_path / ".out.mp4.part"
    film.touch()
    with pytest.raises(ConfigError, match="would overwrite the input"):
        check_outputs([Output("--out", tmp_path / "out.mp4")], [film])


@pytest.mark.parametrize("other", ["a.csv", "A.csv", "./a.csv", ".a.csv.part"])
def test_two_outputs_are_two_files(tmp_path, other):
    outputs = [Output("--csv", tmp_path / "a.csv"), Output("--plot", tmp_path / other)]
    with pytest.raises(ConfigError, match="--csv and --plot are the same file"):
        check_outputs(outputs)


def test_accents_written_in_two_ways_are_the_same_name(tmp_path):
    outputs = [Output("--out", tmp_path / "\u00e9"), Output("--csv", tmp_path / "e\u0301")]
    with pytest.raises(ConfigError, match="same file"):
        check_outputs(outputs)


def test_only_our_own_file_is_replaced_unasked(film):
    with pytest.raises(ConfigError, match="not an earlier result") as caught:
        check_outputs([Output("--out", film)])
    assert "--overwrite" in caught.value.hint
    check_outputs([Output("--out", film)], overwrite=True)
    check_outputs([Output("--out", film, is_ours=starts_with(b"a f"))])


def test_link_to_nothing_is_not_replaced_unasked(tmp_path):
    link = tmp_path / "out.mp4"
    link.symlink_to("absent.mp4")
    with pytest.raises(ConfigError, match="not an earlier result"):
        check_outputs([Output("--out", link)])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("p.xyz", r"must end in \.png or \.svg"),
        ("p", r"must end in \.png"),
        (".png", r"must end in \.png"),
        ("absent/p.png", "There is no folder"),
        ("folder.png", "is a folder"),
        (f"{'x' * 249}.png", "cannot be written"),
    ],
)
def test_name_and_folder_are_checked(tmp_path, name, message):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ConfigError, match=message) as caught:
        check_outputs([Output("--plot", tmp_path / name, (".png", ".svg"))], overwrite=True)
    assert "--plot" in caught.value.message
    assert caught.value.hint


def test_ending_may_be_in_capitals_and_missing_folders_can_be_made(tmp_path):
    check_outputs([Output("--plot", tmp_path / "P.PNG", (".png",))])
    check_outputs([Output("--out", tmp_path / "new" / "p.csv")], makes_folders=True)


def test_pipe_and_device_are_no_output(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path(os.devnull)):
        with pytest.raises(ConfigError, match="not an ordinary file"):
            check_outputs([Output("--csv", path)], overwrite=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_may_not_be_written_to_is_reported(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="no permission"):
        check_outputs([Output("--out", tmp_path / "a.mp4")])


def test_marks_are_looked_for_in_regular_files_only(film, tmp_path):
    assert starts_with(b"a f")(film)
    assert not starts_with(b"film")(film)
    assert ends_with(b"lm")(film)
    assert not ends_with(b"a f")(film)
    assert contains(b"fil")(film)
    assert not contains(b"fil", within=3)(film)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "absent", link_softly(film)):
        assert not contains(b"film")(path)


def test_results_do_not_join_the_inputs(tmp_path):
    (tmp_path / "faces").mkdir()
    votes = tmp_path / "votes.csv"
    votes.touch()
    for folder, read in (
        (tmp_path / "faces", tmp_path / "faces"),
        (tmp_path / "faces" / ".." / "faces", tmp_path / "faces"),
        (tmp_path, votes),
    ):
        with pytest.raises(ConfigError, match="--out is where the input"):
            check_output_folder("--out", folder, [None, read])
    with pytest.raises(ConfigError, match="is a file"):
        check_output_folder("--out", votes, [])


def test_results_may_lie_beside_the_inputs(tmp_path):
    data = tmp_path / "faces.zip"
    data.touch()
    check_output_folder("--out", tmp_path, [data, None])
    check_output_folder("--out", tmp_path / "results", [tmp_path])
