"""Putting off an import that another package makes and we never use."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from threading import RLock
from types import ModuleType
from typing import Any

_loading = RLock()


class _PutOff(ModuleType):
    """Stands in for a module until something is asked of it.

    importlib's own LazyLoader loads at the next ``import`` already, on the Pythons in use.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what inspects modules asks for more than there may be
            raise AttributeError(name)
        return getattr(self._loaded(), name)

    def _loaded(self) -> ModuleType:
        name = self.__name__
        with _loading:
            if sys.modules.get(name) is self:
                del sys.modules[name]
            return importlib.import_module(name)


def put_off(name: str) -> None:
    """Let the next ``import`` of module ``name`` take effect when the module is first used.

    Its parent package is imported now. Does nothing where the module is loaded already, or absent.
    """
    with _loading:
        if name in sys.modules:
            return
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            return
        if spec is None:
            return
        module = _PutOff(name)
        module.__spec__ = spec
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            # An import that finds a module loaded does not do this any more.
            setattr(sys.modules[parent], child, module)
