"""The settings, each with one line of help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core import AnalyzerConfig, ModelInfo, OperatingPoint, Preset, detector_names
from frontends.choices import (
    CERTAIN_LEVELS,
    DETECTOR_HELP,
    LEVEL_HELP,
    MODEL_HELP,
    POINT_LABEL,
    POINT_TITLES,
    RECOMMENDED,
    THRESHOLD_HELP,
    detector_title,
    format_point_metrics,
)
from frontends.wording import PRESET_HELP, format_model_metrics, model_title

_THRESHOLDS: dict[str, float | None] = {
    RECOMMENDED: None,  # the threshold of the operating point
    **{f"{level:.2f}": level for level in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)},
}


def choose_settings(
    models: Sequence[ModelInfo],
    *,
    with_model: bool = True,
    with_preset: bool = True,
    with_threshold: bool = True,
) -> AnalyzerConfig:
    """What the visitor chose; at least one of ``models`` is trained.

    Without ``with_model`` the first trained one is taken and none is offered; without
    ``with_preset`` or ``with_threshold`` the page has its own.
    """
    trained = [info for info in models if info.trained]
    with st.sidebar:
        st.header("Settings", anchor=False)
        model = _model(trained) if with_model else trained[0]
        preset = _preset() if with_preset else Preset.BALANCED
        place = st.container()
        with st.expander("Advanced"):
            detector = _detector(detector_names())
            threshold = _threshold() if with_threshold else None
            level = st.selectbox(
                "Not sure below",
                list(CERTAIN_LEVELS),
                help=LEVEL_HELP,
                key="certain_from",
                persist_state="session",
            )
        chosen = AnalyzerConfig(
            model=model.name,
            detector=detector,
            preset=preset,
            detection_threshold=threshold,
            certain_from=CERTAIN_LEVELS[level],
        )
        with place:
            point = _operating_point(chosen)
        _untrained([info for info in models if not info.trained])
    return replace(chosen, operating_point=point)


def _operating_point(config: AnalyzerConfig) -> OperatingPoint:
    from core import detection_figures

    points = list(OperatingPoint)
    figures = detection_figures(config.chosen_detector, config.preset)
    return st.radio(
        POINT_LABEL,
        points,
        index=points.index(OperatingPoint.BALANCED),
        format_func=POINT_TITLES.__getitem__,
        captions=[format_point_metrics(figures, point) for point in points],
        # A threshold of one's own takes its place.
        disabled=config.detection_threshold is not None,
        key="operating_point",
        persist_state="session",
    )


def _threshold() -> float | None:
    chosen = st.selectbox(
        "Face detection threshold",
        list(_THRESHOLDS),
        help=THRESHOLD_HELP,
        key="threshold",
        persist_state="session",
    )
    return _THRESHOLDS[chosen]


def _preset() -> Preset:
    presets = list(Preset)
    return st.radio(
        "How thoroughly to look for faces",
        presets,
        index=presets.index(Preset.BALANCED),
        format_func=lambda preset: preset.value.capitalize(),
        captions=[PRESET_HELP[preset] for preset in Preset],
        key="preset",
        persist_state="session",
    )


def _model(trained: Sequence[ModelInfo]) -> ModelInfo:
    if len(trained) == 1:
        st.markdown(f"**Model** · {model_title(trained[0])}")
        return trained[0]
    chosen = st.selectbox(
        "Model",
        trained,
        format_func=model_title,
        help=f"{MODEL_HELP} The page About tells more.",
        key="model",
        persist_state="session",
    )
    if facts := format_model_metrics(chosen):
        st.caption(facts)
    return chosen


def _detector(names: Sequence[str]) -> str | None:
    return st.selectbox(
        "Face detector",
        [None, *names],
        format_func=lambda name: RECOMMENDED if name is None else detector_title(name),
        help=DETECTOR_HELP,
        key="detector",
        persist_state="session",
    )


def _untrained(models: Sequence[ModelInfo]) -> None:
    if not models:
        return
    with st.expander("More models"):
        st.caption("These can be chosen here once they are trained on this computer:")
        for info in models:
            st.markdown(f"**{model_title(info)}**")
            if info.how_to_get.startswith("emotion "):
                st.code(info.how_to_get, language=None, wrap_lines=True)
            else:
                st.caption(info.how_to_get.capitalize() + ".")
