"""The settings, each with one line of help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core import AnalyzerConfig, ModelInfo, OperatingPoint, Preset, Reading, detector_names
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
    THRESHOLD_HELP,
    detector_title,
    format_point_metrics,
)
from frontends.streamlit_app.state import persist
from frontends.streamlit_app.views.model_page import show_how_to_get
from frontends.wording import format_model_metrics, model_title

_THRESHOLDS: dict[str, float | None] = {
    RECOMMENDED: None,  # the threshold of the operating point
    **{f"{level:.2f}": level for level in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)},
}


def choose_settings(
    models: Sequence[ModelInfo],
    *,
    with_model: bool = True,
    with_reading: bool = True,
    with_preset: bool = True,
    with_threshold: bool = True,
) -> AnalyzerConfig:
    """Return what the visitor chose; at least one of ``models`` is trained.

    Without ``with_model`` the first trained one is taken and none is offered; without
    ``with_reading`` the page shows no answers; without ``with_preset`` or ``with_threshold`` it has
    its own.
    """
    trained = [info for info in models if info.trained]
    with st.sidebar:
        st.header("Settings", anchor=False)
        reading = _choose_reading() if with_reading else Reading.PEOPLE
        model = _choose_model(trained, reading) if with_model else trained[0]
        # What a newcomer needs stands above; the rest works as it is.
        with st.expander("Advanced"):
            preset = _choose_preset() if with_preset else Preset.BALANCED
            place = st.container()
            detector = st.selectbox(
                DETECTOR_LABEL,
                [None, *detector_names()],
                format_func=lambda name: detector_title(name) if name else RECOMMENDED,
                help=DETECTOR_HELP,
                **persist("detector"),
            )
            threshold = RECOMMENDED
            if with_threshold:
                threshold = st.selectbox(
                    "Face detection threshold",
                    list(_THRESHOLDS),
                    help=THRESHOLD_HELP,
                    **persist("threshold"),
                )
            level = st.selectbox(
                LEVEL_LABEL,
                list(CERTAIN_LEVELS),
                help=LEVEL_HELP[reading],
                **persist("certain_from"),
            )
        chosen = AnalyzerConfig(
            model=model.name,
            detector=detector,
            reading=reading,
            preset=preset,
            detection_threshold=_THRESHOLDS[threshold],
            certain_from=CERTAIN_LEVELS[level],
        )
        with place:
            point = _choose_operating_point(chosen)
        untrained = [info for info in models if not info.trained]
        if untrained:
            with st.expander("More models"):
                st.caption("You can choose these once they are trained on this computer:")
                for info in untrained:
                    show_how_to_get(info)
    return replace(chosen, operating_point=point)


def _choose_reading() -> Reading:
    return st.radio(
        READING_LABEL,
        READING_TITLES,
        format_func=READING_TITLES.__getitem__,
        captions=list(READING_NOTES.values()),
        help=READING_HELP,
        **persist("reading"),
    )


def _choose_model(trained: Sequence[ModelInfo], reading: Reading) -> ModelInfo:
    if len(trained) == 1:
        st.markdown(f"**Model** · {model_title(trained[0])}")
        return trained[0]
    chosen = st.selectbox(
        "Model",
        trained,
        format_func=model_title,
        help=f"{MODEL_HELP} See the page About for more.",
        **persist("model"),
    )
    if metrics := format_model_metrics(chosen, reading):
        st.caption(metrics)
    return chosen


def _choose_preset() -> Preset:
    return st.radio(
        PRESET_LABEL,
        PRESET_HELP,
        index=list(PRESET_HELP).index(Preset.BALANCED),
        format_func=lambda preset: preset.value.capitalize(),
        captions=list(PRESET_HELP.values()),
        help=SMALLEST_FACE,
        **persist("preset"),
    )


def _choose_operating_point(config: AnalyzerConfig) -> OperatingPoint:
    from core import detection_figures

    figures = detection_figures(config.chosen_detector, config.preset)
    return st.radio(
        POINT_LABEL,
        POINT_TITLES,
        index=list(POINT_TITLES).index(OperatingPoint.BALANCED),
        format_func=POINT_TITLES.__getitem__,
        captions=[format_point_metrics(figures, point) for point in POINT_TITLES],
        # The visitor's own threshold replaces it.
        disabled=config.detection_threshold is not None,
        **persist("operating_point"),
    )
