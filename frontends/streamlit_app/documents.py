"""Documents of the folder `docs`, shown as pages of the app."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from frontends.wording import unlink

DOCS = Path(__file__).parents[2] / "docs"

_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
_AROUND = re.compile(r"[|:\s-]+")
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_TITLE = re.compile(r"\A# .*\n+")

Part = str | tuple[tuple[str, Path], ...]
"""Markdown, or pictures side by side: the words for each, and its file."""


def show_document(file: Path) -> None:
    """Show the document without its title, which the page shows already."""
    for part in document_parts(file):
        if isinstance(part, str):
            st.markdown(part)
            continue
        for column, (words, picture) in zip(st.columns(len(part)), part, strict=True):
            column.image(picture, caption=words)


def document_parts(file: Path) -> Iterator[Part]:
    """Yield ``file`` in parts, because Streamlit's Markdown shows no pictures from files.

    Links to other files of the repository lead nowhere in the app and become plain words.
    """
    text = _TITLE.sub("", _COMMENT.sub("", file.read_text(encoding="utf-8")))
    words: list[str] = []
    for block in re.split(r"\n{2,}", text.strip()):
        pictures = tuple(
            (caption, file.parent / name)
            for caption, name in _IMAGE.findall(block)
            if (file.parent / name).exists()
        )
        # Only lines and tables of pictures alone; in a sentence, a picture's words replace it.
        if not pictures or _AROUND.sub("", _IMAGE.sub("", block)):
            words.append(unlink(_IMAGE.sub(r"\1", block)))
            continue
        if words:
            yield "\n\n".join(words)
            words = []
        yield pictures
    if words:
        yield "\n\n".join(words)
