"""The settings, each with one line of help."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import AnalyzerConfig, ModelInfo, Preset, detector_names
from frontends.choices import (
    CERTAIN_LEVELS,
    DETECTOR_HELP,
    LEVEL_HELP,
    MODEL_HELP,
    RECOMMENDED,
)
from frontends.wording import PRESET_HELP, model_facts, model_title

_THRESHOLDS: dict[str, float | None] = {
    RECOMMENDED: None,  # the level at which the detector was measured to be right most often
    **{f"{level:.2f}": level for level in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)},
}


def choose_settings(
    models: Sequence[ModelInfo], *, with_model: bool = True, with_preset: bool = True
) -> AnalyzerConfig:
    """What the visitor chose; at least one of ``models`` is trained.

    Without ``with_model`` the first trained one is taken and none is offered; without
    ``with_preset`` the page has its own.
    """
    trained = [info for info in models if info.trained]
    with st.sidebar:
        st.header("Settings", anchor=False)
        model = _model(trained) if with_model else trained[0]
        preset = _preset() if with_preset else Preset.BALANCED
        with st.expander("Advanced"):
            detector = _detector(detector_names())
            threshold = st.selectbox(
                "Face detection threshold",
                list(_THRESHOLDS),
                help="How sure the detector must be that something is a face. Lower finds more "
                "faces and takes more things for a face.",
                key="threshold",
                persist_state="session",
            )
            level = st.selectbox(
                "Not sure below",
                list(CERTAIN_LEVELS),
                help=LEVEL_HELP,
                key="certain_from",
                persist_state="session",
            )
        _untrained([info for info in models if not info.trained])
    return AnalyzerConfig(
        model=model.name,
        detector=detector,
        preset=preset,
        detection_threshold=_THRESHOLDS[threshold],
        certain_from=CERTAIN_LEVELS[level],
    )


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
    if facts := model_facts(chosen):
        st.caption(facts)
    return chosen


def _detector(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return st.selectbox(
        "Face detector",
        names,
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
