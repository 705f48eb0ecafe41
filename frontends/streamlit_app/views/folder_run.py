"""A run over a folder on its page: progress, then the report and the table."""

from __future__ import annotations

import csv
import itertools
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from core import BatchSummary
from frontends.streamlit_app.folder_runs import FOLDER_RUNS, FolderRun, RunState
from frontends.streamlit_app.folders import show_path
from frontends.streamlit_app.run_record import RunPlan
from frontends.streamlit_app.views.saving import offer_downloads
from frontends.wording import describe_duration, escape_markdown

_LOOK_AGAIN_S = 1.0
_LARGEST_PREVIEW = 4_000_000
"""Bytes of a report that is shown in the page; a larger one is only saved."""
_ROWS = 200
"""Of the table, as a preview."""
_COLUMNS = ("path", "status", "face", "answer", "top", "probability", "quality", "message")


def show_run(run: FolderRun) -> None:
    """Show how far a run is and what can be done with it."""
    st.markdown(f"Photos: {_bold(run.plan.photos)}  \nResults: {_bold(run.plan.results)}")
    if run.state is RunState.RUNNING:
        _show_progress(run)
    elif run.state is RunState.DONE and run.summary is not None:
        st.success(describe_summary(run.summary))
        st.button("Read another folder", on_click=FOLDER_RUNS.dismiss, key="another_folder")
        _show_results(run.plan)
    else:
        _offer_continuing(run)


@st.fragment(run_every=_LOOK_AGAIN_S)
def _show_progress(run: FolderRun) -> None:
    share = min(1.0, run.done / run.total) if run.total else 0.0
    st.progress(share, _describe_progress(run))
    st.caption("You can close this page or use the others: the run goes on while the app runs.")
    st.button(
        "Cancel",
        icon=":material/stop:",
        key="cancel_folder",
        disabled=run.cancelled,
        on_click=FOLDER_RUNS.cancel,
    )


def _describe_progress(run: FolderRun) -> str:
    if run.cancelled:
        return "Stopping…"
    if not run.total:
        return "Loading the networks…"
    read = f"{run.done:,} of {run.total:,} files read"
    if run.done == run.total:
        return f"{read}, writing the table and the report…"
    return read if run.left_s is None else f"{read}, {describe_duration(run.left_s)} left"


def _offer_continuing(run: FolderRun) -> None:
    """Say why the run ended, and offer to continue it."""
    kept = f"The results of {run.done:,} file{'' if run.done == 1 else 's'} are kept."
    failed = run.state is RunState.FAILED
    if failed:
        st.error("\n\n".join(map(escape_markdown, explain_problem(*run.problem))))
    else:
        st.info(f"This run is not finished. {kept if run.done else ''}")
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Try again" if failed else "Resume",
            type="primary",
            icon=":material/play_arrow:",
            key="resume_folder",
            on_click=FOLDER_RUNS.start,
            args=(run.plan,),
        )
        st.button(
            "Start over",
            help="Reads all photos again and replaces the results so far.",
            key="restart_folder",
            on_click=partial(FOLDER_RUNS.start, fresh=True),
            args=(run.plan,),
        )
        st.button(
            "Choose another folder",
            help="The results so far stay where they are.",
            on_click=FOLDER_RUNS.dismiss,
            key="another_folder",
        )


def explain_problem(message: str, hint: str) -> tuple[str, str]:
    """Return why a run was refused and what to do; a hint that names options is for a terminal."""
    if "--fresh" in hint:
        hint = "Start over, or choose another folder for the results to keep those."
    elif "--" in hint:
        hint = "Choose another folder for the results."
    return message, hint


def describe_summary(summary: BatchSummary) -> str:
    """Return what a run found, in a sentence."""
    parts = [f"{_count(summary.faces, 'face')} in {_count(summary.with_faces, 'photo')}"]
    if summary.without_faces:
        parts.append(f"{_count(summary.without_faces, 'photo')} without a face")
    if summary.failed:
        parts.append(f"{_count(summary.failed, 'file')} not read")
    text = f"{_count(summary.files, 'file')}: {', '.join(parts)}."
    if summary.uncertain:
        text += f" Not sure about {_count(summary.uncertain, 'face')}."
    return text


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _show_results(plan: RunPlan) -> None:
    """Offer the report and the table, and show them."""
    if not (plan.report.is_file() and plan.table.is_file()):
        st.warning("The results were moved or deleted meanwhile.")
        return
    offer_downloads(
        "of_folder",
        [
            ("Report (HTML)", partial(plan.report.read_bytes), plan.report.name, "text/html"),
            ("Table (CSV)", partial(plan.table.read_bytes), plan.table.name, "text/csv"),
        ],
    )
    report, table = st.tabs(["Report", "Table"])
    with report:
        if plan.report.stat().st_size <= _LARGEST_PREVIEW:
            st.iframe(plan.report.read_text(encoding="utf-8"), height=720)
        else:
            st.caption("The report is too large to be shown here. Save it and open the file.")
    with table:
        rows = _read_rows(plan.table)
        st.dataframe(rows, hide_index=True)
        if len(rows) == _ROWS:
            st.caption(f"The first {_ROWS} rows. The file has all of them, and more columns.")


def _read_rows(table: Path) -> list[dict[str, Any]]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(itertools.islice(csv.DictReader(file), _ROWS))
    return [{name: row.get(name, "") for name in _COLUMNS} for row in rows]


def _bold(path: Path) -> str:
    return f"**{escape_markdown(show_path(path))}**"
