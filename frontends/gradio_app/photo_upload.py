"""The upload fields: they pass files on unopened, so that only our readers ever decode them."""

from __future__ import annotations

import os
import re
from abc import ABCMeta
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, ImageData, ListFiles

from frontends.wording import last_part


@dataclass(frozen=True, slots=True)
class UploadedPhoto:
    """A photo or film: a file in the framework's own folder and the name its owner gave it."""

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
        return _find_upload(payload, self.GRADIO_CACHE, "photo") if payload is not None else None

    def postprocess(self, value: UploadedPhoto | str | None) -> Any:
        """Return what shows an example, or a photo that another field of the page received."""
        if isinstance(value, UploadedPhoto):
            return ImageData(path=str(value.path), orig_name=value.name)
        return super().postprocess(value)

    async def async_move_resource_to_block_cache(
        self, url_or_file_path: str | Path | None
    ) -> str | None:
        """Refuse web addresses, as the demo opens no connection for a visitor, and folders."""
        _check_named_file(url_or_file_path, "photo")
        moved: str | None = await super().async_move_resource_to_block_cache(url_or_file_path)
        return moved


class PhotosUpload(gr.File, metaclass=WithoutStubFile):
    """Gradio's file field for several photos, with the same rules."""

    is_template = True

    def preprocess(self, payload: ListFiles | None) -> list[UploadedPhoto]:  # type: ignore[override]
        """Return path and name of each uploaded file."""
        files = payload.root if payload is not None else []
        return [_find_upload(each, self.GRADIO_CACHE, "photo") for each in files]

    async def async_move_resource_to_block_cache(
        self, url_or_file_path: str | Path | None
    ) -> str | None:
        """Refuse web addresses, as the demo opens no connection for a visitor, and folders."""
        _check_named_file(url_or_file_path, "photo")
        moved: str | None = await super().async_move_resource_to_block_cache(url_or_file_path)
        return moved


class FilmUpload(gr.File, metaclass=WithoutStubFile):
    """Gradio's file field for one film, with the same rules."""

    is_template = True

    def preprocess(self, payload: FileData | None) -> UploadedPhoto | None:  # type: ignore[override]
        """Return the uploaded file's path and name; None while there is none."""
        return _find_upload(payload, self.GRADIO_CACHE, "film") if payload is not None else None

    async def async_move_resource_to_block_cache(
        self, url_or_file_path: str | Path | None
    ) -> str | None:
        """Refuse web addresses, as the demo opens no connection for a visitor, and folders."""
        _check_named_file(url_or_file_path, "film")
        moved: str | None = await super().async_move_resource_to_block_cache(url_or_file_path)
        return moved


def _check_named_file(name: str | Path | None, what: str) -> None:
    """Raise an error unless ``name`` is a file, or None; the framework takes more than that."""
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+://", str(name or "")):
        raise refusal(f"The {what} came as a web address.", what=what)
    # Not those of Path, here and below: they raise for a name that is too long.
    if name and os.path.exists(name) and not os.path.isfile(name):  # noqa: PTH110, PTH113
        raise refusal(f"The {what} was not uploaded.", what=what)


def _find_upload(payload: ImageData | FileData, cache: str, what: str) -> UploadedPhoto:
    if payload.path is None or (payload.url or "").startswith("data:"):
        raise refusal(f"The {what} did not come as a file.", what=what)
    path = Path(payload.path).resolve()
    # A caller could name any file of this computer; read only what was uploaded.
    if not path.is_relative_to(Path(cache).resolve()):
        raise refusal(f"The {what} was not uploaded.", what=what)
    if not os.path.isfile(path):  # noqa: PTH113
        raise refusal(
            f"The {what} is gone: the server deletes {what}s after some minutes.",
            "Upload it again.",
            what=what,
        )
    return UploadedPhoto(path, last_part(payload.orig_name or path.name) or "image")


def refusal(
    message: str, hint: str = "Upload the file itself, then try again.", *, what: str = "photo"
) -> gr.Error:
    """Return an error for the visitor; HTML in it is shown as text."""
    return gr.Error(
        escape(f"{message} {hint}".strip(), quote=False),
        duration=None,
        title=f"The {what} could not be read",
        print_exception=False,
    )
