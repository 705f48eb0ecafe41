"""From a photo to calibrated emotions: the names that all fronts use.

>>> from core import Analyzer, AnalyzerConfig, read_image
>>> analyzer = Analyzer.from_config(AnalyzerConfig(model="mobilenet_v2"))
>>> analysis = analyzer.analyze(read_image(path))          # doctest: +SKIP

Importing this package costs nothing heavy: each name is loaded when it is first used. The names and
the modules they come from are listed once, in `__init__.pyi`.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

__version__ = "0.1.0"

# Not lazy_loader.attach_stub: `emotion doctor` must start without any third party.
_STUB = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
_MODULES = {
    alias.name: node.module
    for node in _STUB.body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
