"""Networks compiled by OpenVINO for the processor at hand."""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..types import Float32Array, UInt8Array
from .model_cache import ModelCache
from .threads import thread_options

if TYPE_CHECKING:
    from . import Network, NetworkRunner

# On processors with bfloat16 OpenVINO would choose it by itself; the answers
# must equal torch's, so float32 is asked for. It would also tie its threads to the first cores,
# those of every process to the same ones: the workers of a batch would share a single core.
OPTIONS = {
    "INFERENCE_PRECISION_HINT": "f32",
    "PERFORMANCE_HINT": "LATENCY",
    "ENABLE_CPU_PINNING": "NO",
}


class OpenVinoRunner:
    """Runs a compiled model; calls at the same time have a request each, so threads never meet."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._idle: deque[Any] = deque()

    def run(self, batch: Float32Array) -> Float32Array:
        """(N, C, H, W) float32 to the model's one output, float32."""
        return self.outputs(batch)[0]

    def outputs(self, batch: Float32Array | UInt8Array) -> tuple[Float32Array, ...]:
        """The model's one input to all its outputs in its order, float32."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._model.create_infer_request()
        request.infer({0: np.ascontiguousarray(batch)})
        answers = tuple(np.array(each.data, dtype=np.float32) for each in request.output_tensors)
        self._idle.append(request)
        return answers


class RunnerByShape:
    """Gives a batch to the runner that was compiled for its shape, if there is one."""

    def __init__(
        self, usual: Mapping[tuple[int, ...], OpenVinoRunner], otherwise: OpenVinoRunner
    ) -> None:
        self._usual, self._otherwise = usual, otherwise

    def run(self, batch: Float32Array) -> Float32Array:
        """(N, C, H, W) float32 to the model's one output, float32."""
        return self._usual.get(batch.shape, self._otherwise).run(batch)


def openvino_runner(network: Network) -> NetworkRunner:
    """``network`` compiled for this processor: the copies that are kept, else made and kept."""
    model = cache(partial(convert, network))
    any_shape = OpenVinoRunner(_compile_or_load(network.fingerprint, network.input_shape, model))
    if not network.usual_shapes:
        return any_shape
    usual: dict[tuple[int, ...], OpenVinoRunner] = {
        shape: OpenVinoRunner(
            _compile_or_load(network.fingerprint, shape, partial(_fix_shape, model, shape))
        )
        for shape in network.usual_shapes
    }
    return RunnerByShape(usual, any_shape)


def _fix_shape(model: Callable[[], Any], shape: tuple[int, ...]) -> Any:
    """A copy of the model for one shape alone."""
    copy = model().clone()
    copy.reshape(list(shape))
    return copy


def compile_file(path: Path, *, mean: float, scale: float) -> Any:
    """A network in a file of a format that OpenVINO reads, compiled for this processor.

    It takes uint8 in the shape that the file gives its input; the mean is taken from each value,
    which is then divided by the scale.
    """

    def make() -> Any:
        types = _openvino().Type  # before any part of openvino is imported without it
        from openvino.preprocess import PrePostProcessor

        steps = PrePostProcessor(openvino_core().read_model(path))
        steps.input().tensor().set_element_type(types.u8)
        steps.input().preprocess().convert_element_type(types.f32).mean(mean).scale(scale)
        return steps.build()

    fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
    return _compile_or_load(f"{fingerprint} {mean} {scale}", (), make)


def _compile_or_load(
    fingerprint: str, input_shape: tuple[int, ...], make: Callable[[], Any]
) -> Any:
    """What ``make`` gives, compiled; kept under all it depends on where there's a fingerprint."""
    options = {**OPTIONS, **thread_options()}
    if not fingerprint:
        return openvino_core().compile_model(make(), "CPU", options)
    kept = ModelCache(
        fingerprint,
        str(input_shape),
        _openvino().get_version(),
        openvino_core().get_property("CPU", "FULL_DEVICE_NAME"),
        str(openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
        str(options),
    )
    blob = kept.read()
    if blob is not None:
        try:
            return openvino_core().import_model(BytesIO(blob), "CPU", options)
        except RuntimeError:  # whole, yet not to this OpenVINO's taste: made anew
            kept.drop()
    model = openvino_core().compile_model(make(), "CPU", options)
    kept.write(model.export_model().getvalue())
    return model


def convert(network: Network) -> Any:
    """``network`` as OpenVINO's own model."""
    import torch

    module = network.build().eval()
    batch, *sides = network.input_shape
    # One face, and a picture large enough that every layer has something to see.
    example = torch.zeros(abs(batch), *(64 if side < 0 else side for side in sides))
    with warnings.catch_warnings():
        # OpenVINO reads traced modules, and torch.jit.trace is what torch now calls deprecated.
        warnings.filterwarnings("ignore", message=".*torch.jit.*", category=FutureWarning)
        # Left to itself OpenVINO traces with a check that runs the module again and again, to
        # find control flow that these networks do not have; most of a cold start went there.
        traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        model = _openvino().convert_model(traced, example_input=example)
    model.reshape(list(network.input_shape))
    return model


_made = Lock()


def openvino_core() -> Any:
    """OpenVINO's core: one for the process, kept until its end.

    Its plugin gives the thread that loads it a stack for signal handlers, and takes that stack
    away when the core is dropped. Dropped in another thread, it leaves the first one pointing at
    nothing, and the next signal ends the process.
    """
    with _made:
        return _only_core()


@cache
def _only_core() -> Any:
    core = _openvino().Core()
    # It would take all processor cores, also where OpenMP, and with it torch, is told to take few.
    if (threads := os.environ.get("OMP_NUM_THREADS", "")).isdigit():
        core.set_property("CPU", {"INFERENCE_NUM_THREADS": int(threads)})
    return core


def _openvino() -> Any:
    """The openvino package with its telemetry kept out.

    Its converter reports every use to a web service, also without consent. A module entry
    of None makes the import of that part fail, and openvino then takes its own silent stub.
    """
    sys.modules.setdefault("openvino_telemetry", cast("Any", None))
    import openvino

    return openvino
