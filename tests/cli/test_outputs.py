"""Commands of training and measuring keep their inputs and the user's files as they are."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.mark.parametrize(
    "command",
    [
        ["duplicates", "--data", "faces"],
        ["evaluate", "--data", "faces", "--split", "validation"],
        ["evaluate", "--photos", "faces"],
        ["ablate", "--model", "mobilenet_v2", "--data", "faces", "--votes", "votes.csv"],
        ["train", "--model", "mobilenet_v2", "--data", "faces"],
        ["study", "robustness", "--data", "faces"],
        ["study", "frame", "--data", "faces", "--photos", "other"],
        ["study", "landmarks", "--data", "faces"],
        ["study", "mirrored", "--images", "faces"],
        ["study", "ensemble", "--data", "faces", "--votes", "votes.csv"],
        ["detector", "train", "--images", "faces", "--boxes", "boxes.json"],
        ["detector", "evaluate", "--images", "faces", "--boxes", "b.json", "--detector", "mtcnn"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_results_are_never_written_among_the_inputs(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces").mkdir()
    (tmp_path / "link").symlink_to("faces", target_is_directory=True)
    result = CliRunner().invoke(app, [*command, "--out", "link"])
    assert result.exit_code == 2, result.output
    assert "--out is where the input faces is" in result.stderr
    assert list((tmp_path / "faces").iterdir()) == []


@pytest.mark.parametrize("command", [["bench"], ["detector", "show", "photo.json"]])
def test_file_of_the_user_is_kept(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    for name in ("out.png", "out.json"):
        (tmp_path / name).write_text("a file of the user", encoding="utf-8")
        result = CliRunner().invoke(app, [*command, "--out", name])
        assert result.exit_code == 2
        assert (tmp_path / name).read_text(encoding="utf-8") == "a file of the user"
