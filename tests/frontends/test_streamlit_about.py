"""What the About page says is what the documentation says."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from frontends.streamlit_app.documents import DOCS, document_parts
from frontends.streamlit_app.views import about


def test_how_it_works_is_told_as_in_the_documentation():
    page = (DOCS / "guide" / "how-it-works.md").read_text(encoding="utf-8")
    _, steps = about.TEXT_FILE.read_text(encoding="utf-8").split("\n\n", 1)
    told = page.split("frontends/streamlit_app/about.md -->\n")[1].split("<!-- /steps -->")[0]
    assert told == steps


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("name", about._DOCUMENTS.values())
def test_every_document_on_offer_is_there_and_shown(name):
    def page():
        from frontends.streamlit_app.views import about

        about.page()

    [title] = [each for each, file in about._DOCUMENTS.items() if file == name]
    app = AppTest.from_function(page, default_timeout=200).run()
    app.button_group(key="about_part").set_value(title).run()
    assert not app.exception
    words = [each for each in document_parts(DOCS / name) if isinstance(each, str)]
    assert [each.value.strip() for each in app.markdown] == [each.strip() for each in words]
