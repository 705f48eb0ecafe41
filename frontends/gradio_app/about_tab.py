"""The tab that says what the answers cannot do and what happens to a photo."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from frontends.wording import unlink

SHORT_FORM = Path(__file__).parents[1] / "ethics.md"
"""The part of docs/ethics.md that is always there."""
WHOLE = Path(__file__).parents[2] / "docs" / "ethics.md"
REST_LABEL = "Consent, known errors, misuse, law"
_END_OF_SHORT_FORM = "<!-- /short form -->"

_IN_MEMORY = (
    "The app keeps your photos in memory only, and a film in a private folder until you leave."
)
_IN_FOLDER = (
    "This page keeps your photo or film in a private folder and deletes it within ten minutes."
)
"""What is true of the demo instead."""


def build_about_tab() -> None:
    """Build the tab with the short form, and the rest of the page if the documentation is there."""
    with gr.Tab("About", id="about"):
        gr.Markdown(SHORT_FORM.read_text(encoding="utf-8").replace(_IN_MEMORY, _IN_FOLDER))
        if WHOLE.is_file():
            _, _, rest = WHOLE.read_text(encoding="utf-8").partition(_END_OF_SHORT_FORM)
            with gr.Accordion(REST_LABEL, open=False):
                gr.Markdown(unlink(rest), elem_id="ethics")
