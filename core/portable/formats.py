"""Writing networks as files of other runtimes, and running these files."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..runtime.openvino_engine import OPTIONS, convert_module, openvino_core, save_model
from ..types import Float32Array
from .file_format import ExportFormat

if TYPE_CHECKING:
    from torch import Tensor, nn

Run = Callable[[NDArray[Any]], tuple[Float32Array, ...]]
"""Runs a network on a batch and returns its outputs."""
_OPSET = 17
"""Of ONNX: old enough for every runtime of the last years."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Names and shapes of a network's input and outputs."""

    input: str
    outputs: tuple[str, ...]
    shape: tuple[int, ...]
    """Of the input; -1 where any length fits."""


def require_runtime(chosen: ExportFormat) -> None:
    """Raise ConfigError if a package that writes or runs files of a format is not installed."""
    if importlib.util.find_spec("torch") is None:
        raise ConfigError(
            "Exporting needs PyTorch, which is not installed.",
            hint="To install what training and measuring need: make training",
        )
    packages = ("onnx", "onnxruntime") if chosen is ExportFormat.ONNX else ()
    if missing := [name for name in packages if importlib.util.find_spec(name) is None]:
        raise ConfigError(
            f"Not installed, but needed for ONNX files: {', '.join(missing)}.",
            hint="Install them with `pip install -r requirements-onnx.txt`.",
        )


def write_network(
    module: nn.Module, example: Tensor, signature: Signature, stem: Path, chosen: ExportFormat
) -> list[Path]:
    """Write ``module`` beside ``stem`` with the endings of the format; return the files.

    ``example`` is an input of the usual size. Weights stay float32: with float16 probabilities
    change by up to .01.
    """
    files = [stem.with_name(stem.name + ending) for ending in chosen.endings]
    if chosen is ExportFormat.OPENVINO:
        model = convert_module(module, example)
        model.reshape(list(signature.shape))
        save_model(model, files[0], input_name=signature.input, output_names=signature.outputs)
        return files
    import torch

    lengths = {axis: f"axis{axis}" for axis, side in enumerate(signature.shape) if side < 0}
    axes: dict[str, dict[int, str]] = {name: {0: "axis0"} for name in signature.outputs}
    with warnings.catch_warnings():
        # Torch calls this exporter deprecated. The newer one takes ten times as long, and one more
        # package, for the same network.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (example,),
            files[0],
            input_names=[signature.input],
            output_names=list(signature.outputs),
            dynamic_axes={signature.input: lengths, **axes},
            opset_version=_OPSET,
            dynamo=False,
        )
    return files


def open_network(file: Path, chosen: ExportFormat) -> Run:
    """Return a function that runs the network in ``file`` with the format's own runtime."""
    if chosen is ExportFormat.OPENVINO:
        compiled = openvino_core().compile_model(file, "CPU", OPTIONS)

        def run_openvino(batch: NDArray[Any]) -> tuple[Float32Array, ...]:
            return tuple(np.array(each, np.float32) for each in compiled([batch]).values())

        return run_openvino
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()

    def run_onnx(batch: NDArray[Any]) -> tuple[Float32Array, ...]:
        return tuple(session.run(None, {given.name: batch}))

    return run_onnx
