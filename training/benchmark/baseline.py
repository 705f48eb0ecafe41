"""The baseline: the same libraries, used the obvious way with their defaults.

It exists only for comparison; only the benchmark may use it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from core.types import RgbImage, UInt8Array
from core.weights import read_spec

_CROP_SIDE = 1.5
"""Side of the crop for the face mesh, in sides of the box."""


class BaselinePipeline:
    """facenet-pytorch's MTCNN, a face mesh for each face, and torchvision's network in torch.

    It has the methods of an ``Analyzer`` that the benchmark calls, and uses the same weights.
    """

    def __init__(self, min_face_px: int = 20) -> None:
        import torch
        from facenet_pytorch import MTCNN
        from mediapipe.python.solutions.face_mesh import FaceMesh

        from core.classifiers.architectures import build_network

        self._torch = torch
        self._spec = read_spec("mobilenet_v2")
        self._mtcnn = MTCNN(min_face_size=min_face_px, keep_all=True)
        self._mesh = FaceMesh(static_image_mode=True, max_num_faces=1)
        self._network = build_network("mobilenet_v2", self._spec.load())

    def detect(self, image: RgbImage) -> list[Any]:
        """Return the boxes of the faces."""
        boxes, _ = self._mtcnn.detect(image.pixels)
        return [] if boxes is None else list(boxes)

    def prepare(self, image: RgbImage, boxes: list[Any] | None = None) -> list[UInt8Array]:
        """Run the face mesh on each box, or on each face; return the crops."""
        pixels, crops = image.pixels, []
        for x1, y1, x2, y2 in self.detect(image) if boxes is None else boxes:
            half = _CROP_SIDE * max(x2 - x1, y2 - y1) / 2
            x, y = (x1 + x2) / 2, (y1 + y2) / 2
            top, bottom = (int(np.clip(v, 0, pixels.shape[0])) for v in (y - half, y + half))
            left, right = (int(np.clip(v, 0, pixels.shape[1])) for v in (x - half, x + half))
            if bottom - top < 2 or right - left < 2:
                continue
            square = np.ascontiguousarray(pixels[top:bottom, left:right])
            self._mesh.process(square)
            crops.append(square)
        return crops

    def classify(self, photos: Sequence[list[UInt8Array]]) -> list[int]:
        """Return the emotion of each face in the crops of ``photos``, with one call per face."""
        emotions = []
        for crop in itertools.chain.from_iterable(photos):
            grey = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (48, 48))
            batch = self._spec.preprocessing(np.asarray(grey, np.uint8)[None])
            with self._torch.inference_mode():
                emotions.append(int(self._network(self._torch.from_numpy(batch)).argmax()))
        return emotions

    def analyze(self, image: RgbImage) -> list[int]:
        """Return the emotions of all faces."""
        return self.classify([self.prepare(image)])
