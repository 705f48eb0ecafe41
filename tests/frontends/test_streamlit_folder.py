"""The page Folder: who may see it, which folders it takes, and how its run ends."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

import pytest
import streamlit as st

from core import AnalyzerConfig, ConfigError
from frontends.streamlit_app import local_access, run_record
from frontends.streamlit_app.folder_runs import FolderRuns, RunState, list_options
from frontends.streamlit_app.folders import list_subfolders, parse_folder, suggest_results
from frontends.streamlit_app.run_record import RunPlan
from frontends.streamlit_app.views import folder
from frontends.streamlit_app.views.folder_run import explain_problem
from tests.frontends.streamlit_pages import open_page

TYPED = "Folder with the photos"


class Visit:
    """What Streamlit says about a visitor."""

    def __init__(self, address=None, **headers):
        self.ip_address = address
        self.headers = st.runtime.context.StreamlitHeaders(
            (name.replace("_", "-"), value) for name, value in headers.items()
        )


@pytest.fixture
def started(monkeypatch):
    """A server that a person started on this computer; returns a function that makes a visit."""
    started = local_access.Event()
    started.set()
    monkeypatch.setattr(local_access, "_started_by_person", started)
    monkeypatch.setattr(local_access, "get_option", lambda _: "localhost")

    def visit(*address, **headers):
        monkeypatch.setattr(local_access.st, "context", Visit(*address, **headers))
        return local_access.may_read_folders()

    return visit


def test_only_a_visitor_at_this_computer_may_read_its_folders(started):
    assert started(host="localhost:8501")
    assert started("::ffff:127.0.0.1", host="[::1]:8501")
    assert not started("192.168.1.7", host="localhost:8501")
    assert not started("unknown", host="localhost:8501")
    assert not started(host="photos.example:8501")  # a foreign name that leads here
    assert not started(host="localhost.photos.example")
    assert not started(host="localhost:8501", x_forwarded_for="127.0.0.1")
    assert not started(host="localhost:8501", Forwarded="for=127.0.0.1")
    assert not started()


def test_server_that_others_can_reach_has_no_folders(started, monkeypatch):
    for address in ("0.0.0.0", "", None, "192.168.1.7"):
        monkeypatch.setattr(local_access, "get_option", lambda _, address=address: address)
        assert not started(host="localhost:8501")


def test_server_that_nobody_started_by_hand_has_no_folders(started, monkeypatch):
    monkeypatch.setattr(local_access, "_started_by_person", local_access.Event())
    assert not started(host="localhost:8501")


@pytest.fixture
def page(monkeypatch, catalog, made, tmp_path):
    """The page for its visitor, with a run of its own."""
    monkeypatch.setenv(run_record.FOLDER_VARIABLE, str(tmp_path / "state"))
    monkeypatch.setattr(folder, "FOLDER_RUNS", FolderRuns())
    monkeypatch.setattr(folder, "may_read_folders", lambda: True)
    return lambda: open_page("folder")


def test_page_refuses_whoever_may_not_read_folders(page, monkeypatch):
    monkeypatch.setattr(folder, "may_read_folders", lambda: False)
    app = page()
    assert "`emotion app`" in app.error[0].value
    assert not app.text_input


def test_hostile_folder_names_are_shown_as_they_are(page, tmp_path):
    name = "<b>a & `b` **c** $x$"
    (tmp_path / "photos" / name).mkdir(parents=True)
    (tmp_path / "photos" / "right\u202eto left").mkdir()
    app = page()
    app.text_input[0].set_value(str(tmp_path / "photos")).run()
    inside = [each for each in app.button if each.key.startswith("folder_sub")]
    assert [each.label for each in inside] == [r"\<b\>a \& \`b\` \*\*c\*\* \$x\$"]
    inside[0].click().run()
    assert app.text_input[0].value == str(tmp_path / "photos" / name)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "not the whole path"),
        ("photos", "not the whole path"),
        ("s3://bucket/photos", "an address"),
        ("/no/such/folder", "no such folder"),
        (__file__, "a file, not a folder"),
        ("/\0", "cannot be opened"),
        ("~nobody-of-this-name/x", "cannot be opened"),
        ("/" + 5000 * "x", "cannot be opened"),
    ],
)
def test_what_is_no_folder_is_refused_in_words(typed, why):
    with pytest.raises(ConfigError, match=why):
        parse_folder(typed)


def test_hidden_folders_and_files_are_not_listed(tmp_path):
    for name in (".hidden", "Beach", "alps"):
        (tmp_path / name).mkdir()
    (tmp_path / "photo.jpg").touch()
    assert list_subfolders(tmp_path).names == ("alps", "Beach")


def test_results_go_beside_the_photos(tmp_path):
    assert suggest_results(tmp_path / "photos") == tmp_path / "photos-emotions"
    assert suggest_results(Path("/")).parent == Path.home()


def test_results_may_not_go_among_the_photos(page, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    app = page()
    app.text_input[0].set_value(str(tmp_path)).run()
    app.button(key="count_photos").click().run()
    assert any("**1 photo** in" in each.value for each in app.markdown)
    app.text_input[1].set_value(str(tmp_path)).run()
    assert "among the photos" in app.error[0].value
    assert "start_folder" not in [each.key for each in app.button]


def make_runs(script):
    return FolderRuns(lambda plan, fresh: [sys.executable, "-c", script, str(fresh)])


def wait_for_end(runs):
    end = time.monotonic() + 30
    while runs.find().state is RunState.RUNNING:
        assert time.monotonic() < end
        time.sleep(0.01)
    return runs.find()


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setenv(run_record.FOLDER_VARIABLE, str(tmp_path / "state"))
    for name in ("photos", "results"):
        (tmp_path / name).mkdir()
    return RunPlan(tmp_path / "photos", tmp_path / "results", ("--model", "ensemble"))


def test_refused_run_says_why_and_what_to_do(plan):
    runs = make_runs("""print('{"error": "The disk is full.", "hint": "Free some space."}')""")
    runs.start(plan)
    run = wait_for_end(runs)
    assert (run.state, run.problem) == (RunState.FAILED, ("The disk is full.", "Free some space."))


def test_run_that_would_replace_a_file_is_refused_without_words_of_the_command_line(plan):
    plan.table.write_text("my own table")
    (plan.photos / "a.jpg").write_bytes(b"no photo")
    runs = FolderRuns()
    runs.start(plan)
    run = wait_for_end(runs)
    message, hint = explain_problem(*run.problem)
    assert "is not an earlier result" in message
    assert hint == "Choose another folder for the results."
    assert plan.table.read_text() == "my own table"


def test_unfinished_run_is_found_by_the_next_server_until_it_is_dismissed(plan):
    runs = make_runs("import time; time.sleep(60)")
    runs.start(plan)
    assert (Path(plan.results.parent) / "state" / "folder-run.json").stat().st_mode & 0o077 == 0
    runs.stop()
    assert wait_for_end(runs).state is RunState.STOPPED
    plan.journal.write_bytes(b"heading\nfirst\nsecond\n")
    later = FolderRuns()
    run = later.find()
    assert (run.plan, run.state, run.done) == (plan, RunState.STOPPED, 2)
    later.dismiss()
    assert later.find() is None
    assert FolderRuns().find() is None


def test_crashed_run_shows_no_traceback(plan):
    runs = make_runs("print('words of a library'); raise SystemExit(70)")
    runs.start(plan)
    run = wait_for_end(runs)
    assert (run.state, run.problem[0]) == (RunState.FAILED, "The run ended unexpectedly.")


def test_settings_of_the_page_become_options_of_the_command(tmp_path):
    config = AnalyzerConfig(model="ensemble", certain_from=0.6)
    options = list_options(config, thumbnails=True, copies=tmp_path)
    assert options[:2] == ("--model", "ensemble")
    assert ("--certain-from", "0.6") in itertools.pairwise(options)
    assert "--detector" not in options
    assert options[-3:] == ("--annotate", str(tmp_path), "--thumbnails")
