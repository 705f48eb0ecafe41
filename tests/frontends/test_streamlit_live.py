"""The page that answers the camera as it runs."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core import Preset
from frontends.streamlit_app.views import live


@pytest.mark.usefixtures("catalog")
def test_page_opens_with_the_fastest_preset(made):
    # A component belongs to the server of an earlier test otherwise.
    live._camera.cache_clear()

    def page():
        from frontends.streamlit_app.views import live

        live.page()

    app = AppTest.from_function(page, default_timeout=200).run()
    assert not app.exception
    assert app.title[0].value == "Live"
    assert [each.config.preset for each in made] == [Preset.FAST]
