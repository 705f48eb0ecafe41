"""The whole way with the real parts, in a process of its own: silent, and without any network."""

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
# Two at once: what each starts by itself must not disturb the other.
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
    """What a fresh process said: its standard output and error."""
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


def test_photo_is_answered(ran):
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


def test_analyzers_made_at_once_answer_alike(ran):
    answers = ran[0]["answers"]
    assert len(answers) == 2
    assert answers[0] == answers[1] == ran[0]["document"]
