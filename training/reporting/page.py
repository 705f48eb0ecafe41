"""The report as one HTML file, to be read on a screen or printed."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markdown import Markdown
from markupsafe import Markup

from core import __version__
from core.catalog import MODEL_TITLES

from .filters import add_sources, remove_marks
from .rendering import TEMPLATES

_TITLE = re.compile(r"<h1[^>]*>.*?</h1>\s*", re.DOTALL)
_IMAGE = re.compile(r'<img alt="([^"]*)" src="([^"]+)"')
_FIGURE = re.compile(r'<p>(<img alt="([^"]*)"[^>]*>)</p>')
_LINK_ELSEWHERE = re.compile(r'<a href="(?!#|https?:)[^"]*">(.*?)</a>', re.DOTALL)
_NOT_TEXT = re.compile(
    r"(<code.*?</code>|<pre.*?</pre>|<style.*?</style>|<!--.*?-->|<[^>]+>)", re.DOTALL
)
_NAME = re.compile(rf"(?<![\w.])({'|'.join(MODEL_TITLES)})(?![\w.])")


def render_page(marked: str, pictures: Mapping[str, str], written: date) -> str:
    """Return the report as one HTML file: figures inside, every number with its source."""
    converter = Markdown(
        extensions=["tables", "toc", "fenced_code", "sane_lists", "attr_list"],
        extension_configs={"toc": {"toc_depth": "2-2"}},
    )
    # In code, HTML would be shown as it is, so numbers there have no source.
    parts = re.split(r"(```.*?```|`[^`\n]*`)", marked, flags=re.DOTALL)
    parts[::2] = map(add_sources, parts[::2])
    body = converter.convert(remove_marks("".join(parts)))
    body = _TITLE.sub("", body, count=1)  # the title page has it
    body = _IMAGE.sub(lambda found: _embed_image(found, pictures), body)
    body = _number_figures(body)
    # A single file does not contain what links into the repository point to.
    body = _LINK_ELSEWHERE.sub(r"\1", body)
    body = re.sub(r"(<table>.*?</table>)", r'<div class="wide">\1</div>', body, flags=re.DOTALL)
    template = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    # Markup is safe here: it is our own Markdown, in which artefacts' texts were escaped.
    return template.get_template("page.html.j2").render(
        body=Markup(_write_titles(body)),  # noqa: S704
        contents=Markup(_write_titles(converter.toc)),  # noqa: S704
        style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704
        version=__version__,
        date=f"{written.day} {written:%B %Y}",
        date_iso=written.isoformat(),
    )


def _embed_image(found: re.Match[str], pictures: Mapping[str, str]) -> str:
    picture = _write_titles(pictures[Path(found[2]).stem])
    data = base64.b64encode(picture.encode()).decode()
    return f'<img alt="{found[1]}" src="data:image/svg+xml;base64,{data}"'


def _number_figures(body: str) -> str:
    numbers = itertools.count(1)
    return _FIGURE.sub(
        lambda found: (
            f"<figure>{found[1]}"
            f"<figcaption>Figure {next(numbers)}. {found[2]}.</figcaption></figure>"
        ),
        body,
    )


def _write_titles(markup: str) -> str:
    """Return HTML or SVG whose text has the models' titles; code keeps the names to be typed."""
    parts = _NOT_TEXT.split(markup)
    parts[::2] = [_NAME.sub(_choose_title, part) for part in parts[::2]]
    return "".join(parts)


def _choose_title(found: re.Match[str]) -> str:
    # In a sentence "ensemble" is an ordinary word.
    return found[0] if found[0] == "ensemble" else MODEL_TITLES[found[0]]
