"""A few photos with painted faces, and their COCO file."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from training.detector.recipe import read_detector_recipe


def painted(seed, faces):
    """A (96, 128, 3) picture with ``faces`` bright discs with eyes, and their boxes."""
    draw = np.random.default_rng(seed)
    pixels = draw.integers(0, 90, (96, 128, 3), dtype=np.uint8)
    boxes = []
    for index in range(faces):
        radius = int(draw.integers(8, 16))
        x, y = 32 + 60 * index, int(draw.integers(24, 70))
        cv2.circle(pixels, (x, y), radius, (230, 190, 170), -1)
        cv2.circle(pixels, (x - radius // 2, y - 3), 2, (0, 0, 0), -1)
        cv2.circle(pixels, (x + radius // 2, y - 3), 2, (0, 0, 0), -1)
        boxes.append([x - radius, y - radius, 2 * radius, 2 * radius])
    return pixels, boxes


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Folder with 6 photos and ``boxes.json``; one box is a crowd's."""
    folder = tmp_path_factory.mktemp("photos")
    images, annotations = [], []
    for number in range(1, 7):
        pixels, boxes = painted(number, 1 + number % 2)
        cv2.imwrite(str(folder / f"{number}.png"), pixels)
        images.append({"id": number, "file_name": f"{number}.png", "width": 128, "height": 96})
        annotations += [
            {
                "id": len(annotations) + index,
                "image_id": number,
                "category_id": 1,
                "bbox": box,
                "iscrowd": int(number == 6),
            }
            for index, box in enumerate(boxes)
        ]
    document = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "face"}],
    }
    (folder / "boxes.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def no_faces(tmp_path_factory):
    """Folder with 8 pictures without a face."""
    folder = tmp_path_factory.mktemp("negatives")
    for number in range(8):
        cv2.imwrite(str(folder / f"nothing{number}.png"), painted(100 + number, 0)[0])
    return folder


@pytest.fixture
def recipe():
    """A function that returns the committed recipe, made tiny."""

    def make(**changes):
        tiny = {"input_px": 64, "epochs": 2, "batch": 2, "keep_px": 128, **changes}
        return read_detector_recipe({name: str(value) for name, value in tiny.items()})

    return make
