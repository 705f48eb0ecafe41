"""Keeps a file that a visitor saves until the browser has fetched it, and then no longer.

Streamlit makes the file when the button is clicked, tells the browser its address, and deletes it
at the second end of a run of any page, also of other visitors: on a busy server often before the
browser asks for it. When nobody comes any more, it keeps the file for good.
"""

from __future__ import annotations

import time
from typing import Final

from streamlit import runtime
from streamlit.runtime import media_file_manager
from streamlit.runtime.media_file_manager import MediaFileMetadata
from streamlit.runtime.media_file_storage import MediaFileKind

KEEP_S: Final = 60.0
"""From the moment in which no page shows the file any more."""


class _SavedFile(MediaFileMetadata):
    """What Streamlit notes about a file; says only after a while that it is to be deleted."""

    def __init__(self, kind: MediaFileKind = MediaFileKind.MEDIA) -> None:
        super().__init__(kind)
        self._marked_at: float | None = None

    @property
    def is_marked_for_delete(self) -> bool:
        return self._marked_at is not None and time.monotonic() - self._marked_at >= KEEP_S

    def mark_for_delete(self) -> None:
        if self._marked_at is None:
            self._marked_at = time.monotonic()


def keep_saved_files() -> None:
    """Make Streamlit keep the files it makes from now on for as long as that."""
    media_file_manager.MediaFileMetadata = _SavedFile  # type: ignore[misc]


def delete_old_files() -> None:
    """Delete the files that no page shows and that were kept for long enough."""
    if runtime.exists():
        runtime.get_instance().media_file_mgr.remove_orphaned_files()
