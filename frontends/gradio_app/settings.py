"""The settings of the page, which all its tabs share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from core import AnalyzerConfig, Preset
from frontends.choices import CERTAIN_LEVELS, DETECTOR_HELP, LEVEL_HELP, MODEL_HELP, RECOMMENDED
from frontends.wording import PRESET_HELP

RECOMMENDED_VALUE = RECOMMENDED.lower()
"""What a caller of the API sends for the level stored with the model."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen; the first of each is the default."""

    models: Sequence[tuple[str, str]]
    """What is told of a model, and its name."""
    presets: Sequence[Preset]
    detectors: Sequence[str]


@dataclass(frozen=True, slots=True)
class Settings:
    """The fields."""

    model: gr.Radio
    preset: gr.Radio
    detector: gr.Radio
    level: gr.Dropdown

    @property
    def fields(self) -> list[Any]:
        """In the order in which :func:`config_of` takes their values."""
        return [self.model, self.preset, self.detector, self.level]


def settings_fields(offer: Offer) -> Settings:
    """Draws the fields; a single choice is no choice, its field is kept for the API alone."""
    first = Preset.BALANCED
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
            value=(first if first in offer.presets else offer.presets[0]).value,
            label="How thoroughly to look for faces",
            visible=len(offer.presets) > 1,
            min_width=260,
        )
        with gr.Column(min_width=260):
            detector = gr.Radio(
                list(offer.detectors),
                value=offer.detectors[0],
                label="Face detector",
                info=DETECTOR_HELP,
                visible=len(offer.detectors) > 1,
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
    return Settings(model, preset, detector, level)


def config_of(
    model: str,
    preset: str = Preset.BALANCED,
    detector: str = "",
    certain_from: str | float = RECOMMENDED_VALUE,
) -> AnalyzerConfig:
    """What the values of the fields ask for; ConfigError if they make no sense."""
    chosen: dict[str, Any] = {"detector": detector} if detector else {}
    if certain_from != RECOMMENDED_VALUE:
        chosen["certain_from"] = certain_from
    return AnalyzerConfig(model=model, preset=Preset(preset), **chosen)
