"""A file that a visitor saves is there until the browser has fetched it, and not for good."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from streamlit import runtime
from streamlit.runtime import media_file_manager
from streamlit.runtime.media_file_manager import MediaFileManager, MediaFileMetadata
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.testing.v1 import AppTest

from frontends.streamlit_app import expired_sessions, pages, saved_files


@pytest.fixture
def files(monkeypatch):
    monkeypatch.setattr(media_file_manager, "MediaFileMetadata", MediaFileMetadata)
    saved_files.keep_saved_files()
    return MediaFileManager(MemoryMediaFileStorage("/media"))


def save(files):
    """Do what a click on a button does; return the file's name in its address."""
    button = files.add_deferred(lambda: b"one;two", "text/csv", "button", "a.csv")
    return files.execute_deferred(button).removeprefix("/media/")


def test_saved_file_outlasts_the_runs_of_other_pages(files):
    name = save(files)
    files.clear_session_refs()
    for _ in range(3):
        files.remove_orphaned_files()
    assert files._storage.get_file(name).content == b"one;two"


def test_saved_file_goes_though_nobody_opens_a_page_any_more(files, monkeypatch):
    name = save(files)
    server = SimpleNamespace(media_file_mgr=files)
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: server)
    monkeypatch.setattr(expired_sessions, "drop_expired_sessions", lambda: 0)
    monkeypatch.setattr(saved_files, "KEEP_S", 0)
    rests = iter([None, None])
    monkeypatch.setattr(expired_sessions.time, "sleep", lambda _: next(rests))
    with pytest.raises(StopIteration):
        expired_sessions._watch(1)
    with pytest.raises(MediaFileStorageError):
        files._storage.get_file(name)


def test_every_page_keeps_what_it_saves(monkeypatch):
    monkeypatch.setattr(media_file_manager, "MediaFileMetadata", MediaFileMetadata)
    monkeypatch.setattr(pages, "watch_expired_sessions", lambda: None)
    monkeypatch.setattr(pages.analyze, "page", lambda: None)

    def script():
        from frontends.streamlit_app import pages

        pages.run()

    app = AppTest.from_function(script).run()
    assert not app.exception
    assert media_file_manager.MediaFileMetadata is saved_files._SavedFile
