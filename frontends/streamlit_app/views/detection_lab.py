"""The page that shows what the threshold of the face detector trades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core import AnalyzerConfig, Face, InputError, ProjectError, model_catalog
from frontends.choices import detector_title
from frontends.streamlit_app.charts import curves_chart
from frontends.streamlit_app.detections_picture import draw_detections_jpeg
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import (
    ready_analyzer,
    show_loading_message,
    start_loading,
    workspace,
)
from frontends.streamlit_app.views.analyze import show_nothing_trained, show_problem
from frontends.streamlit_app.views.answer import show_refusal
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.streamlit_app.views.sources import choose_one_photo
from frontends.streamlit_app.workspace import Refusal
from frontends.wording import display_name, escape_markdown

if TYPE_CHECKING:
    from core import DetectionFigures, DetectionPoint

_LOWEST = 0.05
"""From here on the detector is asked, so that moving the threshold asks it nothing more."""
_UNMEASURED = (*(level / 100 for level in range(5, 100)), 0.995, 0.999)
_USUAL = 0.9
"""Where the slider begins when nothing was measured."""


def page() -> None:
    """The faces of one photo by threshold, and how good the detector was measured to be there."""
    from core import detection_figures

    st.title("Detection lab", anchor=False)
    st.markdown(
        "Whatever the detector takes for a face has a score, which says how sure it is. It counts "
        "only above the threshold. Move the threshold to see which faces are kept."
    )
    try:
        models = model_catalog()
        if not any(info.trained for info in models):
            show_nothing_trained(models)
            return
        config = choose_settings(models, with_model=False, with_threshold=False)
        widest = replace(config, detection_threshold=_LOWEST)
        start_loading(widest)
        photo = choose_one_photo()
        figures = detection_figures(config.chosen_detector, config.preset)
        left, right = st.columns([3, 2], gap="medium")
        with left:
            threshold = _threshold(config, figures)
            if photo is None:
                show_loading_message(widest)
            else:
                _faces(photo, widest, threshold)
        with right:
            _measured(config, figures, threshold)
    except ProjectError as error:
        show_problem(error)


def _threshold(config: AnalyzerConfig, figures: DetectionFigures | None) -> float:
    """What the slider is set to; it begins at the operating point of the settings."""
    if figures is None:
        levels, start = _UNMEASURED, _USUAL
    else:
        levels = tuple(point.threshold for point in figures.curve)
        start = figures.at(figures.points[config.operating_point].threshold).threshold
    return st.select_slider(
        "Threshold",
        levels,
        value=start,
        format_func=lambda level: f"{level:g}",
        help="It begins at the operating point chosen in the settings.",
        # Another detector or operating point begins anew, and each is remembered.
        key=f"threshold_{config.chosen_detector}_{config.preset}_{config.operating_point}",
        persist_state="session",
    )


def _faces(photo: Photo, widest: AnalyzerConfig, threshold: float) -> None:
    analyzer = ready_analyzer(widest)
    name = escape_markdown(display_name(photo.name))
    try:
        with st.spinner(f"Looking for faces in {name}."):
            faces = workspace().detections(photo, analyzer)
    except InputError as error:
        show_refusal(photo.name, Refusal(error.message, error.hint))
        return
    with st.container(key="picture"):
        picture = workspace().get_picture(
            ("candidates", photo.name, photo.digest, widest.digest(), threshold),
            lambda: draw_detections_jpeg(workspace().image(photo), faces, threshold),
        )
        st.image(picture, caption=f"{name}: {_counted(faces, threshold)}")


def _counted(faces: Sequence[Face], threshold: float) -> str:
    kept = sum(face.score >= threshold for face in faces)
    sentence = f"{kept} {'face counts' if kept == 1 else 'faces count'} from {threshold:g} on"
    below = len(faces) - kept
    return f"{sentence}, {below} below it with a dashed line" if below else sentence


def _measured(config: AnalyzerConfig, figures: DetectionFigures | None, threshold: float) -> None:
    title = detector_title(config.chosen_detector)
    if figures is None:
        st.info(
            f"How good {title} is was not measured with these settings. To measure it: "
            "`emotion detector tune`."
        )
        return
    here = figures.at(threshold)
    st.markdown(f"**{title} at {here.threshold:g}**")
    for column, (name, share, words) in zip(st.columns(3), _told(here), strict=True):
        column.metric(name, f"{100 * share:.1f} %", help=words)
    st.markdown(
        f"Of 100 frames about {100 * here.precision:.0f} hold a face, and of 100 faces about "
        f"{100 * here.recall:.0f} are framed."
    )
    rows = [
        {
            "threshold": each.threshold,
            **{name: 100 * share for name, share, _ in _told(each)},
        }
        for each in figures.curve
    ]
    names = [name for name, _, _ in _told(here)]
    st.vega_lite_chart(
        curves_chart(rows, names, over="threshold", title="threshold", at=here.threshold),
        height=280,
    )
    # What is recorded ends in the name of a folder, which tells a visitor nothing.
    photos, _, _ = figures.data.partition(" of ")
    st.caption(
        f"Measured on a validation set of {escape_markdown(photos)}, from which no detector "
        f"learned; faces of {figures.min_size_px:.0f} pixels and more."
    )


def _told(point: DetectionPoint) -> tuple[tuple[str, float, str], ...]:
    return (
        ("Precision", point.precision, "How many of the frames hold a face."),
        ("Recall", point.recall, "How many of the faces are framed."),
        ("F1", point.f1, "One figure for both: their harmonic mean."),
    )
