"""Writing the graphs from which :mod:`core.runtime.assembly` puts the networks together.

`python -m training.learning.graphs` writes all of them again.
"""

from __future__ import annotations

import json
import re
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import torch
from torch import nn

from core.classifiers import ARCHITECTURES
from core.classifiers.architectures import EmotionNetwork, find_architecture
from core.classifiers.network import graph_name
from core.detectors.compact import NAME as COMPACT
from core.detectors.compact_network import CompactNetwork
from core.detectors.mtcnn import INPUT_SHAPES, build_mtcnn_network
from core.faces.covered import NAME as COVERED
from core.faces.covered_network import CoveredNetwork
from core.runtime.assembly import CONSTANTS, FOLDER, STRUCTURE, WEIGHTS
from core.runtime.openvino_engine import import_openvino, trace
from core.weights import read_published

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""Time of every file in an archive, so that equal graphs are equal files."""


class Source(NamedTuple):
    """A network to convert, with the shape of an example of its input."""

    build: Callable[[], nn.Module]
    example: tuple[int, ...]


def list_sources() -> dict[str, Source]:
    """Return every network of which a graph is stored, by the graph's name."""
    sources = {
        graph_name(name, crowd=crowd): Source(
            partial(EmotionNetwork, find_architecture(name), crowd=crowd), (1, 3, 96, 96)
        )
        for name in ARCHITECTURES
        for crowd in (True, False)
    }
    sources[COMPACT] = Source(CompactNetwork, (1, 3, 64, 64))
    sources[COVERED] = Source(CoveredNetwork, (2, 1, 48, 48))
    for name, (batch, *sides) in INPUT_SHAPES.items():
        example = (abs(batch), *(64 if side < 0 else side for side in sides))
        sources[name] = Source(partial(build_mtcnn_network, name, read_published(name)), example)
    return sources


def write_graphs(folder: Path = FOLDER) -> list[Path]:
    """Write all graphs to ``folder``; return their files."""
    folder.mkdir(exist_ok=True)
    return [
        _write_archive(folder / f"{name}.zip", make_graph(source))
        for name, source in list_sources().items()
    ]


def make_graph(source: Source) -> dict[str, bytes]:
    """Return what the file of a graph holds, by name."""
    module = source.build().eval()
    model = _convert_without_fusing(module, torch.zeros(source.example))
    with tempfile.TemporaryDirectory() as made:
        structure, values = Path(made, "graph.xml"), Path(made, "graph.bin")
        import_openvino().serialize(model, structure, values)
        return _take_weights_out(
            ET.fromstring(structure.read_bytes()),  # noqa: S314 - OpenVINO wrote it just now
            values.read_bytes(),
            {key.removeprefix("network."): value for key, value in module.state_dict().items()},
        )


def _convert_without_fusing(module: nn.Module, example: torch.Tensor) -> Any:
    """Convert ``module``, without the transformations that ``openvino.convert_model`` adds."""
    import_openvino()  # before any part of it is imported without it
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.*", category=FutureWarning)
        decoder = TorchScriptPythonDecoder(trace(module, example), example_input=example)
        converter = FrontEndManager().load_by_framework("pytorch")
        return converter.convert(converter.load(decoder))


def _take_weights_out(
    structure: ET.Element, values: bytes, state: Mapping[str, torch.Tensor]
) -> dict[str, bytes]:
    """Return the layers with weights first and then the other constants, and both lists."""
    weights: list[tuple[str, list[int]]] = []
    others: dict[bytes, list[ET.Element]] = {}
    end = 0
    for layer in structure.iterfind("layers/layer"):
        # OpenVINO counts such names on, so they would differ from run to run.
        kind = layer.attrib["type"]
        if re.fullmatch(rf"{kind}_\d+", layer.attrib["name"]):
            layer.attrib["name"] = f"{kind}_{layer.attrib['id']}"
        if kind != "Const":
            continue
        (data,) = layer.iterfind("data")
        key = layer.attrib["name"].removeprefix("self.").removeprefix("network.")
        if key in state:
            weights.append((key, list(state[key].shape)))
            data.attrib["offset"] = str(end)
            end += int(data.attrib["size"])
        else:
            start, size = int(data.attrib["offset"]), int(data.attrib["size"])
            others.setdefault(values[start : start + size], []).append(data)
    constants = b""
    for value, layers in others.items():
        constants += bytes(-(end + len(constants)) % 8)  # aligned, as OpenVINO does
        for data in layers:
            data.attrib["offset"] = str(end + len(constants))
        constants += value
    return {
        STRUCTURE: ET.tostring(structure),
        CONSTANTS: constants,
        WEIGHTS: json.dumps(weights).encode(),
    }


def _write_archive(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(
                zipfile.ZipInfo(name, _LONG_AGO), data, zipfile.ZIP_DEFLATED, compresslevel=9
            )
    return path


if __name__ == "__main__":
    write_graphs()
