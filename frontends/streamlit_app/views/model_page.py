"""What the pages that run models have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core import ImageAnalysis, ModelInfo, ProjectError, model_catalog
from frontends.figures import FiguresTable
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import workspace
from frontends.streamlit_app.views.turning import offer_turning
from frontends.streamlit_app.workspace import Refusal
from frontends.wording import (
    NO_FACE,
    NO_FACE_HELP,
    NOTHING_TRAINED,
    display_name,
    escape_markdown,
    model_title,
)

if TYPE_CHECKING:
    from core import Analyzer


def model_page(
    title: str, introduction: str
) -> Callable[[Callable[[Sequence[ModelInfo]], None]], Callable[[], None]]:
    """Make a page of a function that shows its content for a catalog with a trained model.

    The page says what is wrong where no model is trained or the content raises ProjectError.
    """

    def decorate(show_content: Callable[[Sequence[ModelInfo]], None]) -> Callable[[], None]:
        def page() -> None:
            st.title(title, anchor=False)
            st.markdown(introduction)
            try:
                models = model_catalog()
                if any(info.trained for info in models):
                    show_content(models)
                else:
                    _show_nothing_trained(models)
            except ProjectError as error:
                st.error(f"{escape_markdown(error.message)}\n\n{escape_markdown(error.hint)}")
                st.button("Try again")  # runs the page again, with the photos it has

        return page

    return decorate


def _show_nothing_trained(models: Sequence[ModelInfo]) -> None:
    st.warning(f"{NOTHING_TRAINED} Train one with one of these commands, then reload this page.")
    for info in models:
        if info.how_to_get.startswith("emotion "):
            show_how_to_get(info)


def show_how_to_get(info: ModelInfo) -> None:
    """Show a model's title and the command, or the words, that say how to get it."""
    st.markdown(f"**{model_title(info)}**")
    if info.how_to_get.startswith("emotion "):
        st.code(info.how_to_get, language=None, wrap_lines=True)
    else:
        st.caption(info.how_to_get.capitalize() + ".")


def find_faces(photo: Photo, analyzer: Analyzer) -> ImageAnalysis | None:
    """Return the answer for ``photo``; None, after saying why, if it has no face to show."""
    with st.spinner(f"Looking for faces in {escape_markdown(display_name(photo.name))}."):
        answer = workspace().answer(photo, analyzer)
    if isinstance(answer, Refusal):
        show_refusal(photo.name, answer)
    elif not answer.faces:
        show_no_face(photo, answer)
    else:
        return answer
    return None


def show_tables(tables: Iterable[FiguresTable]) -> None:
    """Show measured figures, each table below its title and what its figures mean."""
    for each in tables:
        st.markdown(f"**{each.title}**\n\n{each.text}")
        st.table(each.rows)


def show_refusal(name: str, refused: Refusal) -> None:
    """Say why a photo was not answered, and what to do."""
    title = escape_markdown(display_name(name))
    message, hint = escape_markdown(refused.message), escape_markdown(refused.hint)
    st.error(f"**{title}** could not be read. {message}\n\n{hint}")


def show_no_face(photo: Photo, analysis: ImageAnalysis) -> None:
    """Show the picture, and what to try."""
    left, right = st.columns([5, 4], gap="medium")
    with left, st.container(key="picture"):
        st.image(
            workspace().draw(photo, analysis), caption=escape_markdown(display_name(analysis.name))
        )
        offer_turning(photo, analysis)
    with right:
        st.info(f"**{NO_FACE}**\n\n{NO_FACE_HELP}")
