"""Documents of the folder `docs`, shown as pages of the app."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from frontends.streamlit_app.state import persist
from frontends.wording import unlink

DOCS = Path(__file__).parents[2] / "docs"

_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
_AROUND = re.compile(r"[|:\s-]+")
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_TITLE = re.compile(r"\A# .*\n+")

Part = str | tuple[tuple[str, Path], ...]
"""Markdown, or pictures side by side: the words for each, and its file."""


_LONG = 30_000
"""Characters from which a document is shown a section at a time, with a list of all."""


def show_document(file: Path) -> None:
    """Show the document without its title, which the page shows already.

    Of a long one, show a list of its sections and the chosen one.
    """
    text = _read(file)
    if len(text) < _LONG:
        _show_text(file, text)
        return
    sections = split_sections(text)
    contents, section = st.columns([1, 3], gap="medium")
    chosen = contents.radio("Contents", list(sections), **persist(f"section_of_{file.stem}"))
    with section:
        _show_text(file, sections[chosen])


def split_sections(text: str) -> dict[str, str]:
    """Return the text of each section by its title; what stands before them joins the first."""
    before, *parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    sections = {part.partition("\n")[0].removeprefix("## "): part for part in parts}
    first = next(iter(sections), "")
    return {**sections, first: before + sections.get(first, "")}


def _show_text(file: Path, text: str) -> None:
    for part in document_parts(file, text):
        if isinstance(part, str):
            st.markdown(part)
            continue
        for column, (words, picture) in zip(st.columns(len(part)), part, strict=True):
            column.image(picture, caption=words)


def _read(file: Path) -> str:
    return _TITLE.sub("", _COMMENT.sub("", file.read_text(encoding="utf-8")))


def document_parts(file: Path, text: str | None = None) -> Iterator[Part]:
    """Yield ``text`` of ``file``, or all of it, in parts: Streamlit's Markdown shows no pictures.

    Links to other files of the repository lead nowhere in the app and become plain words.
    """
    text = _read(file) if text is None else text
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
