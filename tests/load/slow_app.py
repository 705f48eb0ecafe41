"""The Streamlit app with a slow fake model, so that visitors have to wait."""

from __future__ import annotations

import time

from core import Analyzer
from frontends.streamlit_app import pages
from frontends.streamlit_app.views import model_page
from tests.fakes import FakeAnalyzer, model_info

_SECONDS = 0.6
"""More than the page itself takes, so that visitors wait for the model."""


class SlowAnalyzer(FakeAnalyzer):
    def analyze(self, image, **options):
        time.sleep(_SECONDS)
        return super().analyze(image, **options)


Analyzer.from_config = SlowAnalyzer
model_page.model_catalog = lambda: (model_info(),)

pages.run()
