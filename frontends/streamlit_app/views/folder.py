"""The page where a folder of this computer is read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core import (
    AnalyzerConfig,
    ConfigError,
    FolderSurvey,
    ModelInfo,
    ProjectError,
    read_image,
    survey_folder,
)
from frontends.admission import ADMISSION
from frontends.streamlit_app.folder_runs import (
    FOLDER_RUNS,
    FolderRun,
    RunState,
    list_options,
)
from frontends.streamlit_app.folders import (
    find_home,
    find_start,
    list_subfolders,
    parse_folder,
    show_path,
    suggest_results,
)
from frontends.streamlit_app.local_access import may_read_folders
from frontends.streamlit_app.run_record import RunPlan
from frontends.streamlit_app.state import persist, ready_analyzer
from frontends.streamlit_app.views.folder_run import show_run
from frontends.streamlit_app.views.model_page import model_page
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.wording import describe_duration, escape_markdown

_TYPED, _RESULTS, _SURVEY = "folder_typed", "folder_results", "folder_survey"
_LOOK_AGAIN_S = 2.0
_START_S = 12.0
"""For the networks to be loaded by the run's processes."""
_LONGEST_SAMPLE_S = 8.0
_REFUSAL = (
    "This page reads folders of the computer that it runs on. It is only there for the person who "
    "sits at that computer and started the app with `emotion app`."
)


@dataclass(frozen=True, slots=True)
class _Survey:
    """What a folder holds, and how long it takes to read."""

    folder: Path
    files: FolderSurvey
    photo_s: float | None
    """Seconds for a photo on this computer; None if no photo could be timed."""
    settings: str
    """Digest of the settings that it was timed with."""


def page() -> None:
    """Show the page, to nobody but the person who started the app."""
    if may_read_folders():
        _page()
    else:
        st.error(_REFUSAL)


@model_page(
    "Read a folder of photos",
    "All photos in a folder and its subfolders are read, and you get a table and a report. "
    "The photos stay where they are and are not changed. Nothing leaves this computer.",
)
def _page(models: Sequence[ModelInfo]) -> None:
    run = FOLDER_RUNS.find()
    _watch(run, None if run is None else run.state)
    if run is not None:
        show_run(run)
        return
    config = choose_settings(models)
    folder = _choose_folder()
    if folder is None:
        return
    if st.button("Count the photos", icon=":material/search:", key="count_photos"):
        _look_at(folder, config)
    survey: _Survey | None = st.session_state.get(_SURVEY)
    if survey is not None and survey.folder == folder:
        _offer_start(survey, config)


@st.fragment(run_every=_LOOK_AGAIN_S)
def _watch(run: FolderRun | None, state: RunState | None) -> None:
    """Draw the page again when a run begins, ends or is dismissed, also from another tab."""
    now = FOLDER_RUNS.find()
    if now is not run or (now is not None and now.state is not state):
        st.rerun()


def _choose_folder() -> Path | None:
    """Return the folder that the person types or picks; None, after saying why, if it is none."""
    st.session_state.setdefault(_TYPED, _to_text(find_start()) or "/")
    typed = st.text_input("Folder with the photos", **persist(_TYPED))
    try:
        folder = parse_folder(typed)
    except ConfigError as error:
        st.error(f"{escape_markdown(error.message)} {escape_markdown(error.hint)}")
        folder = None
    with st.container(border=True, key="folder_list"):
        _browse(folder)
    return folder


def _browse(folder: Path | None) -> None:
    """Offer home, the folder above and the folders inside, each of which replaces what is typed."""
    with st.container(horizontal=True, gap="small"):
        _offer_folder("Home", find_home(), ":material/home:", "home")
        if folder is not None and folder.parent != folder:
            _offer_folder("Up", folder.parent, ":material/arrow_upward:", "up")
    if folder is None:
        return
    listing = list_subfolders(folder)
    if not listing.names:
        st.caption("No folders inside.")
        return
    with st.container(horizontal=True, gap="small", key="subfolders"):
        for number, name in enumerate(listing.names):
            _offer_folder(name, folder / name, ":material/folder:", f"sub_{number}")
    if listing.left_out:
        st.caption(f"{listing.left_out} more: type the name of one above.")


def _offer_folder(title: str, folder: Path, icon: str, key: str) -> None:
    text = _to_text(folder)
    st.button(
        escape_markdown(title),
        icon=icon,
        key=f"folder_{key}",
        disabled=text is None,
        on_click=lambda: st.session_state.update({_TYPED: text}),
    )


def _to_text(folder: Path) -> str | None:
    """Return a path as text for a page; None if it has bytes that are no letters."""
    try:
        return folder.as_posix().encode().decode()
    except UnicodeError:
        return None


def _look_at(folder: Path, config: AnalyzerConfig) -> None:
    """Count the files in ``folder``, and time some of its photos."""
    with st.spinner("Counting the photos, and reading a few of them to see how long it takes."):
        files = survey_folder(folder)
        photo_s = _time_photos(files, config) if files.sample else None
    st.session_state[_SURVEY] = _Survey(folder, files, photo_s, config.digest())
    st.session_state[_RESULTS] = _to_text(suggest_results(folder)) or ""


def _time_photos(files: FolderSurvey, config: AnalyzerConfig) -> float | None:
    """Return the mean time of the sample's photos in seconds; None if none could be read."""
    analyzer = ready_analyzer(config)
    times: list[float] = []
    end = time.monotonic() + _LONGEST_SAMPLE_S
    for path in files.sample:
        if time.monotonic() > end:
            break
        with ADMISSION.admit():
            began = time.monotonic()
            try:
                analyzer.analyze(read_image(path))
            except ProjectError:
                continue
            times.append(time.monotonic() - began)
    if len(times) > 1:
        del times[0]  # the first one also warms up
    return sum(times) / len(times) if times else None


def _offer_start(survey: _Survey, config: AnalyzerConfig) -> None:
    st.markdown(_describe_survey(survey, timed=survey.settings == config.digest()))
    if not survey.files.photos + survey.files.others:
        return
    typed = st.text_input(
        "Folder for the results",
        help="It is made if there is none. No file of yours is ever replaced.",
        **persist(_RESULTS),
    )
    thumbnails = st.checkbox(
        "Show small pictures of faces in the report",
        help="Of the faces whose answer is not sure. Without it the report has no part of a photo.",
        **persist("folder_thumbnails"),
    )
    copies = st.checkbox("Save a copy of each photo with its faces marked", **persist("copies"))
    try:
        results = _parse_results(typed, survey.folder)
    except ConfigError as error:
        st.error(f"{escape_markdown(error.message)} {escape_markdown(error.hint)}")
        return
    plan = RunPlan(survey.folder, results)
    options = list_options(config, thumbnails=thumbnails, copies=plan.copies if copies else None)
    plan = RunPlan(survey.folder, results, options)
    st.caption(_describe_outputs(plan, copies=copies))
    fresh = False
    if plan.journal.exists():
        st.info(
            "This folder has results of an earlier run. It is continued: only new and changed "
            "photos are read."
        )
        fresh = st.checkbox("Start over: read all photos again", key="folder_fresh")
    if st.button("Start", type="primary", icon=":material/play_arrow:", key="start_folder"):
        del st.session_state[_SURVEY]
        FOLDER_RUNS.start(plan, fresh=fresh)
        st.rerun()


def _parse_results(typed: str, photos: Path) -> Path:
    """Return the folder for the results, which may not exist yet; ConfigError if it is none."""
    folder = Path(typed.strip())
    parent = parse_folder(str(folder.parent) if typed.strip() else "")
    if not folder.name or folder.name in {".", ".."}:
        return parse_folder(typed)
    results = parent / folder.name
    if results.exists():
        results = parse_folder(str(results))
    if results == photos:
        raise ConfigError(
            "The results cannot go among the photos.", hint="Name another folder, or one inside it."
        )
    return results


def _describe_survey(survey: _Survey, *, timed: bool) -> str:
    files = survey.files
    photos = f"{files.photos:,} photo{'' if files.photos == 1 else 's'}"
    if not files.photos:
        photos = "No photos"
    if not files.complete:
        photos = f"More than {photos[0].lower()}{photos[1:]}"
    text = f"**{photos}** in {_bold(survey.folder)}."
    if files.others:
        noun = "file is" if files.others == 1 else "files are"
        text += f" {files.others:,} other {noun} listed in the table as not read."
        if not files.photos:
            text += " A photo may have any name, so you can start all the same."
    if survey.photo_s is not None and timed:
        whole = describe_duration(_START_S + files.photos * survey.photo_s)
        text += f" Reading them takes {whole} on this computer."
    return text


def _describe_outputs(plan: RunPlan, *, copies: bool) -> str:
    parts = [f"a table ({plan.table.name})", f"a report ({plan.report.name})"]
    if copies:
        parts.append(f"copies of the photos (folder {plan.copies.name})")
    parts.append(f"a journal by which a run that was stopped continues ({plan.journal.name})")
    listed = escape_markdown(f"{', '.join(parts[:-1])} and {parts[-1]}")
    return f"Written to {_bold(plan.results)}: {listed}."


def _bold(path: Path) -> str:
    return f"**{escape_markdown(show_path(path))}**"
