"""Networks as OpenVINO's models, put together from a stored graph and a weight file without torch.

A graph is what OpenVINO's converter makes of the network in torch before it fuses any layers, with
the names of the weights in place of their values. `python -m training.learning.graphs` writes the
graphs; it is needed only after a change of an architecture.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import WeightsCorrupt
from ..types import Float32Array
from .openvino_engine import import_openvino, openvino_core

FOLDER = Path(__file__).with_name("graphs")
STRUCTURE, CONSTANTS, WEIGHTS = "structure.xml", "constants.bin", "weights.json"
"""What a graph's file holds: OpenVINO's layers, the constants that are no weights, and the weights
as a list of [name, shape]. The layers expect the weights, in this order and float32, and then the
constants."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The layers of a network, without weights."""

    structure: bytes
    constants: bytes
    weights: tuple[tuple[str, tuple[int, ...]], ...]
    """Name and shape of each weight."""


@lru_cache
def read_graph(name: str) -> Graph:
    """Return the stored graph ``name``."""
    with zipfile.ZipFile(FOLDER / f"{name}.zip") as file:
        weights = tuple((key, tuple(shape)) for key, shape in json.loads(file.read(WEIGHTS)))
        return Graph(file.read(STRUCTURE), file.read(CONSTANTS), weights)


def assemble_network(name: str, weights: Mapping[str, Float32Array]) -> Any:
    """Return OpenVINO's model of the graph ``name`` with ``weights``, the state dict by key.

    WeightsCorrupt if names or shapes differ from the graph's.
    """
    graph = read_graph(name)
    if dict(graph.weights) != {key: value.shape for key, value in weights.items()}:
        raise WeightsCorrupt(
            "The weights belong to another network: names or shapes of layers differ.",
            hint="Train it again with `emotion train`.",
        )
    openvino = import_openvino()
    count = sum(prod(shape) for _, shape in graph.weights)
    # The model shares this memory, so it is OpenVINO's own and not numpy's.
    memory = openvino.Tensor(openvino.Type.u8, [4 * count + len(graph.constants)])
    floats = memory.data[: 4 * count].view(np.float32)
    start = 0
    for key, shape in graph.weights:
        end = start + prod(shape)
        floats[start:end] = weights[key].reshape(-1)
        start = end
    memory.data[4 * count :] = np.frombuffer(graph.constants, np.uint8)
    model = openvino_core().read_model(graph.structure, memory)
    # Both as the converter does, so that not a bit of an answer differs: a division stays one
    # instead of a product with the reciprocal, and batch normalization is folded into its
    # convolution.
    for layer in model.get_ops():
        if layer.get_type_name() == "Divide":
            layer.get_rt_info()["nonconvertable_divide_0"] = True
    from openvino._offline_transformations import apply_moc_transformations

    apply_moc_transformations(model, cf=False, smart_reshape=True)
    return model
