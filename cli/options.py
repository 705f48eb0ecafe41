"""Options that several commands share, written once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from core import Device, Preset, detector_names, model_names


def choice(name: str, values: tuple[str, ...]) -> type[StrEnum]:
    """An enumeration of ``values``, so that help lists them and a wrong one is refused."""
    return StrEnum(name, {value.upper(): value for value in values})


ModelName = choice("ModelName", model_names())
DetectorName = choice("DetectorName", detector_names())

ModelOption = Annotated[ModelName, typer.Option("--model", help="The network that answers.")]  # type: ignore[valid-type]
DetectorOption = Annotated[DetectorName, typer.Option("--detector", help="What finds the faces.")]  # type: ignore[valid-type]
PresetOption = Annotated[
    Preset,
    typer.Option(
        "--preset",
        help="fast sees photos at 640 px, balanced at 1024, thorough at 2048 with smaller faces.",
    ),
]
DeviceOption = Annotated[
    Device, typer.Option("--device", help="Where networks run; auto takes a GPU if there is one.")
]
