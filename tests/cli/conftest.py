"""Photos on disk and a fake analyzer that needs no network."""

from __future__ import annotations

import pytest

import core
from core import Emotion
from tests.fakes import FakeAnalyzer, picture, png


@pytest.fixture
def configs(monkeypatch):
    """The configs that analyzers were made from; every analyzer is a fake."""
    configs = []

    def from_config(_class, config=None):
        configs.append(config)
        return FakeAnalyzer(config)

    monkeypatch.setattr(core.Analyzer, "from_config", classmethod(from_config))
    return configs


@pytest.fixture
def photos(tmp_path):
    """Paths of photos with one, two and no faces, by name."""
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
