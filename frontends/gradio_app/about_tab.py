"""The tab that tells what the answers cannot do and what becomes of a photo."""

from __future__ import annotations

import re
from pathlib import Path

import gradio as gr

SHORT_FORM = Path(__file__).parents[1] / "ethics.md"
"""A part of docs/ethics.md that goes wherever the fronts go."""
WHOLE = Path(__file__).parents[2] / "docs" / "ethics.md"
REST_LABEL = "Consent, known errors, misuse, law"
_END_OF_SHORT_FORM = "<!-- /short form -->"
_LOCAL_LINK = re.compile(r"\[([^\]]+)\]\((?!https?://)[^)]+\)")

_KEPT = """A photo that you send to this page lies in a private folder of its computer for ten
minutes at most."""


def about_tab() -> None:
    """The short form, and the rest of the page where the documentation is at hand."""
    with gr.Tab("About", id="about"):
        gr.Markdown(SHORT_FORM.read_text(encoding="utf-8"))
        gr.Markdown(_KEPT)
        if WHOLE.is_file():
            with gr.Accordion(REST_LABEL, open=False):
                gr.Markdown(
                    text_after_short_form(WHOLE.read_text(encoding="utf-8")), elem_id="ethics"
                )


def text_after_short_form(page: str) -> str:
    """What follows the short form; links to other files, which lead nowhere here, become words."""
    return _LOCAL_LINK.sub(r"\1", page.partition(_END_OF_SHORT_FORM)[2])
