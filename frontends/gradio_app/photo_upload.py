"""The upload field: passes the file on unopened, so that only our reader ever decodes it."""

from __future__ import annotations

import re
from abc import ABCMeta
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from frontends.wording import last_part


@dataclass(frozen=True, slots=True)
class UploadedPhoto:
    """A file in the framework's own folder and the name its owner gave it."""

    path: Path
    name: str


class WithoutStubFile(type(gr.Image)):  # type: ignore[misc]
    """Replace Gradio's metaclass, which would write a .pyi file beside this module."""

    def __new__(mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> Any:
        return ABCMeta.__new__(mcs, name, bases, attrs)


class PhotoUpload(gr.Image, metaclass=WithoutStubFile):
    """Gradio's image field without its decoding.

    Even with ``type="filepath"`` that field lets Pillow open the file with every plugin, decodes
    what comes as a data URL, and fetches what comes as a web address.
    """

    is_template = True  # the browser shows it as the field it inherits from

    def preprocess(self, payload: ImageData | None) -> UploadedPhoto | None:  # type: ignore[override]
        """Return the uploaded file's path and name; None while there is none."""
        if payload is None:
            return None
        if payload.path is None or (payload.url or "").startswith("data:"):
            raise refusal("The photo did not come as a file.")
        path = Path(payload.path).resolve()
        # A caller could name any file of this computer; read only what was uploaded.
        if not path.is_relative_to(Path(self.GRADIO_CACHE).resolve()):
            raise refusal("The photo was not uploaded.")
        if not path.is_file():
            raise refusal(
                "The photo is gone: the server deletes photos after some minutes.",
                "Upload it again.",
            )
        return UploadedPhoto(path, last_part(payload.orig_name or path.name) or "image")

    async def async_move_resource_to_block_cache(
        self, url_or_file_path: str | Path | None
    ) -> str | None:
        """Refuse web addresses: the demo opens no connection on a visitor's behalf."""
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+://", str(url_or_file_path or "")):
            raise refusal("The photo came as a web address.")
        moved: str | None = await super().async_move_resource_to_block_cache(url_or_file_path)
        return moved


def refusal(message: str, hint: str = "Upload the file itself, then try again.") -> gr.Error:
    """Return an error for the visitor; HTML in it is shown as text."""
    return gr.Error(
        escape(f"{message} {hint}".strip(), quote=False),
        duration=None,
        title="The photo could not be read",
        print_exception=False,
    )
