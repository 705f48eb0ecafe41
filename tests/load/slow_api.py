"""Serve the API with a slow fake model, so that visitors have to wait."""

from __future__ import annotations

import time

from core import Analyzer
from frontends.api import serve
from tests.fakes import FakeAnalyzer

_SECONDS = 0.1
"""Longer than reading a request, so that the queue fills up."""


class SlowAnalyzer(FakeAnalyzer):
    def analyze(self, image, **options):
        time.sleep(_SECONDS)
        return super().analyze(image, **options)


if __name__ == "__main__":
    Analyzer.from_config = SlowAnalyzer
    serve.serve()
