"""Text documents from the Jinja templates beside this module."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.labels import EMOTIONS

from .filters import FILTERS

TEMPLATES = Path(__file__).parent / "templates"


def render_text(template: str, **values: object) -> str:
    """Return the text of ``template``, at most one blank line in a row."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        # The result is Markdown of our own; only HTML needs escaping.
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(FILTERS)
    names = [str(emotion) for emotion in EMOTIONS]
    text = environment.get_template(template).render(values, emotions=names)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text))
