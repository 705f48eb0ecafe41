"""The Streamlit app with a model that answers at once, for `streamlit run`."""

from __future__ import annotations

from core import Analyzer
from frontends.streamlit_app import pages
from frontends.streamlit_app.views import about, model_page
from tests.fakes import FakeAnalyzer, model_info, untrained

Analyzer.from_config = FakeAnalyzer
for module in (about, model_page):
    module.model_catalog = lambda: (model_info(), untrained("resnet50"))

pages.run()
