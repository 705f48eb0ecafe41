"""What changes when a network computes in fewer bits: accuracy, calibration, time."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core.classifiers.network import NetworkClassifier, network_of
from core.labels import Reading
from core.runtime.openvino_engine import OPTIONS, OpenVinoRunner, make_model, openvino_core
from core.types import Float32Array
from core.weights import WeightsSpec, read_spec

from ..data.faces import FaceSet, read_faces
from ..data.splits import Split
from ..evaluation.metrics import compute_calibration_error, compute_headlines
from ..evaluation.speed import summarize_seconds, time_in_turns

CALIBRATION_FACES = 300
"""Training faces that set the range of each layer for int8; NNCF's default."""
BATCH = 64
ROUNDS = 15


def compare_precisions(data: Sequence[Path]) -> dict[str, Any]:
    """Return accuracy, calibration error and times on the validation faces in ``data``.

    By precision: float32 always, bfloat16 where the processor supports it, int8 where NNCF is
    installed, which needs training faces in ``data``. Nothing is fitted to the validation faces.
    """
    faces = read_faces(data, Split.VALIDATION)
    spec = read_spec("mobilenet_v2")
    networks = {
        name: NetworkClassifier(spec, OpenVinoRunner(compiled))
        for name, compiled in _compile(spec, data).items()
    }
    logits = {name: network.logits(faces.images) for name, network in networks.items()}
    one, many = (
        time_in_turns(
            {name: [partial(each.logits, faces.images[:count])] for name, each in networks.items()},
            ROUNDS,
        )
        for count in (1, BATCH)
    )
    return {
        name: {
            **_measure_quality(rows, logits["f32"], faces, spec),
            "ms_per_face": summarize_seconds(one[name])["p50_ms"],
            "faces_per_s": round(BATCH / min(many[name])),
        }
        for name, rows in logits.items()
    }


def _compile(spec: WeightsSpec, data: Sequence[Path]) -> dict[str, Any]:
    core = openvino_core()
    model = make_model(network_of(spec))
    compiled = {"f32": core.compile_model(model, "CPU", OPTIONS)}
    if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        lower = {**OPTIONS, "INFERENCE_PRECISION_HINT": "bf16"}
        compiled["bf16"] = core.compile_model(model, "CPU", lower)
    if importlib.util.find_spec("nncf") is not None:
        compiled["int8"] = core.compile_model(_quantize(model, spec, data), "CPU", OPTIONS)
    return compiled


def _quantize(model: Any, spec: WeightsSpec, data: Sequence[Path]) -> Any:
    import nncf

    faces = read_faces(data, Split.TRAIN)
    chosen = np.random.default_rng(0).choice(len(faces), CALIBRATION_FACES, replace=False)
    batches = [spec.preprocessing(faces.images[index][None]) for index in chosen]
    return nncf.quantize(model, nncf.Dataset(batches), subset_size=CALIBRATION_FACES)


def _measure_quality(
    logits: Float32Array, exact: Float32Array, faces: FaceSet, spec: WeightsSpec
) -> Mapping[str, float]:
    probabilities, exact_probabilities = (
        spec.calibrations[Reading.FER2013].probabilities(rows) for rows in (logits, exact)
    )
    metrics = compute_headlines(probabilities, faces.labels)
    return {
        "accuracy": round(metrics["accuracy"], 4),
        "macro_f1": round(metrics["macro_f1"], 4),
        "ece": round(compute_calibration_error(probabilities, faces.labels), 4),
        "other_answers": int(
            (probabilities.argmax(axis=1) != exact_probabilities.argmax(axis=1)).sum()
        ),
    }
