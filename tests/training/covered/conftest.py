"""The astronaut's face as a set of training faces and as photos."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.covered.recipe import read_covered_recipe


@pytest.fixture(scope="session")
def faces(astronaut, tmp_path_factory):
    """Folder of 40 training and 10 validation faces, each the astronaut's, moved and shaded."""
    folder = tmp_path_factory.mktemp("covered") / "faces"
    grey = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    draw = np.random.default_rng(0)
    for split, count in (("train", 40), ("validation", 10)):
        for number in range(count):
            side = draw.uniform(90, 115)
            x, y = 223 + draw.uniform(-6, 6), 118 + draw.uniform(-6, 6)
            matrix = np.array(
                [[48 / side, 0, 24 - x * 48 / side], [0, 48 / side, 24 - y * 48 / side]]
            )
            crop = cv2.warpAffine(grey, matrix, (48, 48), flags=cv2.INTER_AREA)
            crop = cv2.convertScaleAbs(crop, alpha=draw.uniform(0.7, 1.1))
            file = folder / split / ("happy" if number % 2 else "sad") / f"{split}_{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(file), crop)
    return folder


@pytest.fixture(scope="session")
def photos(astronaut, tmp_path_factory):
    """Folder with one photo of the astronaut, and one without a face."""
    folder = tmp_path_factory.mktemp("covered_photos") / "people"
    folder.mkdir()
    cv2.imwrite(str(folder / "astronaut.png"), cv2.cvtColor(astronaut, cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(folder / "nothing.png"), np.full((100, 100, 3), 90, np.uint8))
    return folder


@pytest.fixture
def recipe():
    """A function that returns the committed recipe, made tiny."""

    def make(**changes):
        tiny = {"faces": 40, "epochs": 2, "batch": 8, **changes}
        return read_covered_recipe({name: str(value) for name, value in tiny.items()})

    return make
