"""Documents of the folder `docs`, shown as pages of the app."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import streamlit as st

DOCS = Path(__file__).parents[2] / "docs"

_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
_AROUND = re.compile(r"[|:\s-]+")
_LOCAL_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?://)[^)]+\)")
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_TITLE = re.compile(r"\A# .*\n+")

Part = str | tuple[tuple[str, Path], ...]
"""Markdown, or pictures side by side: the words for each, and its file."""


def show_document(file: Path) -> None:
    """The document without its title, which stands above it already."""
    for part in document_parts(file):
        if isinstance(part, str):
            st.markdown(part)
            continue
        for column, (words, picture) in zip(st.columns(len(part)), part, strict=True):
            column.image(picture, caption=words)


def document_parts(file: Path) -> Iterator[Part]:
    """``file`` in pieces that Streamlit can show: it knows no picture beside a text's own file.

    Links to other files of the repository lead nowhere in the app and become plain words.
    """
    text = _TITLE.sub("", _COMMENT.sub("", file.read_text(encoding="utf-8")))
    words: list[str] = []
    for block in re.split(r"\n{2,}", text.strip()):
        pictures = tuple(
            (text, file.parent / name)
            for text, name in _IMAGE.findall(block)
            if (file.parent / name).exists()
        )
        # A line or a table of nothing but pictures; within a sentence their words must do.
        if not pictures or _AROUND.sub("", _IMAGE.sub("", block)):
            words.append(_LOCAL_LINK.sub(r"\1", _IMAGE.sub(r"\1", block)))
            continue
        if words:
            yield "\n\n".join(words)
            words = []
        yield pictures
    if words:
        yield "\n\n".join(words)
