"""The tab that reads the emotions in a film, also as an API."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from core import OperatingPoint, Preset, ProjectError, Reading, describe_film, dumps
from frontends.admission import MAX_FILMS
from frontends.analyzers import Analyzers
from frontends.film_files import film_path
from frontends.film_view import film_html, read_player_code
from frontends.films import (
    DEMO_BOUNDS,
    MARKED,
    TABLE,
    FilmJob,
    FilmState,
    make_film_config,
)
from frontends.gradio_app.answering import format_notice_html
from frontends.gradio_app.photo_upload import FilmUpload, UploadedPhoto, refusal
from frontends.gradio_app.settings import AUTOMATIC, RECOMMENDED_VALUE, make_config
from frontends.wording import CANCELLED_FILM, FILM_HELP, describe_progress, display_name

_SCRIPT = Path(__file__).with_name("film.js")
_LOOK_AGAIN_S = 0.5
_FETCH_S = 60.0
"""How long the files of a call of the API stay, for Gradio to copy them."""
_INVITATION = "The film appears here with its faces marked, and a timeline for each face."
_API_HELP = (
    f"Follows the faces of a film and reads their emotions over time. {DEMO_BOUNDS.sentence} "
    "Returns the summary as JSON text, the table (CSV) and the film with its faces marked (MP4)."
)
_QUEUE: dict[str, Any] = {"concurrency_id": "films", "concurrency_limit": MAX_FILMS}
"""Not the queue of the photos, which take turns with the frames of a film."""


def build_video_tab(analyzers: Analyzers, settings: Sequence[Any], *, keep_s: float) -> None:
    """Build the tab with a film, its progress and its answer, which is deleted after ``keep_s``."""
    with gr.Tab("Video", id="video"):
        gr.Markdown(f"{FILM_HELP} {DEMO_BOUNDS.sentence}")
        film = FilmUpload(label="Film", height=140, elem_id="film-upload")
        status = gr.HTML(format_notice_html(_INVITATION), elem_id="film-status")
        cancel = gr.Button("Cancel", visible=False, size="md", scale=0, elem_id="film-cancel")
        html, css, script = read_player_code(_SCRIPT)
        player = gr.HTML(
            html_template=html,
            css_template=css,
            js_on_load=script,
            apply_default_css=False,
            elem_id="film-player",
        )
        kept = gr.State(None)
        summary = gr.Textbox(label="Summary", visible=False)
        table = gr.File(label="Table", visible=False)
        marked = gr.File(label="Marked film", visible=False)
        api_button = gr.Button(visible=False)
    gr.on(
        [film.change, *(each.change for each in settings)],
        make_page_handler(analyzers, keep_s),
        [film, kept, *settings],
        [status, cancel, player, kept],
        api_visibility="private",
        trigger_mode="always_last",
        show_progress="hidden",
        **_QUEUE,
    )
    cancel.click(_cancel, kept, None, queue=False, show_progress="hidden", api_visibility="private")
    api_button.click(
        make_api_handler(analyzers),
        [film, *settings],
        [summary, table, marked],
        api_name="analyze_film",
        api_description=_API_HELP,
        **_QUEUE,
    )


def make_page_handler(analyzers: Analyzers, keep_s: float) -> Callable[..., Iterator[list[Any]]]:
    """Return the function behind the page: status, Cancel, player and job, again and again."""

    def follow(
        film: UploadedPhoto | None, known: FilmJob | None, *settings: Any
    ) -> Iterator[list[Any]]:
        if known is not None:
            known.cancel()
        if film is None:
            yield _fields(format_notice_html(_INVITATION))
            return
        try:
            job = _start(film, analyzers, *settings)
        except ProjectError as error:
            yield _fields(_explain(film.name, error.message, error.hint))
            return
        job.keep_for(keep_s)
        try:
            while job.is_running:
                yield _fields(_show_progress(job), job, running=True)
                time.sleep(_LOOK_AGAIN_S)
        finally:
            if job.is_running:  # the visitor has left
                job.cancel()
        if job.state is FilmState.DONE:
            # Relative to the page, which a host may show below a path of its own.
            address = f"{film_path().removeprefix('/')}/{job.key}"
            yield _fields("", job, film_html(job, address))
        elif job.state is FilmState.REFUSED:
            yield _fields(_explain(job.name, *job.refusal))
        else:
            yield _fields(format_notice_html(CANCELLED_FILM))

    return follow


def make_api_handler(analyzers: Analyzers) -> Callable[..., tuple[str, str, str]]:
    """Return the function behind the API; its errors are in plain words."""

    # The API has the same names; Gradio passes the values by position.
    def analyze_film(  # noqa: PLR0917
        film: UploadedPhoto | None,
        model: str,
        preset: str = Preset.FAST,
        detector: str = AUTOMATIC,
        operating_point: str = OperatingPoint.BALANCED,
        certain_from: str | float = RECOMMENDED_VALUE,
        reading: str = Reading.PEOPLE,
    ) -> tuple[str, str, str]:
        settings = (model, preset, detector, operating_point, certain_from, reading)
        if film is None:
            raise refusal("There is no film.", "Add one, then try again.", what="film")
        try:
            job = _start(film, analyzers, *settings)
        except ProjectError as error:
            raise refusal(error.message, error.hint, what="film") from error
        while job.is_running:
            time.sleep(_LOOK_AGAIN_S / 10)
        if job.state is not FilmState.DONE:
            raise refusal(*job.refusal, what="film")
        job.keep_for(_FETCH_S)
        document = {"name": job.name, **describe_film(job.summary), "notes": list(job.notes)}
        return dumps(document), str(job.find_file(TABLE)), str(job.find_file(MARKED))

    return analyze_film


def _start(film: UploadedPhoto, analyzers: Analyzers, *settings: Any) -> FilmJob:
    config = make_film_config(make_config(*settings))
    job = FilmJob(film.name, partial(shutil.copyfile, film.path), DEMO_BOUNDS)
    job.start(config, partial(analyzers.get, config))
    return job


def _cancel(job: FilmJob | None) -> None:
    if job is not None:
        job.cancel()


def _fields(
    status: str, job: FilmJob | None = None, html: str = "", *, running: bool = False
) -> list[Any]:
    return [
        gr.update(value=status, visible=bool(status)),
        gr.update(visible=running),
        {"html": html},
        job,
    ]


def _show_progress(job: FilmJob) -> str:
    name = escape(display_name(job.name))
    return format_notice_html(
        f"<strong>{name}</strong><p>{describe_progress(job)}</p>"
        f'<progress max="1" value="{job.done:.3f}" aria-label="Share of the film"></progress>'
    )


def _explain(name: str, message: str, hint: str) -> str:
    return format_notice_html(
        f"<strong>{escape(display_name(name))} could not be read.</strong>"
        f"<p>{escape(message)} {escape(hint)}</p>",
        role="alert",
    )
