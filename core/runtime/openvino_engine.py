"""Networks compiled by OpenVINO for the processor at hand."""

from __future__ import annotations

import os
import sys
import warnings
from functools import cache
from threading import Lock
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from ..types import Float32Array


class OpenVinoRunner:
    """Runs a compiled module; every call has a request of its own, so threads do not meet."""

    def __init__(self, module: nn.Module, *, input_px: int) -> None:
        openvino = _openvino()
        example = torch.zeros(1, 3, input_px, input_px)
        with warnings.catch_warnings():
            # OpenVINO reads traced modules, and torch.jit.trace is what torch now calls deprecated.
            warnings.filterwarnings("ignore", message=".*torch.jit.*", category=FutureWarning)
            # Left to itself OpenVINO traces with a check that runs the module again and again, to
            # find control flow that these networks do not have; most of a cold start went there.
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                module.eval(), example, check_trace=False
            )
            model = openvino.convert_model(traced, example_input=example)
        model.reshape([-1, 3, input_px, input_px])
        # On processors with bfloat16 OpenVINO would choose it by itself; the answers
        # must equal torch's, so float32 is asked for.
        options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        self._compiled = _core().compile_model(model, "CPU", options)

    def run(self, batch: Float32Array) -> Float32Array:
        """(N, 3, S, S) float32 to (N, C) float32."""
        request = self._compiled.create_infer_request()
        request.infer({0: np.ascontiguousarray(batch)})
        return np.array(request.get_output_tensor(0).data, dtype=np.float32)


_made = Lock()


def _core() -> Any:
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
