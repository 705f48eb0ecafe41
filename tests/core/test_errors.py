"""The errors match the tree in the module's docstring."""

from __future__ import annotations

import pickle
import re

import pytest

from core import errors


def members():
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.ProjectError)
    ]


def parse_tree():
    """Return (name, depth, exit code or None) of every line of the tree."""
    for line in errors.__doc__.splitlines():
        found = re.match(r"^ {4}([│├└─ ]*)([A-Z]\w+)(?: {2,}(\d)?)", line)
        if found:
            branch, name, code = found.groups()
            yield name, len(branch) // 4, int(code) if code else None


def test_docstring_lists_every_error():
    assert {name for name, _, _ in parse_tree()} == {kind.__name__ for kind in members()}


def test_base_classes_and_exit_codes_match_the_docstring():
    path = []
    for name, depth, code in parse_tree():
        kind = getattr(errors, name)
        path[depth:] = [kind]
        if depth:
            assert kind.__bases__ == (path[depth - 1],)
            assert kind.exit_code == (code or path[depth - 1].exit_code)


@pytest.mark.parametrize("kind", members(), ids=lambda kind: kind.__name__)
def test_message_and_hint_survive_pickling(kind):
    if kind is errors.UnknownComponent:
        error = kind("model", "resnet5", ["resnet50"])
    else:
        error = kind("What happened.", hint="What to do.")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (str(copy), copy.message, copy.hint) == (str(error), error.message, error.hint)
    assert copy.hint
    assert copy.exit_code == kind.exit_code


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("resnet_50", "resnet50"),
        ("ResNet50", "resnet50"),
        ("MOBILENET-V2", "mobilenet_v2"),
        ("mobilenet", "mobilenet_v2"),
        ("xyz", None),
        ("", None),
    ],
)
def test_close_name_is_suggested(name, meant):
    error = errors.UnknownComponent("model", name, ["resnet50", "mobilenet_v2"])
    assert error.message == f"There is no model named '{name}'."
    suggestion = f"Did you mean '{meant}'? " if meant else ""
    assert error.hint == f"{suggestion}Known: mobilenet_v2, resnet50."
