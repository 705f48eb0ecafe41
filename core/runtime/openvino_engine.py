"""Networks compiled by OpenVINO for the processor at hand."""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..types import Float32Array, UInt8Array
from .model_cache import ModelCache

if TYPE_CHECKING:
    from torch import Tensor, nn

    from . import Network

# Without these, OpenVINO would use bfloat16 where the processor has it, but the answers must equal
# torch's; and it would pin the threads of every process to the same first cores, so that the
# workers of a batch would share a single core.
OPTIONS = {
    "INFERENCE_PRECISION_HINT": "f32",
    "PERFORMANCE_HINT": "LATENCY",
    "ENABLE_CPU_PINNING": "NO",
}

_thread_limit: ContextVar[int | None] = ContextVar("thread_limit", default=None)


@contextmanager
def thread_limit(threads: int | None) -> Iterator[None]:
    """Limit the threads of networks that this thread compiles inside the block; None: no limit."""
    before = _thread_limit.set(threads)
    try:
        yield
    finally:
        _thread_limit.reset(before)


class OpenVinoRunner:
    """Runs a compiled model; each concurrent call has its own request, so threads may share it."""

    def __init__(
        self, model: Any, usual: Mapping[tuple[int, ...], OpenVinoRunner] | None = None
    ) -> None:
        """``usual`` are runners compiled for the shape of a batch, used instead of this one."""
        self._model = model
        self._usual = usual or {}
        self._idle: deque[Any] = deque()

    def run(self, batch: Float32Array) -> Float32Array:
        """Return the model's first output, float32, for (N, C, H, W) float32."""
        return self.outputs(batch)[0]

    def input_shape(self, index: int) -> tuple[int, ...]:
        """Return the shape of an input; -1 where any length fits."""
        return tuple(
            each.get_length() if each.is_static else -1
            for each in self._model.inputs[index].partial_shape
        )

    def outputs(
        self, batch: Float32Array | UInt8Array, *others: Float32Array
    ) -> tuple[Float32Array, ...]:
        """Return all outputs of the model in order, float32, for all of its inputs."""
        if batch.shape in self._usual:
            return self._usual[batch.shape].outputs(batch)
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._model.create_infer_request()
        request.infer(
            {index: np.ascontiguousarray(each) for index, each in enumerate((batch, *others))}
        )
        answers = tuple(np.array(each.data, dtype=np.float32) for each in request.output_tensors)
        self._idle.append(request)
        return answers


def openvino_runner(network: Network) -> OpenVinoRunner:
    """Load ``network`` compiled for this processor from the cache, or compile and cache it."""
    model = cache(partial(make_model, network))
    any_shape = compile_or_load(network.fingerprint, network.input_shape, model)
    usual: dict[tuple[int, ...], OpenVinoRunner] = {
        shape: OpenVinoRunner(
            compile_or_load(network.fingerprint, shape, partial(_fix_shape, model, shape))
        )
        for shape in network.usual_shapes
    }
    return OpenVinoRunner(any_shape, usual)


def _fix_shape(model: Callable[[], Any], shape: tuple[int, ...]) -> Any:
    """Return a copy of the model for one shape."""
    copy = model().clone()
    copy.reshape(list(shape))
    return copy


def compile_file(path: Path, *, mean: float, scale: float) -> OpenVinoRunner:
    """Return a runner of the network in a file of a format that OpenVINO reads.

    Its input is uint8 in the shape given by the file; the mean is subtracted from each value, which
    is then divided by the scale.
    """
    make = partial(read_file, path, mean=mean, scale=scale)
    fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
    return OpenVinoRunner(compile_or_load(f"{fingerprint} {mean} {scale}", (), make))


def compile_or_load(fingerprint: str, input_shape: tuple[int, ...], make: Callable[[], Any]) -> Any:
    """Compile what ``make`` returns, or load it from the cache if there is a fingerprint."""
    options = dict(OPTIONS)
    if (limit := _thread_limit.get()) is not None:
        options["INFERENCE_NUM_THREADS"] = str(limit)
    if not fingerprint:
        return openvino_core().compile_model(make(), "CPU", options)
    kept = ModelCache(
        fingerprint,
        str(input_shape),
        import_openvino().get_version(),
        openvino_core().get_property("CPU", "FULL_DEVICE_NAME"),
        str(openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
        str(options),
    )
    blob = kept.read()
    if blob is not None:
        try:
            return openvino_core().import_model(BytesIO(blob), "CPU", options)
        except RuntimeError:  # intact but rejected by this OpenVINO version; recompile
            kept.drop()
    model = openvino_core().compile_model(make(), "CPU", options)
    kept.write(model.export_model().getvalue())
    return model


def make_model(network: Network) -> Any:
    """Return OpenVINO's model of ``network`` for its input shape."""
    model = network.assemble()
    model.reshape(list(network.input_shape))
    return model


def convert_module(module: nn.Module, example: Tensor) -> Any:
    """Convert ``module`` to OpenVINO's model; the example's sides are not fixed in it."""
    return import_openvino().convert_model(trace(module, example), example_input=example)


def trace(module: nn.Module, example: Tensor) -> Any:
    """Return what torch records while ``module`` runs on ``example``, which OpenVINO reads."""
    import torch

    with warnings.catch_warnings():
        # Torch calls torch.jit.trace deprecated.
        warnings.filterwarnings("ignore", message=".*torch.jit.*", category=FutureWarning)
        # The check would run the module several times to find control flow, which it lacks.
        return torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]


def read_file(path: Path, *, mean: float, scale: float) -> Any:
    """Return the model in a file of a format that OpenVINO reads; see :func:`compile_file`."""
    types = import_openvino().Type  # before any part of openvino is imported without it
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(openvino_core().read_model(path))
    steps.input().tensor().set_element_type(types.u8)
    steps.input().preprocess().convert_element_type(types.f32).mean(mean).scale(scale)
    return steps.build()


def save_model(model: Any, path: Path, *, input_name: str, output_names: Sequence[str]) -> None:
    """Write OpenVINO's model to ``path``, an .xml file, and its float32 weights beside it."""
    model.inputs[0].get_tensor().set_names({input_name})
    for output, name in zip(model.outputs, output_names, strict=True):
        output.get_tensor().set_names({name})
    import_openvino().save_model(model, path, compress_to_fp16=False)


_core_lock = Lock()


def openvino_core() -> Any:
    """Return OpenVINO's core, of which the process has one until its end.

    Its plugin gives the loading thread a stack for signal handlers and frees it when the core is
    dropped. If another thread drops it, the first one is left with a dangling pointer, and the next
    signal ends the process.
    """
    with _core_lock:
        return _only_core()


@cache
def _only_core() -> Any:
    core = import_openvino().Core()
    # It would use all processor cores even if OpenMP, and with it torch, may use only a few.
    if (threads := os.environ.get("OMP_NUM_THREADS", "")).isdigit():
        core.set_property("CPU", {"INFERENCE_NUM_THREADS": int(threads)})
    return core


def import_openvino() -> Any:
    """Return the openvino package without its telemetry.

    Its converter reports every use to a web service, even without consent. A module entry of None
    makes the import of that part fail, and openvino then uses its own silent stub.
    """
    sys.modules.setdefault("openvino_telemetry", cast("Any", None))
    import openvino

    return openvino
