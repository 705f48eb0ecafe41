"""The page that shows what an answer owes to well-placed landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import streamlit as st

from core import (
    FaceAnalysis,
    ImageAnalysis,
    LandmarkNoise,
    ProjectError,
    RgbImage,
    model_catalog,
    shift_landmarks,
)
from frontends.face_card import cards_html
from frontends.streamlit_app.charts import curves_chart
from frontends.streamlit_app.closeup import draw_closeup
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import (
    ready_analyzer,
    show_loading_message,
    start_loading,
    workspace,
)
from frontends.streamlit_app.views.analyze import show_nothing_trained, show_problem
from frontends.streamlit_app.views.answer import show_no_face, show_refusal
from frontends.streamlit_app.views.landmark_study import read_noise_study
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.streamlit_app.views.sources import choose_one_photo
from frontends.streamlit_app.workspace import Refusal
from frontends.wording import (
    display_name,
    escape_markdown,
    format_answer,
    format_emotion,
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
_MISPLACED = "landmarks misplaced by, %"


def page() -> None:
    """Misplace the landmarks and watch the answer move."""
    st.title("Landmark lab", anchor=False)
    st.markdown(
        "Before a face is read, points on its eyes and mouth (its landmarks) tell how to turn and "
        "cut it. Here you can misplace them and watch the answer move."
    )
    try:
        models = model_catalog()
        if not any(info.trained for info in models):
            show_nothing_trained(models)
            return
        config = choose_settings(models)
        start_loading(config)
        photo = choose_one_photo()
        if photo is None:
            show_loading_message(config)
            return
        analyzer = ready_analyzer(config)
        with st.spinner(f"Looking for faces in {escape_markdown(display_name(photo.name))}."):
            answer = workspace().answer(photo, analyzer)
        if isinstance(answer, Refusal):
            show_refusal(photo.name, answer)
        elif not answer.faces:
            show_no_face(photo, answer)
        else:
            _lab(photo, answer, analyzer)
    except ProjectError as error:
        show_problem(error)


def _lab(photo: Photo, answer: ImageAnalysis, analyzer: Analyzer) -> None:
    face = _chosen(photo, answer.faces)
    points = face.face.landmarks
    if points is None:
        st.info("No landmarks were found on this face: it is cut out by its frame alone.")
        return
    left, right = st.columns([5, 4], gap="medium")
    with left:
        noise = st.selectbox(
            "What to shift",
            list(_KINDS),
            format_func=_KINDS.__getitem__,
            key="noise_kind",
            persist_state="session",
        )
        error = st.slider(
            "How far, in percent of the distance between the eyes",
            0,
            _MOST,
            10,
            key="noise_error",
            persist_state="session",
            help="Landmark models are compared by this figure. On clear photos good ones err by "
            "3 to 5 percent.",
        )
        st.button("Another direction", icon=":material/shuffle:", on_click=_turn_on)
        seed = _direction()
        key = (*_face_key(photo, answer, face), noise, error, seed)
        memory = workspace()

        def moved() -> FaceAnalysis:
            placed = shift_landmarks(points, noise, error / 100, seed=seed)
            (result,) = analyzer.analyze_faces(
                memory.image(photo), [replace(face.face, landmarks=placed)]
            )
            return replace(result, index=face.index)

        after = cast("FaceAnalysis", memory.remember(("moved", *key), moved))
        with st.container(key="picture"):
            st.image(
                memory.get_picture(
                    ("closeup", *key), lambda: draw_closeup(memory.image(photo), answer, after)
                ),
                caption=f"Face {face.index} in {escape_markdown(display_name(answer.name))} with "
                f"its landmarks, misplaced by {error}\u00a0%",
            )
    with right:
        st.markdown(_compared(face, after))
        st.html(cards_html((after,)))
        _study(analyzer.config.model, noise, at=error)
    _curve(photo, answer, face, noise, analyzer, at=error)


def _face_key(photo: Photo, answer: ImageAnalysis, face: FaceAnalysis) -> tuple[object, ...]:
    return (photo.name, photo.digest, answer.provenance.config_digest, face.index)


def _study(model: str, noise: LandmarkNoise, *, at: int) -> None:
    """The same question asked of many faces, where `emotion study landmarks` was run."""
    study = read_noise_study(model, noise)
    if study is None:
        return
    st.subheader(f"Measured on {study.faces:,} faces", anchor=False)
    names = ("Right", "Answered as sure")
    st.vega_lite_chart(
        curves_chart(
            study.rows, names, over="error", title=_MISPLACED, at=at, band=("low", "high")
        ),
        height=280,
    )
    st.caption(
        "Faces that the network had not learned from: of PublicTest, the validation part of the "
        "public face collection FER-2013. Right: how many answers agree with the label, the band "
        "being its 95 % interval. The upright line is the error chosen here."
    )


def _chosen(photo: Photo, faces: Sequence[FaceAnalysis]) -> FaceAnalysis:
    if len(faces) == 1:
        return faces[0]
    number = st.selectbox(
        "Face",
        range(len(faces)),
        format_func=lambda each: f"{faces[each].index} · {format_face(faces[each])}",
        key=f"face_{photo.digest}",
        persist_state="session",
    )
    return faces[number]


def _direction() -> int:
    return int(st.session_state.get("noise_direction", 0))


def _turn_on() -> None:
    st.session_state["noise_direction"] = _direction() + 1


def _compared(before: FaceAnalysis, after: FaceAnalysis) -> str:
    well_placed = f"with the landmarks as they were found it is **{format_face(before)}**"
    if format_answer(before.emotions) == format_answer(after.emotions):
        return f"The answer stays: {well_placed}."
    return f"**The answer changed**: {well_placed}."


def _curve(
    photo: Photo,
    answer: ImageAnalysis,
    face: FaceAnalysis,
    noise: LandmarkNoise,
    analyzer: Analyzer,
    *,
    at: int,
) -> None:
    key = ("curve", *_face_key(photo, answer, face), noise)
    with st.spinner("Trying other errors and directions."):
        found = workspace().remember(
            key, lambda: _tried(workspace().image(photo), face, noise, analyzer)
        )
    rows = cast("list[dict[str, float]]", found)
    top = format_emotion(face.emotions.top)
    st.subheader("How well this answer holds", anchor=False)
    names = ("Probability", "Unchanged")
    st.vega_lite_chart(curves_chart(rows, names, over="error", title=_MISPLACED, at=at), height=280)
    st.caption(
        f"This face, {_DRAWS} directions at each error. Probability: that of {top}, the answer "
        "with the landmarks as they were found, on average. Unchanged: how often the most "
        "probable emotion stayed the same."
    )


def _tried(
    image: RgbImage, face: FaceAnalysis, noise: LandmarkNoise, analyzer: Analyzer
) -> list[dict[str, float]]:
    points = face.face.landmarks
    if points is None:
        raise RuntimeError("expected landmarks, got none")
    faces = [
        replace(face.face, landmarks=shift_landmarks(points, noise, error / 100, seed=seed))
        for error in _ERRORS
        for seed in range(_DRAWS)
    ]
    top = face.emotions.top
    answers = [each.emotions for each in analyzer.analyze_faces(image, faces)]
    rows = []
    for place, error in enumerate(_ERRORS):
        some = answers[place * _DRAWS : (place + 1) * _DRAWS]
        rows.append(
            {
                "error": float(error),
                "Probability": 100 * sum(each[top] for each in some) / _DRAWS,
                "Unchanged": 100 * sum(each.top is top for each in some) / _DRAWS,
            }
        )
    return rows
