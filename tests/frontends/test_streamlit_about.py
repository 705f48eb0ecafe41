"""The About page agrees with the documentation."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from frontends.streamlit_app.documents import DOCS, document_parts, split_sections
from frontends.streamlit_app.views import about

pytestmark = pytest.mark.usefixtures("catalog")


def open_page():
    def page():
        from frontends.streamlit_app.views import about

        about.page()

    return AppTest.from_function(page, default_timeout=200).run()


def test_how_it_works_matches_the_documentation():
    page = (DOCS / "guide" / "how-it-works.md").read_text(encoding="utf-8")
    _, steps = about.TEXT_FILE.read_text(encoding="utf-8").split("\n\n", 1)
    result = page.split("frontends/streamlit_app/about.md -->\n")[1].split("<!-- /steps -->")[0]
    assert result == steps


@pytest.mark.parametrize("name", about._DOCUMENTS.values())
def test_every_offered_document_is_shown(name):
    [title] = [each for each, file in about._DOCUMENTS.items() if file == name]
    app = open_page()
    app.button_group(key="about_part").set_value(title).run()
    assert not app.exception
    words = [each for each in document_parts(DOCS / name) if isinstance(each, str)]
    shown = [each.value for each in app.markdown]
    for section in app.radio[0].options[1:] if app.radio else ():
        app.radio[0].set_value(section).run()
        assert not app.exception
        shown += [each.value for each in app.markdown]
    # A section at a time the parts are others, the words are the same.
    assert "".join("".join(shown).split()) == "".join("".join(words).split())


def test_about_page_shows_the_recorded_figures():
    app = open_page()
    result = " ".join(text.value for text in app.markdown)
    assert "expressions, not feelings" in result
    assert not re.search(r"\bTODO\b", result)
    app.button_group(key="about_part").set_value(about.FIGURES).run()
    assert not app.exception
    table = app.table[0].value
    figures = dict(zip(table["Figure"], table["MobileNetV2"], strict=True))
    assert figures["Right answers"] == "67.1 % (65.5 to 68.6)"
    assert figures["Faces"] == "3,589"
    assert figures["Right among the answers given"] == "–"
    assert len(app.get("vega_lite_chart")) == 2


def test_about_text_has_no_stray_markup():
    assert "<" not in about.TEXT_FILE.read_text(encoding="utf-8")


def test_long_document_is_split_into_its_sections():
    text = "Before.\n\n## One\na\n### Inside\nb\n\n## Two\nc\n"
    sections = split_sections(text)
    assert list(sections) == ["One", "Two"]
    assert sections["One"] == "Before.\n\n## One\na\n### Inside\nb\n\n"
    assert "".join(sections.values()) == text
