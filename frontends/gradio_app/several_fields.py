"""The fields that answer several photos at once, as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import gradio as gr

from core import FailedFile, ImageAnalysis, ProjectError
from frontends.analyzers import Analyzers
from frontends.cards import table_html
from frontends.gradio_app.answering import Update, answer_photo, format_notice_html
from frontends.gradio_app.downloads import save_table
from frontends.gradio_app.photo_upload import PhotosUpload, UploadedPhoto
from frontends.gradio_app.settings import make_config
from frontends.wording import describe_faces, display_name, format_face_count

MAX_PHOTOS = 10
"""They take turns with the photos of other visitors only after the last one."""
_LIMIT = f"Up to {MAX_PHOTOS} photos; for more, use `emotion batch` on your own computer."


def build_several_fields(
    analyzers: Analyzers, settings: Sequence[Any], queue: dict[str, Any]
) -> None:
    """Build a field for several photos, and the table of their answers."""
    with gr.Accordion("Several photos at once", open=False, elem_id="several"):
        gr.Markdown(_LIMIT)
        photos = PhotosUpload(label="Photos", file_count="multiple", height=160)
        answers = gr.HTML(elem_id="answers")
        table = gr.DownloadButton("Table (CSV)", visible=False, size="sm", scale=0)
    photos.change(
        make_several_handler(analyzers),
        [photos, *settings],
        [answers, table],
        api_visibility="private",
        trigger_mode="always_last",
        show_progress_on=answers,
        **queue,
    )


def make_several_handler(analyzers: Analyzers) -> Callable[..., tuple[str, Update]]:
    """Return the function that gives the table of answers as HTML, and as a file."""

    def answer(photos: Sequence[UploadedPhoto], *settings: Any) -> tuple[str, Update]:
        hidden = gr.update(value=None, visible=False)
        if not photos:
            return "", hidden
        try:
            config = make_config(*settings)
        except ProjectError as error:
            return format_notice_html(escape(f"{error.message} {error.hint}"), "alert"), hidden
        results = [_answer_one(photo, analyzers, config) for photo in photos[:MAX_PHOTOS]]
        rows = [_make_row(result) for result in results]
        left_out = len(photos) - MAX_PHOTOS
        note = (
            format_notice_html(f"{left_out} more photos were left out. At most {MAX_PHOTOS} fit.")
            if left_out > 0
            else ""
        )
        file = save_table(results, "emotions.csv")
        return note + table_html(rows, "Answers"), gr.update(value=file, visible=True)

    return answer


def _answer_one(
    photo: UploadedPhoto, analyzers: Analyzers, config: Any
) -> ImageAnalysis | FailedFile:
    try:
        return answer_photo(photo, analyzers, config)[1]
    except ProjectError as error:
        return FailedFile(photo.name, type(error).__name__, f"{error.message} {error.hint}".strip())


def _make_row(result: ImageAnalysis | FailedFile) -> dict[str, str]:
    photo = {"Photo": display_name(result.name)}
    if isinstance(result, FailedFile):
        return {**photo, "Faces": "–", "Answers": result.message}
    count = format_face_count(len(result.faces))
    return {**photo, "Faces": count, "Answers": describe_faces(result)}
