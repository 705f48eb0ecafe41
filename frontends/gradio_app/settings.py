"""The settings of the page, which all its tabs share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import gradio as gr

from core import AnalyzerConfig, OperatingPoint, Preset
from frontends.choices import (
    CERTAIN_LEVELS,
    DETECTOR_HELP,
    LEVEL_HELP,
    MODEL_HELP,
    POINT_LABEL,
    POINT_TITLES,
    RECOMMENDED,
    detector_title,
)
from frontends.wording import PRESET_HELP

RECOMMENDED_VALUE = RECOMMENDED.lower()
"""What a caller of the API sends for the level stored with the model."""
AUTOMATIC = "automatic"
"""What it sends for the preset's own detector."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen; the first of each is the default."""

    models: Sequence[tuple[str, str]]
    """Text shown for each model, and its name."""
    presets: Sequence[Preset]
    detectors: Sequence[str]
    points: Sequence[OperatingPoint]


@dataclass(frozen=True, slots=True)
class Settings:
    """The fields."""

    model: gr.Radio
    preset: gr.Radio
    detector: gr.Radio
    point: gr.Radio
    level: gr.Dropdown

    @property
    def fields(self) -> list[Any]:
        """In the order in which :func:`config_of` takes their values."""
        return [self.model, self.preset, self.detector, self.point, self.level]


def settings_fields(offer: Offer) -> Settings:
    """Draws the fields; a single choice is no choice, its field is kept for the API alone."""
    with gr.Accordion("Settings", open=False, elem_id="settings"), gr.Row():
        model = gr.Radio(
            list(offer.models),
            value=offer.models[0][1],
            label="Model",
            info=MODEL_HELP,
            visible=len(offer.models) > 1,
            min_width=260,
        )
        preset = gr.Radio(
            [
                (f"{each.value.capitalize()}: {PRESET_HELP[each]}", each.value)
                for each in offer.presets
            ],
            value=_default(Preset.BALANCED, offer.presets),
            label="How thoroughly to look for faces",
            visible=len(offer.presets) > 1,
            min_width=260,
        )
        with gr.Column(min_width=260):
            detector = gr.Radio(
                [("Automatic", AUTOMATIC), *((detector_title(n), n) for n in offer.detectors)],
                value=AUTOMATIC,
                label="Face detector",
                info=f"{DETECTOR_HELP} Automatic takes the one that fits how thoroughly to look.",
                visible=len(offer.detectors) > 1,
            )
            point = gr.Radio(
                [(POINT_TITLES[each], each.value) for each in offer.points],
                value=_default(OperatingPoint.BALANCED, offer.points),
                label=POINT_LABEL,
                visible=len(offer.points) > 1,
            )
            level = gr.Dropdown(
                [
                    (label, RECOMMENDED_VALUE if value is None else value)
                    for label, value in CERTAIN_LEVELS.items()
                ],
                value=RECOMMENDED_VALUE,
                label="Not sure below",
                info=LEVEL_HELP,
            )
    return Settings(model, preset, detector, point, level)


def _default(usual: StrEnum, offered: Sequence[StrEnum]) -> str:
    return (usual if usual in offered else offered[0]).value


def config_of(
    model: str,
    preset: str = Preset.BALANCED,
    detector: str = AUTOMATIC,
    operating_point: str = OperatingPoint.BALANCED,
    certain_from: str | float = RECOMMENDED_VALUE,
) -> AnalyzerConfig:
    """What the values of the fields ask for; ConfigError if they make no sense."""
    return AnalyzerConfig(
        model=model,
        preset=Preset(preset),
        detector=None if detector == AUTOMATIC else detector,
        operating_point=OperatingPoint(operating_point),
        certain_from=None if certain_from == RECOMMENDED_VALUE else float(certain_from),
    )
