"""The networks before the emotion model: face detection, landmarks and the check for cover."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import Device, Engine
from ..detectors.compact import NAME as COMPACT
from ..detectors.compact import PAD_TO, compact_network
from ..detectors.hybrid import JUDGE, judge_network
from ..detectors.mtcnn import mtcnn_network
from ..errors import ProjectError
from ..faces.covered import NAME as COVERED
from ..faces.covered import PARTS, cover_network
from ..landmarks.mesh_networks import MESH_PX, POINTS, find_mesh_file, load_mesh_runner
from ..runtime import Network, runner_for
from ..runtime.openvino_engine import read_file, save_model
from ..weights import find_detector, read_check
from .file_format import ExportFormat
from .formats import Run, Signature, open_network, write_network
from .parity import LIMIT

_MTCNN_INPUT = "RGB of squares around candidates, (value - 127.5) / 128"
_OFFSETS = "offsets of x1, y1, x2, y2 as shares of the square's side"
OUR_LICENCE = "MIT"


@dataclass(frozen=True, slots=True)
class Part:
    """A network with what its numbers mean."""

    name: str
    purpose: str
    input: str
    output: str
    licence: str
    network: Callable[[Path | None], Network]
    """Returns it; the argument is the folder with the weights, None the shipped one."""
    sides: tuple[int, int] | None = None
    """Of the input that is tried, where any are possible."""


PARTS_BEFORE = (
    Part(
        COMPACT,
        "proposes faces in a whole photo",
        f"RGB, 0..255; sides padded on the right and below to multiples of {PAD_TO} with 114",
        "for each cell the logit of a face, then x1, y1, x2, y2 in pixels",
        OUR_LICENCE,
        lambda folder: compact_network(find_detector(COMPACT, folder)),
        (3 * PAD_TO, 2 * PAD_TO),
    ),
    Part(
        "refinement",
        "drops proposals and moves the rest (MTCNN's second network)",
        _MTCNN_INPUT,
        f"probability of a face, then {_OFFSETS}",
        "MIT (facenet-pytorch)",
        lambda _folder: mtcnn_network("rnet"),
    ),
    Part(
        JUDGE,
        "decides which of them are faces, and places five points",
        _MTCNN_INPUT,
        f"probability of a face, {_OFFSETS}, then x of both eyes, nose and both corners of the "
        "mouth, then their y, as shares of the side",
        OUR_LICENCE,
        lambda folder: judge_network(find_detector(JUDGE, folder)),
    ),
    Part(
        COVERED,
        "finds covered parts of an aligned face",
        "grey, 0..255; average the output with that of the mirrored face",
        f"logits: {', '.join(PARTS)}",
        OUR_LICENCE,
        lambda folder: cover_network(read_check(COVERED, folder)),
    ),
)
MESH = "face_mesh"


def list_part_files(chosen: ExportFormat) -> list[str]:
    """Return the names of the files that :func:`write_parts` writes."""
    names = [part.name + ending for part in PARTS_BEFORE for ending in chosen.endings]
    mesh = (".tflite",) if chosen is ExportFormat.ONNX else chosen.endings
    return [*names, *(MESH + ending for ending in mesh)]


def write_parts(
    folder: Path, chosen: ExportFormat, weights_dir: Path | None
) -> dict[str, dict[str, Any]]:
    """Write all networks before the emotion model, checked; return their descriptions by name.

    ProjectError if a written network answers otherwise than this program.
    """
    described = {part.name: _write_part(part, folder, chosen, weights_dir) for part in PARTS_BEFORE}
    described[MESH] = _write_mesh(folder, chosen)
    return described


def _write_part(
    part: Part, folder: Path, chosen: ExportFormat, weights_dir: Path | None
) -> dict[str, Any]:
    import torch

    network = part.network(weights_dir)
    _, channels, *sides = network.input_shape
    shape = (-1, channels, *sides)
    signature = Signature("input", ("output",), shape)
    usual = (64, 64) if part.sides else sides
    example = torch.zeros(2, channels, *usual)
    files = write_network(network.build().eval(), example, signature, folder / part.name, chosen)
    random = np.random.default_rng(0)
    tried = random.uniform(-1, 1, (1, channels, *(part.sides or sides))).astype(np.float32)
    if "0..255" in part.input:
        tried = (tried + 1) * np.float32(127.5)
    runner = runner_for(network, engine=Engine.AUTO, device=Device.CPU)
    # The check for cover takes a face and its mirror image at once.
    pair = np.repeat(tried, max(network.input_shape[0], 1), axis=0)
    _require_same(part.name, open_network(files[0], chosen), pair, runner.run(pair))
    return {
        "purpose": part.purpose,
        "file": files[0].name,
        "input": {"shape": _name_free_axes(shape), "type": "float32", "values": part.input},
        "output": part.output,
        "licence": part.licence,
    }


def _write_mesh(folder: Path, chosen: ExportFormat) -> dict[str, Any]:
    """Write MediaPipe's mesh: as it is for ONNX, for which there is no converter worth trusting."""
    source = find_mesh_file()
    if chosen is ExportFormat.ONNX:
        file = folder / f"{MESH}.tflite"
        shutil.copyfile(source, file)
        kind, values = "float32", "RGB, 0..1"
    else:
        file = folder / f"{MESH}.xml"
        names = ("points", "presence")
        model = read_file(source, mean=0, scale=255)
        save_model(model, file, input_name="input", output_names=names)
        view = np.random.default_rng(0).integers(0, 256, (1, MESH_PX, MESH_PX, 3), np.uint8)
        _require_same(MESH, open_network(file, chosen), view, load_mesh_runner().outputs(view)[0])
        kind, values = "uint8", "RGB"
    return {
        "purpose": "places points on a face, from which eyes and mouth are taken for alignment",
        "file": file.name,
        "input": {"shape": [1, MESH_PX, MESH_PX, 3], "type": kind, "values": values},
        "output": f"{POINTS} points (x, y in pixels of the input, depth), then the logit of a face",
        "licence": "Apache-2.0 (MediaPipe)",
    }


def _require_same(name: str, run: Run, batch: NDArray[Any], expected: NDArray[np.float32]) -> None:
    if not np.allclose(run(batch)[0], expected, rtol=LIMIT, atol=LIMIT):
        raise ProjectError(
            f"The exported network {name} answers differently.",
            hint="Nothing was written. Check the installation with `emotion doctor`.",
        )


def _name_free_axes(shape: tuple[int, ...]) -> list[int | str]:
    return [length if length > 0 else name for length, name in zip(shape, "N?HW", strict=True)]
