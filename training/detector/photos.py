"""Photos with boxes around their faces: COCO annotations beside a folder or zip of images."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import DataError, InputError
from core.files import read_json
from core.reading.reader import read_in_process
from core.types import Float32Array, RgbImage, UInt8Array

from ..data.image_files import iter_image_files

_QUALITY = 95
"""Of the JPEGs in memory; the loss does not affect detectors."""
_SAME_SHAPE = 0.02
"""Largest difference between the width-to-height ratios of a photo and its annotation."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceBoxes:
    """The annotated faces of one photo."""

    boxes_xyxy: Float32Array
    """(N, 4) in pixels of the photo."""
    ignored: NDArray[np.bool_]
    """(N,) faces that do not count (COCO's ``iscrowd``)."""

    def scale(self, x: float, y: float) -> FaceBoxes:
        """Return the same faces in a photo resized by these factors."""
        factors = np.array([x, y, x, y], np.float32)
        return FaceBoxes(self.boxes_xyxy * factors, self.ignored)


NO_FACES = FaceBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.bool_))


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPhoto:
    """A photo in memory, reduced and encoded as JPEG."""

    name: str
    jpeg: bytes
    faces: FaceBoxes

    def pixels(self) -> UInt8Array:
        """Return the (H, W, 3) uint8 RGB pixels."""
        encoded = np.frombuffer(self.jpeg, np.uint8)
        bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def encode_photo(image: RgbImage, faces: FaceBoxes, longest_px: int) -> EncodedPhoto:
    """Return ``image``, reduced to ``longest_px`` on its longer side if it is larger."""
    scale = min(1.0, longest_px / max(image.width, image.height))
    size_wh = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    pixels = image.pixels
    if scale < 1:
        pixels = np.asarray(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA))
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    resized = faces.scale(size_wh[0] / image.width, size_wh[1] / image.height)
    return EncodedPhoto(image.name, encoded.tobytes(), resized)


def read_annotated_photos(
    images: Path, boxes: Path, skipped: list[str]
) -> Iterator[tuple[RgbImage, FaceBoxes]]:
    """Yield every photo of ``boxes`` (COCO JSON) in ``images`` (folder or zip) as upright RGB.

    Photos that are missing or cannot be read are added to ``skipped``. DataError if the
    annotations are not in COCO's format, or all of their photos are missing.
    """
    wanted = read_annotations(boxes)
    found = 0
    missing = dict(wanted)
    for path, read in iter_image_files(images):
        annotated = missing.pop(path.name, None)
        if annotated is None:
            continue
        found += 1
        try:
            image = read_in_process(read(), name=path.name)
        except InputError as error:
            skipped.append(f"{path}: {error.message}")
            continue
        ratio = (image.width / image.height) * (annotated.height / annotated.width)
        if abs(math.log(ratio)) > _SAME_SHAPE:
            skipped.append(f"{path}: Its boxes were drawn on a picture of another shape.")
            continue
        factors = image.width / annotated.width, image.height / annotated.height
        yield image, annotated.faces.scale(*factors)
    if not found:
        raise DataError(
            f"None of the photos that {boxes.name} describes is in {images.name}.",
            hint="--images is the folder or zip with the files that the JSON names.",
        )
    skipped.extend(f"{name}: It is not in {images.name}." for name in missing)


def read_photos(images: Path, skipped: list[str]) -> Iterator[RgbImage]:
    """Yield every photo in a folder or zip as upright RGB; unreadable ones go to ``skipped``."""
    for path, read in iter_image_files(images):
        try:
            yield read_in_process(read(), name=path.name)
        except InputError as error:
            skipped.append(f"{path}: {error.message}")


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedPhoto:
    """One photo of a COCO file."""

    width: float
    height: float
    faces: FaceBoxes


def read_annotations(path: Path) -> dict[str, AnnotatedPhoto]:
    """Return the photos of a COCO file by file name without folders; DataError if it is invalid."""
    try:
        document = read_json(path)
        category = _find_face_category(document.get("categories", []))
        boxes: dict[Any, list[tuple[list[float], bool]]] = {}
        for each in document["annotations"]:
            if category is not None and each["category_id"] != category:
                continue
            x, y, width, height = (float(value) for value in each["bbox"])
            if not all(map(math.isfinite, (x, y, width, height))):
                raise ValueError(f"annotation {each.get('id')} has no finite box")
            if width > 0 and height > 0:
                row = ([x, y, x + width, y + height], bool(each.get("iscrowd", 0)))
                boxes.setdefault(each["image_id"], []).append(row)
        photos = {}
        for each in document["images"]:
            name = PurePosixPath(each["file_name"].replace("\\", "/")).name
            if name in photos:
                raise ValueError(f"two photos are called {name}")
            photos[name] = _make_annotated(each, boxes.get(each["id"], []))
    except OSError as error:
        raise DataError(
            f"'{path}' cannot be read ({error.strerror}).", hint="Check the path of --boxes."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"'{path.name}' is not in COCO's format ({error}).",
            hint="Needed: images (id, file_name, width, height) and annotations "
            "(image_id, category_id, bbox as x, y, width, height).",
        ) from error
    if not photos:
        raise DataError(f"'{path.name}' describes no photo.", hint="Its list of images is empty.")
    return photos


def _make_annotated(
    image: Mapping[str, Any], rows: list[tuple[list[float], bool]]
) -> AnnotatedPhoto:
    width, height = float(image["width"]), float(image["height"])
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise ValueError(f"photo {image['file_name']} has no size")
    boxes = np.array([box for box, _ in rows], np.float32).reshape(-1, 4)
    ignored = np.array([crowd for _, crowd in rows], np.bool_)
    return AnnotatedPhoto(width, height, FaceBoxes(boxes, ignored))


def _find_face_category(categories: list[dict[str, Any]]) -> Any:
    """Return the id of the faces' category; None if all annotations are faces."""
    if len(categories) <= 1:
        return None
    for each in categories:
        if str(each["name"]).lower() in {"face", "faces"}:
            return each["id"]
    raise ValueError("none of its categories is called face")
