"""Components are listed without importing them, and looked up by name."""

from __future__ import annotations

import sys

import pytest

from core import ConfigError, UnknownComponent
from core.registry import Registry


@pytest.fixture
def registry():
    made = Registry("thing")
    made.add("lazy", "tests.core.never_imported:make")
    made.add("ready", dict)
    return made


def test_names_come_in_order_of_registration_without_any_import(registry):
    assert registry.names() == ("lazy", "ready")
    assert list(registry) == ["lazy", "ready"]
    assert "lazy" in registry
    assert "else" not in registry
    assert "tests.core.never_imported" not in sys.modules


def test_module_is_imported_when_its_factory_is_needed(registry):
    with pytest.raises(ModuleNotFoundError):
        registry.get("lazy")
    registry.add("loads", "tests.core.pipeline_parts:scores")
    assert registry.get("loads").__name__ == "scores"


def test_registered_callable_is_returned_unchanged(registry):
    assert registry.get("ready") is dict


@pytest.mark.parametrize("again", ["lazy", "ready"])
def test_name_can_be_registered_only_once(registry, again):
    with pytest.raises(ConfigError, match=f"A thing named '{again}' is registered already"):
        registry.add(again, list)
    assert registry.get("ready") is dict


@pytest.mark.parametrize("ask", [Registry.get, Registry.require])
def test_unknown_name_is_refused_with_a_suggestion(registry, ask):
    with pytest.raises(UnknownComponent, match="no thing named 'raedy'") as caught:
        ask(registry, "raedy")
    assert "'ready'" in caught.value.hint


def test_empty_registry_knows_nothing():
    empty = Registry("thing")
    assert empty.names() == ()
    with pytest.raises(UnknownComponent):
        empty.get("")
