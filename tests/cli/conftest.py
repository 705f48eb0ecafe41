"""Photos on disk and an analyzer that answers them at once."""

from __future__ import annotations

import pytest

import core
from core import Emotion
from tests.fakes import FakeAnalyzer, picture, png


@pytest.fixture
def made(monkeypatch):
    """The configs that analyzers were made from; each is a fake one."""
    configs = []

    def from_config(_class, config=None):
        configs.append(config)
        return FakeAnalyzer(config)

    monkeypatch.setattr(core.Analyzer, "from_config", classmethod(from_config))
    return configs


@pytest.fixture
def photos(tmp_path):
    """Photos with one face, two and none, by name."""
    pictures = {
        "one.png": picture(Emotion.HAPPY),
        "two.png": picture(Emotion.SAD, unsure=[Emotion.FEAR]),
        "none.png": picture(),
    }
    paths = {}
    for name, pixels in pictures.items():
        paths[name] = tmp_path / name
        paths[name].write_bytes(png(pixels))
    return paths
