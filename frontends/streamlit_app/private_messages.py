"""Keeps the place of the app on the server's disk out of what its page is sent."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from streamlit.runtime.app_session import AppSession


def hide_script_path() -> None:
    """From now on name the script without its folder in the message that begins a page's run.

    Streamlit sends the whole path and has no setting for it. The page only needs some name that is
    always the same.
    """
    create_message = AppSession._create_new_session_message  # noqa: SLF001

    def create_private_message(self: AppSession, *arguments: Any, **options: Any) -> Any:
        message = create_message(self, *arguments, **options)
        begun = message.new_session
        begun.main_script_path = PurePath(begun.main_script_path).name
        return message

    AppSession._create_new_session_message = create_private_message  # type: ignore[method-assign]  # noqa: SLF001
