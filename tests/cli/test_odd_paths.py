"""Every option that takes a path answers odd ones with a sentence, at once."""

from __future__ import annotations

import json
import os
import signal
import sys

import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.main import app
from training.data.votes import COLUMNS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes, links and devices")
AT_MOST_S = 30
"""Reading a pipe would take forever."""
SPARSE_BYTES = 40 * 1024**3
FACES = "--model mobilenet_v2 --data faces"
BOXES = "--images faces --boxes boxes.json"

READ = [
    "analyze PATH",
    "live PATH",
    "batch PATH --out new.csv",
    "bench --markdown PATH",
    "bench --photos PATH --quick",
    "bench --precision PATH",
    "train --model mobilenet_v2 --init scratch --data PATH",
    f"train {FACES} --init PATH",
    f"train {FACES} --init scratch --recipe PATH",
    f"train {FACES} --init scratch --teacher PATH",
    f"train {FACES} --init scratch --votes PATH",
    "evaluate --model mobilenet_v2 --split validation --out new --data PATH",
    f"evaluate {FACES} --split validation --out new --votes PATH",
    f"evaluate {FACES} --split validation --out new --labels PATH",
    "evaluate --model mobilenet_v2 --out new --photos PATH",
    "calibrate --model mobilenet_v2 --data PATH",
    "duplicates --out new --data PATH",
    "study robustness --model mobilenet_v2 --out new --data PATH",
    f"study robustness {FACES} --out new --groups PATH",
    "study gate --results PATH",
    "study gate --limits PATH",
    "study frame --data faces --out new --photos PATH",
    f"study landmarks {FACES} --sample 14 --out new --points PATH",
    "detector train --images PATH --boxes boxes.json",
    "detector train --images faces --boxes PATH",
    f"detector train {BOXES} --init PATH",
    "detector evaluate --detector mtcnn --out new --images faces --boxes PATH",
    "detector table PATH",
    "covered train --data PATH",
    "covered train --data faces --recipe PATH",
    "covered evaluate --out new --photos PATH",
    "covered table PATH",
    "export --out new --data PATH",
]
WRITTEN = [
    "analyze photo.png --annotate PATH",
    "analyze photo.png --explain PATH",
    "analyze photo.png --blur PATH",
    "batch faces --out new.csv --annotate PATH",
    "bench --curves PATH",
    f"train {FACES} --init scratch --out PATH",
    f"evaluate {FACES} --split validation --out PATH",
    f"calibrate {FACES} --publish PATH",
    "ablate --model mobilenet_v2 --data faces --votes votes.csv --init scratch --out PATH",
    "duplicates --data faces --out PATH",
    f"study robustness {FACES} --out PATH",
    "study frame --data faces --photos faces --out PATH",
    f"study landmarks {FACES} --out PATH",
    "study mirrored --images faces --out PATH",
    "study turned --images faces --out PATH",
    f"detector train {BOXES} --out PATH",
    f"detector train-judge {BOXES} --out PATH",
    f"detector tune {BOXES} --publish PATH",
    f"detector evaluate {BOXES} --detector mtcnn --out PATH",
    "covered train --data faces --out PATH",
    "covered evaluate --photos faces --out PATH",
    "covered evaluate --photos faces --out new --publish PATH",
    "report --out PATH",
    "export --out PATH",
    "batch faces --out PATH.csv",
    "batch faces --out new.csv --report PATH.html",
    "live film.mp4 --out PATH.mp4",
    "live film.mp4 --csv PATH.csv",
    "live film.mp4 --plot PATH.png",
    "bench --out PATH.json",
    "detector show photo.png --out PATH.png",
]
BOXES_OF_A_FACE = {
    "images": [{"id": 1, "file_name": "train-happy0.png", "width": 48, "height": 48}],
    "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 48, 48]}],
    "categories": [{"id": 1, "name": "face"}],
}
LONG = {"a long name": "n" * 300, "a long path": "p/" * 2500 + "end"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working folder, with some faces; a command that waits too long fails."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (48, 48)).save("photo.png")
    for split in ("train", "validation"):
        for emotion in ("happy", "sad"):
            place = tmp_path / "faces" / split / emotion
            place.mkdir(parents=True)
            for number in range(2):
                Image.new("L", (48, 48)).save(place / f"{split}-{emotion}{number}.png")
    (tmp_path / "boxes.json").write_text(json.dumps(BOXES_OF_A_FACE), encoding="utf-8")
    (tmp_path / "votes.csv").write_text(f"image,{','.join(COLUMNS)}\n", encoding="utf-8")
    previous = signal.signal(signal.SIGALRM, fail)
    signal.alarm(AT_MOST_S)
    yield tmp_path
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


def fail(*_):
    raise AssertionError("the command waits for something")


def refuse(command, path):
    """Run a command with the odd ``path``; return its message once it is sure that it is one."""
    arguments = [each.replace("PATH", str(path)) for each in command.split()]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, SystemExit), (path, repr(result.exception))
    assert result.exit_code >= 2, result.output
    assert len(result.stderr.strip()) > 10
    return result.stderr


@pytest.mark.parametrize("command", READ)
def test_odd_input_is_refused_in_a_sentence(folder, command):
    os.mkfifo("pipe")
    (folder / "loop").symlink_to("loop")
    with (folder / "sparse").open("wb") as file:
        file.truncate(SPARSE_BYTES)  # takes no room on the disk
    for path in ("pipe", "/dev/zero", "loop", "sparse", LONG["a long name"]):
        refuse(command, path)


@pytest.mark.parametrize("command", WRITTEN)
def test_odd_output_is_refused_before_any_work(folder, command):
    ending = command.rpartition("PATH")[2]
    (folder / f"loop{ending}").symlink_to(f"loop{ending}")
    (folder / f"dangling{ending}").symlink_to("nowhere")
    (folder / f"text{ending}").write_text("hello\n", encoding="utf-8")
    os.mkfifo(f"pipe{ending}")
    for path in ("loop", "dangling", "text", "pipe", f"text{ending}/below", *LONG.values()):
        refuse(command, path)
    assert (folder / f"text{ending}").read_text(encoding="utf-8") == "hello\n"
    assert not (folder / "nowhere").exists()


@pytest.mark.parametrize("arguments", [("--annotate", ""), ("--annotate=",), ("",)])
def test_empty_name_does_not_mean_this_folder(folder, arguments):
    before = set(folder.iterdir())
    result = CliRunner().invoke(app, ["analyze", "photo.png", *arguments])
    assert result.exit_code == 2
    assert "is empty" in result.stderr
    assert set(folder.iterdir()) == before
