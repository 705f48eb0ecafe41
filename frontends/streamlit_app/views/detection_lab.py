"""The page that shows what a higher or lower threshold of the face detector costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core import AnalyzerConfig, Face, ModelInfo
from frontends.choices import detector_title
from frontends.streamlit_app.charts import curves_chart
from frontends.streamlit_app.encoding import encode_for_screen
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import (
    analyzers,
    persist,
    ready_analyzer,
    show_loading_message,
    workspace,
)
from frontends.streamlit_app.views.model_page import model_page, show_refusal
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.streamlit_app.views.sources import choose_one_photo
from frontends.streamlit_app.workspace import ENLARGED, Refusal
from frontends.wording import display_name, escape_markdown

if TYPE_CHECKING:
    from core import DetectionFigures, DetectionPoint

_LOWEST = 0.05
"""The detector runs with this threshold, so that moving the slider does not run it again."""
_UNMEASURED = (*(level / 100 for level in range(5, 100)), 0.995, 0.999)
_USUAL = 0.9
"""Where the slider begins when nothing was measured."""


@model_page(
    "Detection lab",
    "The detector gives a score to everything that may be a face: the surer it is, the higher the "
    "score. Only what scores above the threshold is kept. Move the threshold to see which faces "
    "are kept.",
)
def page(models: Sequence[ModelInfo]) -> None:
    """Show the faces of one photo by threshold, and how good the detector is at each."""
    from core import detection_figures

    config = choose_settings(models, with_model=False, with_reading=False, with_threshold=False)
    widest = replace(config, detection_threshold=_LOWEST)
    analyzers().start_loading(config, widest)
    photo = choose_one_photo()
    figures = detection_figures(config.chosen_detector, config.preset)
    levels, start = _list_thresholds(config, figures)
    if photo is None:
        show_loading_message(config, widest)
        _show_measured(config, figures, start)
        return
    left, right = st.columns([3, 2], gap="medium")
    with left:
        threshold = _choose_threshold(config, levels, start)
        _show_faces(photo, config, widest, threshold)
    with right:
        _show_measured(config, figures, threshold)


def _list_thresholds(
    config: AnalyzerConfig, figures: DetectionFigures | None
) -> tuple[tuple[float, ...], float]:
    """Return the slider's thresholds, and the one of the operating point of the settings."""
    if figures is None:
        return _UNMEASURED, _USUAL
    levels = tuple(point.threshold for point in figures.curve)
    return levels, figures.at(figures.points[config.operating_point].threshold).threshold


def _choose_threshold(config: AnalyzerConfig, levels: tuple[float, ...], start: float) -> float:
    """Return the slider's threshold; it begins at ``start``."""
    return st.select_slider(
        "Threshold",
        levels,
        value=start,
        format_func=lambda level: f"{level:g}",
        help="It begins at the operating point chosen in the settings.",
        # Each detector, preset and operating point keeps a threshold of its own.
        **persist(f"threshold_{config.chosen_detector}_{config.preset}_{config.operating_point}"),
    )


def _show_faces(
    photo: Photo, config: AnalyzerConfig, widest: AnalyzerConfig, threshold: float
) -> None:
    """Show what the detector of ``widest`` finds in ``photo``, turned as with ``config``."""
    from core import annotate_detections

    analyzer = ready_analyzer(widest)
    name = escape_markdown(display_name(photo.name))
    memory = workspace()
    with st.spinner(f"Looking for faces in {name}."):
        answer = memory.answer(photo, ready_analyzer(config))
        if isinstance(answer, Refusal):
            show_refusal(photo.name, answer)
            return
        key = ("detections", *photo.key, answer.turned, widest.digest())
        faces = memory.results.get_admitted(
            key, lambda: analyzer.detect(memory.turn_upright(photo, answer))
        )
    with st.container(key="picture"):
        picture = memory.drawn.get(
            (*key, threshold),
            lambda: encode_for_screen(
                annotate_detections(
                    memory.turn_upright(photo, answer), faces, threshold, enlarged=ENLARGED
                )
            ),
        )
        st.image(picture, caption=f"{name}: {_format_count(faces, threshold)}")


def _format_count(faces: Sequence[Face], threshold: float) -> str:
    kept = sum(face.score >= threshold for face in faces)
    below = len(faces) - kept
    frames = "solid frame" if kept == 1 else "solid frames"
    sentence = f"{kept} {'face' if kept == 1 else 'faces'} kept"
    if not below:
        return sentence
    return f"{sentence}{f' ({frames})' if kept else ''}, {below} left out (dashed)"


def _show_measured(
    config: AnalyzerConfig, figures: DetectionFigures | None, threshold: float
) -> None:
    title = detector_title(config.chosen_detector)
    if figures is None:
        st.info(
            f"Nobody has measured {title} with these settings. To measure it, run "
            "`emotion detector tune`."
        )
        return
    here = figures.at(threshold)
    st.markdown(f"**Detector {title}, threshold {here.threshold:g}**")
    for column, (name, share, words) in zip(st.columns(3), _list_figures(here), strict=True):
        column.metric(name, f"{100 * share:.1f} %", help=words)
    st.markdown(
        f"About {100 * here.precision:.0f} of 100 frames hold a face, and about "
        f"{100 * here.recall:.0f} of 100 faces are framed."
    )
    rows = [
        {
            "threshold": each.threshold,
            **{name: 100 * share for name, share, _ in _list_figures(each)},
        }
        for each in figures.curve
    ]
    names = [name for name, _, _ in _list_figures(here)]
    st.vega_lite_chart(
        curves_chart(rows, names, over="threshold", title="threshold", at=here.threshold),
        height=280,
    )
    # The record ends in the name of a folder, which says nothing to a visitor.
    photos, _, _ = figures.data.partition(" of ")
    st.caption(
        f"Measured on a validation set of {escape_markdown(photos)} that no detector learned from, "
        f"on faces of at least {figures.min_size_px:.0f} pixels."
    )


def _list_figures(point: DetectionPoint) -> tuple[tuple[str, float, str], ...]:
    return (
        ("Precision", point.precision, "The share of frames that hold a face."),
        ("Recall", point.recall, "The share of faces that are framed."),
        ("F1", point.f1, "One figure for both: their harmonic mean."),
    )
