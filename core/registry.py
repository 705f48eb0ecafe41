"""Named components, listed without importing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Generic, TypeVar, cast

from .errors import ConfigError, UnknownComponent

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps a name to a factory, which is imported only when needed.

    A factory is given as ``"package.module:attribute"``, so that listing names
    costs no heavy import; :meth:`add` also takes the callable itself.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._factories: dict[str, str | Callable[..., T]] = {}

    def add(self, name: str, factory: str | Callable[..., T]) -> None:
        """Register ``factory`` under ``name``; ConfigError if the name is taken."""
        if name in self._factories:
            raise ConfigError(f"A {self.kind} named '{name}' is registered already.")
        self._factories[name] = factory

    def names(self) -> tuple[str, ...]:
        """Return all registered names, in the order of registration."""
        return tuple(self._factories)

    def get(self, name: str) -> Callable[..., T]:
        """Return the factory registered under ``name``; UnknownComponent if there is none."""
        factory = self._factories[self.require(name)]
        if not isinstance(factory, str):
            return factory
        module, _, attribute = factory.partition(":")
        return cast("Callable[..., T]", getattr(import_module(module), attribute))

    def require(self, name: str) -> str:
        """Return ``name`` if it is registered; raise UnknownComponent otherwise."""
        if name not in self._factories:
            raise UnknownComponent(self.kind, name, self._factories)
        return name

    def __contains__(self, name: object) -> bool:
        return name in self._factories

    def __iter__(self) -> Iterator[str]:
        return iter(self._factories)
