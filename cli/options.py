"""Options that several commands share, written once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from core import Device, OperatingPoint, Preset, detector_names, model_names

# Made from the registries, so that help lists what there is and a wrong name is refused.
ModelName = StrEnum("ModelName", {name.upper(): name for name in model_names()})  # type: ignore[misc]
DetectorName = StrEnum("DetectorName", {name.upper(): name for name in detector_names()})  # type: ignore[misc]
DEFAULT_MODEL = ModelName("mobilenet_v2")

ModelOption = Annotated[
    ModelName,
    typer.Option(
        "--model", help="The network that answers; ensemble asks all three and takes the longest."
    ),
]
DetectorOption = Annotated[
    DetectorName | None,
    typer.Option("--detector", help="What finds the faces.  [default: the preset's]"),
]
OperatingPointOption = Annotated[
    OperatingPoint,
    typer.Option(
        "--operating-point",
        help="precision takes fewer things for a face, recall misses fewer faces.",
    ),
]
PresetOption = Annotated[
    Preset,
    typer.Option(
        "--preset",
        help="How thoroughly to look for faces; thorough finds smaller ones in large photos.",
    ),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--detection-threshold",
        metavar="0..1",
        help="Score from which something counts as a face.  [default: the operating point's]",
    ),
]
CertainOption = Annotated[
    float | None,
    typer.Option(
        "--certain-from",
        metavar="0..1",
        help="Probability below which the answer is not sure.  [default: the model's]",
    ),
]
DeviceOption = Annotated[
    Device, typer.Option("--device", help="Where networks run; auto takes a GPU if there is one.")
]
