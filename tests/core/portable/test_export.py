"""Exported networks answer as this program does, and nothing of anybody's is overwritten."""

from __future__ import annotations

import hashlib
import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.main import app
from core import (
    ConfigError,
    ExportFormat,
    ProjectError,
    Reading,
    export_models,
)
from core.classifiers.model import load_trained_model
from core.config import Device, Engine
from core.portable import formats, parity
from core.portable.formats import open_network
from core.portable.parity import make_faces

EVERY = tuple(ExportFormat)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return the folder with the default model in both formats, and all networks for ONNX."""
    pytest.importorskip("onnxruntime", reason="needs requirements-onnx.txt")
    folder = tmp_path_factory.mktemp("elsewhere") / "exported"
    for chosen in EVERY:
        whole = chosen is ExportFormat.ONNX
        export_models(["mobilenet_v2"], chosen, folder, faces=make_faces(8), whole=whole)
    return folder


@pytest.fixture(scope="module")
def model():
    return load_trained_model(
        "mobilenet_v2", weights_dir=None, engine=Engine.OPENVINO, device=Device.CPU
    )


def read_description(folder, chosen):
    return json.loads((folder / f"mobilenet_v2.{chosen}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("chosen", EVERY)
def test_file_gives_both_readings_of_faces_it_never_saw(exported, model, chosen):
    faces = make_faces(20)[8:]
    run = open_network(exported / read_description(exported, chosen)["file"], chosen)
    for rows in (faces, faces[:1]):
        logits = model.logits(rows)
        for found, reading in zip(run(rows[:, None]), Reading, strict=True):
            expected = model.calibrations[reading].probabilities(logits)
            # See core/portable/parity.py for what the file's own resizing may change.
            assert np.abs(found - expected).max() < 5e-3


@pytest.mark.parametrize("chosen", EVERY)
def test_description_has_what_a_reader_of_the_file_needs(exported, model, chosen):
    facts = read_description(exported, chosen)
    assert [output["name"] for output in facts["outputs"]] == ["people", "fer2013"]
    for output in facts["outputs"]:
        assert output["certain_from"] == model.calibrations[output["name"]].certain_from
    assert facts["compared"]["largest_difference"] < 1e-5
    for name, checksum in facts["sha256"].items():
        assert hashlib.sha256((exported / name).read_bytes()).hexdigest() == checksum
    assert set(facts["networks_before"]) == (
        {"compact", "refinement", "judge", "covered", "face_mesh"}
        if chosen is ExportFormat.ONNX
        else set()
    )


@pytest.mark.slow
def test_ensemble_is_one_graph(tmp_path):
    result = export_models(["ensemble"], ExportFormat.OPENVINO, tmp_path, faces=make_faces(4))
    assert result[0].parity.largest_difference < 1e-5


def test_earlier_export_is_replaced_and_anything_else_is_not(exported, tmp_path):
    for file in exported.glob("mobilenet_v2.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    options = {"faces": make_faces(1)}
    export_models(["mobilenet_v2"], ExportFormat.OPENVINO, tmp_path, **options)
    weights = tmp_path / "mobilenet_v2.bin"
    weights.write_bytes(b"mine")
    with pytest.raises(ConfigError, match="not an earlier result"):
        export_models(["mobilenet_v2"], ExportFormat.OPENVINO, tmp_path, **options)
    assert weights.read_bytes() == b"mine"
    export_models(["mobilenet_v2"], ExportFormat.OPENVINO, tmp_path, overwrite=True, **options)
    assert weights.read_bytes() != b"mine"


def test_network_that_answers_otherwise_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    real = parity.ModelGraph.forward
    monkeypatch.setattr(
        parity.ModelGraph,
        "forward",
        lambda self, faces: tuple(x + 0.002 for x in real(self, faces)),
    )
    monkeypatch.setattr(parity, "make_faces", lambda: make_faces(2))
    out = tmp_path / "out"
    command = ["export", "--format", "openvino", "--out", str(out)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert "answers differently" in result.output
    assert not out.exists()


def test_difference_that_is_not_a_number_is_refused(model):
    from core.portable.graph import ModelGraph
    from core.weights import read_models

    faces = make_faces(1)
    nan = np.full((1, 7), np.nan, np.float32)
    with pytest.raises(ProjectError, match="answers differently"):
        parity.compare_readings(
            lambda _: (nan, nan), ModelGraph(read_models()["mobilenet_v2"]), model, faces
        )


def test_missing_package_is_named(monkeypatch, tmp_path):
    there = {"torch": True}
    monkeypatch.setattr(formats.importlib.util, "find_spec", there.get)
    with pytest.raises(ConfigError, match="onnx, onnxruntime") as error:
        export_models(["mobilenet_v2"], ExportFormat.ONNX, tmp_path)
    assert "requirements-onnx.txt" in error.value.hint


def test_examples_of_the_page_read_an_aligned_face(root, exported, monkeypatch, capsys):
    text = (root / "docs" / "export.md").read_text(encoding="utf-8")
    crop, onnx, openvino = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(exported.parent)
    photo = root / "docs" / "images" / "astronaut.jpg"
    exec(compile(crop.replace("docs/images/astronaut.jpg", str(photo)), "crop", "exec"), made := {})
    (face,) = made["analysis"].faces
    expected = [
        f"{reading} happy {face.readings[reading][face.emotions.top]:.3f}" for reading in Reading
    ]
    for code in (onnx, openvino):
        exec(compile(code, "docs/export.md", "exec"), {})
        assert [line.strip() for line in capsys.readouterr().out.splitlines()] == expected
