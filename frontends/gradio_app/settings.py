"""The settings of the page, which all its tabs share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from core import AnalyzerConfig, OperatingPoint, Preset, Reading
from frontends.choices import (
    CERTAIN_LEVELS,
    DETECTOR_HELP,
    DETECTOR_LABEL,
    LEVEL_HELP,
    LEVEL_LABEL,
    MODEL_HELP,
    POINT_LABEL,
    POINT_TITLES,
    PRESET_HELP,
    PRESET_LABEL,
    READING_HELP,
    READING_LABEL,
    READING_NOTES,
    READING_TITLES,
    RECOMMENDED,
    SMALLEST_FACE,
    detector_title,
)

RECOMMENDED_VALUE = RECOMMENDED.lower()
"""What a caller of the API sends for the level stored with the model."""
AUTOMATIC = "automatic"
"""What it sends for the preset's own detector, and for a photo that is turned by its faces."""


def build_settings_fields(
    models: Sequence[tuple[str, str]],
    presets: Sequence[Preset] = tuple(Preset),
    detectors: Sequence[str] = (),
    points: Sequence[OperatingPoint] = tuple(OperatingPoint),
    readings: Sequence[Reading] = tuple(Reading),
) -> list[Any]:
    """Build a field for each setting, in the order in which :func:`make_config` takes their values.

    ``models`` are the text shown for each and its name; the first one is the default. A field with
    a single choice is hidden and serves the API alone.
    """
    with gr.Accordion("Settings", open=False, elem_id="settings"), gr.Row():
        with gr.Column(min_width=260):
            reading = _build_reading_field(readings)
            model = gr.Radio(
                list(models),
                value=models[0][1],
                label="Model",
                info=MODEL_HELP,
                visible=len(models) > 1,
            )
        preset = gr.Radio(
            [(f"{each.value.capitalize()}: {PRESET_HELP[each]}", each.value) for each in presets],
            value=(Preset.BALANCED if Preset.BALANCED in presets else presets[0]).value,
            label=PRESET_LABEL,
            info=SMALLEST_FACE,
            visible=len(presets) > 1,
            min_width=260,
        )
        with gr.Column(min_width=260):
            detector = gr.Radio(
                [(RECOMMENDED, AUTOMATIC), *((detector_title(n), n) for n in detectors)],
                value=AUTOMATIC,
                label=DETECTOR_LABEL,
                info=f"{DETECTOR_HELP} {RECOMMENDED}: the one that fits how thoroughly to look.",
                visible=len(detectors) > 1,
            )
            usual = OperatingPoint.BALANCED
            point = gr.Radio(
                [(POINT_TITLES[each], each.value) for each in points],
                value=(usual if usual in points else points[0]).value,
                label=POINT_LABEL,
                visible=len(points) > 1,
            )
            level = _build_level_field(readings[0])
    return [model, preset, detector, point, level, reading]


def _build_reading_field(readings: Sequence[Reading]) -> gr.Radio:
    return gr.Radio(
        [(f"{READING_TITLES[each]}: {READING_NOTES[each]}", each.value) for each in readings],
        value=readings[0].value,
        label=READING_LABEL,
        info=READING_HELP,
        visible=len(readings) > 1,
    )


def _build_level_field(reading: Reading) -> gr.Dropdown:
    return gr.Dropdown(
        [
            (label, RECOMMENDED_VALUE if value is None else value)
            for label, value in CERTAIN_LEVELS.items()
        ],
        value=RECOMMENDED_VALUE,
        label=LEVEL_LABEL,
        info=LEVEL_HELP[reading],
    )


# The API has the same names; Gradio passes the values by position.
def make_config(  # noqa: PLR0917
    model: str,
    preset: str = Preset.BALANCED,
    detector: str = AUTOMATIC,
    operating_point: str = OperatingPoint.BALANCED,
    certain_from: str | float = RECOMMENDED_VALUE,
    reading: str = Reading.PEOPLE,
) -> AnalyzerConfig:
    """Return the configuration for the values of the fields; ConfigError if they are invalid."""
    return AnalyzerConfig(
        model=model,
        preset=Preset(preset),
        detector=None if detector == AUTOMATIC else detector,
        operating_point=OperatingPoint(operating_point),
        certain_from=None if certain_from == RECOMMENDED_VALUE else float(certain_from),
        reading=Reading(reading),
    )


def parse_turn(value: str) -> int | None:
    """Return degrees clockwise, None for automatic; the field has checked the value."""
    return None if value == AUTOMATIC else int(value)
