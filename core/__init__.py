"""From a photo to calibrated emotions: the façade every front stands on.

>>> from core import Analyzer, AnalyzerConfig, read_image
>>> analyzer = Analyzer.from_config(AnalyzerConfig(model="mobilenet_v2"))
>>> analysis = analyzer.analyze(read_image(path))          # doctest: +SKIP

Importing this package costs nothing heavy: each name is loaded when it is first used.
"""

from __future__ import annotations

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
