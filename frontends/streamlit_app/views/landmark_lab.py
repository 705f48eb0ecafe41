"""The page that shows how much an answer depends on where the landmarks are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

import streamlit as st

from core import (
    FaceAnalysis,
    ImageAnalysis,
    LandmarkNoise,
    Landmarks,
    ModelInfo,
    Reading,
    RgbImage,
    shift_landmarks,
)
from frontends.cards import cards_html
from frontends.streamlit_app.charts import curves_chart
from frontends.streamlit_app.closeup import draw_closeup
from frontends.streamlit_app.documents import DOCS
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import (
    analyzers,
    persist,
    ready_analyzer,
    show_loading_message,
    workspace,
)
from frontends.streamlit_app.views.model_page import find_faces, model_page
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.streamlit_app.views.sources import choose_one_photo
from frontends.wording import (
    display_name,
    escape_markdown,
    format_answer,
    format_face,
)

if TYPE_CHECKING:
    from core import Analyzer

_KINDS = {
    LandmarkNoise.JITTER: "Each point separately",
    LandmarkNoise.SHIFT: "All points together",
    LandmarkNoise.SCALE: "Larger or smaller",
    LandmarkNoise.ROTATION: "Turned",
    LandmarkNoise.EYES: "The eyes only",
    LandmarkNoise.MOUTH: "The mouth only",
}
_MOST = 60
"""Percent of the distance between the eyes; the eyes themselves are about half of it wide."""
_ERRORS = tuple(range(0, _MOST + 1, 10))
_DRAWS = 8
"""Directions over which the curve is averaged."""
_DIRECTION = "noise_direction"
_SHIFTED = "landmarks shifted by, %"
_RIGHT, _GIVEN = "Right answers", "Answers given"
_SHARE = {Reading.PEOPLE: "People who would say so", Reading.FER2013: "Probability"}
_SHARE_HELP = {
    Reading.PEOPLE: "the share of people who would say {}",
    Reading.FER2013: "how probable the label {} was",
}
STUDY_FILE = DOCS / "results" / "landmarks.json"
"""Written by `emotion study landmarks`."""


@model_page(
    "Landmark lab",
    "Before a network reads a face, points on its eyes and mouth (its landmarks) say how to turn "
    "and crop it. Shift them here and see how the answer changes.",
)
def page(models: Sequence[ModelInfo]) -> None:
    """Shift the landmarks and see how the answer changes."""
    config = choose_settings(models)
    analyzers().start_loading(config)
    photo = choose_one_photo()
    if photo is None:
        show_loading_message(config)
        return
    analyzer = ready_analyzer(config)
    answer = find_faces(photo, analyzer)
    if answer is not None:
        _show_lab(photo, answer, analyzer)


def _show_lab(photo: Photo, answer: ImageAnalysis, analyzer: Analyzer) -> None:
    face = _choose_face(photo, answer.faces)
    points = face.face.landmarks
    if points is None:
        st.info("No landmarks were found on this face, so it is cropped by its frame alone.")
        return
    left, right = st.columns([5, 4], gap="medium")
    with left:
        noise = st.selectbox(
            "What to shift",
            list(_KINDS),
            format_func=_KINDS.__getitem__,
            **persist("noise_kind"),
        )
        error = st.slider(
            "How far, in percent of the distance between the eyes",
            0,
            _MOST,
            10,
            **persist("noise_error"),
            help="Landmark models are compared by this figure. On clear photos good ones are off "
            "by 3 to 5 percent.",
        )
        st.button(
            "Shift them another way", icon=":material/shuffle:", on_click=_choose_next_direction
        )
        seed = st.session_state.get(_DIRECTION, 0)
        memory = workspace()
        face_key = (*photo.key, answer.provenance.config_digest, face.index)
        key = (*face_key, noise, error, seed)

        def answer_shifted() -> FaceAnalysis:
            shifted = shift_landmarks(points, noise, error / 100, seed=seed)
            (result,) = analyzer.analyze_faces(
                memory.turn_upright(photo, answer), [replace(face.face, landmarks=shifted)]
            )
            return replace(result, index=face.index)

        after = memory.results.get_admitted(("shifted", *key), answer_shifted)
        with st.container(key="picture"):
            st.image(
                memory.drawn.get(
                    ("closeup", *key),
                    lambda: draw_closeup(memory.decode_image(photo), answer, after),
                ),
                caption=f"Face {face.index} in {escape_markdown(display_name(answer.name))} with "
                f"its landmarks, shifted by {error}\u00a0%",
            )
    with right:
        st.markdown(_compare(face, after))
        st.html(cards_html((after,)))
        _show_study(analyzer.config.model, noise, at=error)
    with st.spinner("Trying other distances and directions."):
        rows = memory.results.get_admitted(
            ("curve", *face_key, noise),
            lambda: _try_shifts(memory.turn_upright(photo, answer), face, points, noise, analyzer),
        )
    st.subheader("How stable this answer is", anchor=False)
    _show_curves(rows, (_SHARE[face.reading], "Unchanged"), at=error)
    st.caption(
        f"This face, its landmarks shifted in {_DRAWS} different ways for each distance. Orange: "
        f"{_SHARE_HELP[face.reading].format(face.emotions.top)} on average; that is the most "
        "likely emotion with the landmarks as found. Blue: how often the most likely emotion "
        "stayed the same."
    )


def _show_curves(
    rows: Sequence[dict[str, float]],
    names: tuple[str, str],
    *,
    at: int,
    band: tuple[str, str] | None = None,
) -> None:
    chart = curves_chart(rows, names, over="error", title=_SHIFTED, at=at, band=band)
    st.vega_lite_chart(chart, height=280)


def _show_study(model: str, noise: LandmarkNoise, *, at: int) -> None:
    """Show the same curve over many faces, if `emotion study landmarks` measured it."""
    study = read_study(model, noise)
    if study is None:
        return
    faces, rows = study
    st.subheader(f"Measured on {faces:,} faces", anchor=False)
    _show_curves(rows, (_RIGHT, _GIVEN), at=at, band=("low", "high"))
    st.caption(
        "On faces that the network did not learn from: some of PublicTest, the validation part of "
        "the public face collection FER-2013. Orange: how many answers were the label that the "
        "face has there; the band shows how exact this figure is (95 % confidence interval). Blue: "
        'how many were not "Not sure". '
        "The vertical line is the distance chosen here."
    )


def read_study(model: str, noise: LandmarkNoise) -> tuple[int, list[dict[str, float]]] | None:
    """Return the number of faces and, for each error in percent, the figures of ``model``.

    None if they were not measured.
    """
    if not STUDY_FILE.exists():
        return None
    report = json.loads(STUDY_FILE.read_text(encoding="utf-8"))
    metrics = report["models"].get(model)
    if metrics is None:
        return None
    return report["found"], [
        {
            "error": 100 * each["error"],
            _RIGHT: 100 * each["accuracy"],
            "low": 100 * each["accuracy_interval"][0],
            "high": 100 * each["accuracy_interval"][1],
            _GIVEN: 100 * each["certain"],
        }
        for each in ({"error": 0.0, **metrics["aligned"]}, *metrics["noise"][noise.value])
    ]


def _choose_face(photo: Photo, faces: Sequence[FaceAnalysis]) -> FaceAnalysis:
    if len(faces) == 1:
        return faces[0]
    number = st.selectbox(
        "Face",
        range(len(faces)),
        format_func=lambda each: f"{faces[each].index} · {format_face(faces[each])}",
        **persist(f"face_{photo.digest}"),
    )
    return faces[number]


def _choose_next_direction() -> None:
    st.session_state[_DIRECTION] = st.session_state.get(_DIRECTION, 0) + 1


def _compare(before: FaceAnalysis, after: FaceAnalysis) -> str:
    with_found = f"with the landmarks as found it is **{format_face(before)}**"
    if format_answer(before.emotions) == format_answer(after.emotions):
        return f"The answer stays the same: {with_found}."
    return f"**The answer changed**: {with_found}."


def _try_shifts(
    image: RgbImage, face: FaceAnalysis, points: Landmarks, noise: LandmarkNoise, analyzer: Analyzer
) -> list[dict[str, float]]:
    faces = [
        replace(face.face, landmarks=shift_landmarks(points, noise, error / 100, seed=seed))
        for error in _ERRORS
        for seed in range(_DRAWS)
    ]
    top = face.emotions.top
    answers = [each.emotions for each in analyzer.analyze_faces(image, faces)]
    by_error = (answers[first : first + _DRAWS] for first in range(0, len(answers), _DRAWS))
    return [
        {
            "error": float(error),
            _SHARE[face.reading]: 100 * fmean(each[top] for each in drawn),
            "Unchanged": 100 * fmean(each.top is top for each in drawn),
        }
        for error, drawn in zip(_ERRORS, by_error, strict=True)
    ]
