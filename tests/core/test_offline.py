"""The real pipeline in a process of its own opens no connection and prints nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from PIL import Image

CODE = """
import json, sys, threading
from pathlib import Path

tried = []

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"):
        tried.append(f"{event} {arguments[1:]}")
        raise RuntimeError("no connection may be opened")

sys.addaudithook(watch)

from core import Analyzer, AnalyzerConfig, document, read_image

photo, weights = map(Path, sys.argv[1:])
config = AnalyzerConfig(engine="openvino", device="cpu", weights_dir=weights)
image = read_image(photo)
# Two at once, which must not disturb each other.
answers = []
def run():
    answers.append(document(Analyzer.from_config(config).analyze(image)))
threads = [threading.Thread(target=run) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
analyzer = Analyzer.from_config(config)
answer = analyzer.analyze(image)
maps = analyzer.explain(answer)
import openvino
sys.stderr.write("still heard")
json.dump({
    "answers": answers,
    "document": document(answer),
    "maps": len(maps),
    "tried": tried,
    "telemetry": repr(sys.modules.get("openvino_telemetry", "not looked for")),
    "openvino": "openvino" in sys.modules,
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def ran(root, astronaut, weights_dir, tmp_path_factory):
    """Return the standard output and error of a new process."""
    photo = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(astronaut).save(photo)
    shown = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE, photo, weights_dir],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout), shown.stderr


def test_photo_is_analyzed(ran):
    (face,) = ran[0]["document"]["faces"]
    assert face["landmarks"]["scheme"] == "face_mesh_468"
    assert face["quality"]["reasons"] == []
    assert ran[0]["maps"] == 1


def test_no_connection_is_opened(ran):
    assert ran[0]["tried"] == []


def test_openvino_runs_without_its_telemetry(ran):
    assert ran[0]["openvino"]
    assert ran[0]["telemetry"] == "None"


def test_nothing_is_written_to_standard_error(ran):
    assert ran[1] == "still heard"


def test_analyzers_loaded_at_the_same_time_give_the_same_answer(ran):
    answers = ran[0]["answers"]
    assert len(answers) == 2
    assert answers[0] == answers[1] == ran[0]["document"]
