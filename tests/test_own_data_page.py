"""The commands and files shown in docs/guide/own-data.md are valid."""

from __future__ import annotations

import re

from typer.main import get_command

from cli.main import app
from training.data.classes import read_mapping
from training.data.slices import read_groups
from training.studies.human_points import read_points


def option_names(words):
    """Return the options of the command with which ``words`` begin."""
    command = get_command(app).get_command(None, words[0])
    if words[1] in getattr(command, "commands", {}):
        command = command.commands[words[1]]
    return {name for parameter in command.params for name in parameter.opts}


def test_commands_and_files_of_the_page_on_own_data_are_accepted(root, tmp_path):
    page = (root / "docs" / "guide" / "own-data.md").read_text(encoding="utf-8")
    commands = [line.split() for line in page.splitlines() if line.startswith("emotion ")]
    assert len(commands) >= 6
    for first, *words in commands:
        assert first == "emotion"
        used = {word for word in words if word.startswith("--")}
        assert used
        assert used <= option_names(words), " ".join(words)
    labels, groups = re.findall(r"```csv\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "labels.csv").write_text(labels, encoding="utf-8")
    mapping = read_mapping(tmp_path / "labels.csv")
    assert (mapping["wut"], mapping["contempt"]) == ("angry", None)
    (tmp_path / "groups.csv").write_text(groups, encoding="utf-8")
    age, tone = read_groups(tmp_path / "groups.csv", ["0001.png", "0002.png", "0003.png"])
    assert (age.name, tone.name) == ("age", "skin tone")
    assert [list(each.member) for each in (age, tone)] == [[1, 0, -1], [2, 0, 1]]
    (marks,) = re.findall(r"```text\n(version.*?)```", page, flags=re.DOTALL)
    line = "449.459 119.344"
    points = read_points(marks.replace("…", "\n".join([line] * 66)), "face.pts")
    assert tuple(points[0]) == (445.5, 90.5)
