"""Networks put together from stored graphs are those that OpenVINO converts from torch."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch

from core import WeightsCorrupt
from core.classifiers import ARCHITECTURES
from core.classifiers.network import network_of
from core.detectors.compact import compact_network
from core.detectors.hybrid import judge_network
from core.detectors.mtcnn import INPUT_SHAPES, mtcnn_network
from core.faces.covered import cover_network
from core.runtime.assembly import FOLDER, assemble_network
from core.runtime.openvino_engine import OPTIONS, convert_module, make_model, openvino_core
from core.weights import find_detector, read_check, read_spec
from training.learning.graphs import list_sources

NETWORKS = {
    **{name: lambda name=name: network_of(read_spec(name)) for name in ARCHITECTURES},
    **{name: lambda name=name: mtcnn_network(name) for name in INPUT_SHAPES},
    "judge": lambda: judge_network(find_detector("judge")),
    "compact": lambda: compact_network(find_detector("compact")),
    "covered": lambda: cover_network(read_check("covered")),
}
IN_GREY_VALUES = {"compact", "covered"}


@pytest.mark.parametrize("name", NETWORKS)
def test_not_a_bit_of_an_answer_differs_from_the_converted_network(name):
    network = NETWORKS[name]()
    batch, channels, *sides = network.input_shape
    shape = (abs(batch), channels, *(64 if side < 0 else side for side in sides))
    given = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    if name in IN_GREY_VALUES:
        given = np.clip(given * 60 + 120, 0, 255)
    converted = convert_module(network.build().eval(), torch.zeros(shape))
    converted.reshape(list(network.input_shape))
    answers = [
        openvino_core().compile_model(model, "CPU", OPTIONS)([given])[0]
        for model in (make_model(network), converted)
    ]
    assert np.ptp(answers[0]) > 0
    assert np.array_equal(*answers)


def test_stored_graphs_are_those_of_today_s_architectures(root, tmp_path):
    # In a process of its own: torch numbers some layers on.
    write = "import sys, pathlib; from training.learning.graphs import write_graphs; "
    command = [sys.executable, "-c", write + "write_graphs(pathlib.Path(sys.argv[1]))"]
    subprocess.run([*command, str(tmp_path)], cwd=root, check=True, timeout=240)
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(list_sources())
    for path in FOLDER.iterdir():
        refresh = "if this is intended, run `python -m training.learning.graphs`"
        assert read_members(path) == read_members(tmp_path / path.name), refresh


def read_members(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.pop("head.bias"),
        lambda weights: weights.update({"more": np.zeros(1, np.float32)}),
        lambda weights: weights.update({"head.bias": np.zeros(8, np.float32)}),
    ],
    ids=["missing", "too many", "other shape"],
)
def test_weights_of_another_network_are_refused(change):
    weights = read_spec("mobilenet_v2").load_arrays()
    change(weights)
    with pytest.raises(WeightsCorrupt, match="belong to another network"):
        assemble_network("mobilenet_v2", weights)
