"""Faces, and networks with random weights, that several tests of the core share."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core import RgbImage

FACE_XYXY = (179.0, 59.5, 268.1, 176.0)
"""Where MTCNN sees the astronaut's face."""
INPUT_PX = {"mobilenet_v2": 48, "resnet50": 48, "inception_v3": 75}
"""Small, so that the tests are quick; 75 px is the least that Inception v3 takes."""


@pytest.fixture(scope="session")
def photo(astronaut: NDArray[np.uint8]) -> RgbImage:
    """The astronaut as the pipeline gets it."""
    return RgbImage(astronaut, "astronaut.png")


@pytest.fixture(scope="session")
def faces48(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(12, 48, 48) uint8 grey, read-only: the astronaut's face, turned, shifted and shaded."""
    rng = np.random.default_rng(7)
    grey = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    crops = []
    for _ in range(12):
        centre = (223 + rng.uniform(-25, 25), 118 + rng.uniform(-25, 25))
        matrix = cv2.getRotationMatrix2D(centre, rng.uniform(-40, 40), 48 / rng.uniform(60, 140))
        matrix[:, 2] += 24 - np.array(centre)
        warp_square = cv2.warpAffine(grey, matrix, (48, 48), borderMode=cv2.BORDER_REFLECT)
        crops.append(cv2.convertScaleAbs(warp_square, alpha=rng.uniform(0.4, 1.1)))
    stacked: NDArray[np.uint8] = np.stack(crops)
    stacked.setflags(write=False)
    return stacked


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory: pytest.TempPathFactory, faces48: NDArray[np.uint8]) -> Path:
    """A folder with a manifest and all three networks, with random but useful weights.

    Their weights are drawn at random; batch normalisation has seen some faces and the head is
    scaled to them, so that answers differ from face to face as those of a trained network do.
    """
    import torch
    from torch import nn

    from core.classifiers.architectures import EmotionNetwork, find_architecture
    from core.faces.alignment import FaceFrame
    from core.faces.preprocess import Preprocessing
    from training.learning.export import export_network, update_model

    directory = tmp_path_factory.mktemp("weights")
    for seed, (name, input_px) in enumerate(INPUT_PX.items()):
        torch.manual_seed(seed)
        network = EmotionNetwork(find_architecture(name), crowd=True)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # the plain mean over all that was seen
                # Most values pass the ReLU; else rounding errors grow from layer to layer, as
                # they do not in a trained network.
                nn.init.constant_(module.bias, 1.0)
        preprocessing = Preprocessing(input_px, mean=0.5, std=0.25)
        batch = torch.from_numpy(preprocessing(faces48))
        with torch.no_grad():
            features = network.train().embed(batch)
            features = network.eval().embed(batch)
            # Without the part that all faces share, which would hide their differences.
            middle = features.mean(dim=0)
            for linear in (network.head, network.crowd):
                head = torch.randn(7, features.shape[1])
                head -= (head @ middle)[:, None] * middle / (middle @ middle)
                logits = features @ head.T
                spread = logits.std()
                linear.weight.copy_(2 * head / spread)
                linear.bias.copy_(-2 * logits.mean(dim=0) / spread)
        export_network(
            network,
            directory,
            name=name,
            preprocessing=preprocessing,
            frame=FaceFrame(),
            training={"seed": seed},
        )
        calibration = {"temperature": 1.0 + seed / 4, "certain_from": 0.4}
        calibrations = {
            "people": {**calibration, "crowd_share": 0.75},
            "fer2013": calibration,
        }
        update_model(directory, name, {"calibrations": calibrations})
    update_model(
        directory,
        "ensemble",
        {
            "weights": {"mobilenet_v2": 0.5, "resnet50": 0.3, "inception_v3": 0.2},
            "calibrations": {
                "people": {"temperature": 0.8, "certain_from": 0.45, "crowd_share": 0.75},
                "fer2013": {"temperature": 0.8, "certain_from": 0.45},
            },
            "metrics": {},
        },
    )
    return directory
