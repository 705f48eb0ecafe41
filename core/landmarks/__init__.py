"""Placing landmarks on detected faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..types import Face, Landmarks, RgbImage


class LandmarkModel(Protocol):
    """Anything that places landmarks; safe from several threads."""

    def locate(self, image: RgbImage, faces: Sequence[Face]) -> tuple[Landmarks | None, ...]:
        """Return one entry per face, in order; None where no landmarks were found."""
        ...


class DetectorLandmarks:
    """Returns the detector's own landmarks; costs nothing."""

    def locate(self, _image: RgbImage, faces: Sequence[Face]) -> tuple[Landmarks | None, ...]:
        """Return each face's own landmarks; None if the detector finds none."""
        return tuple(face.landmarks for face in faces)


LANDMARK_MODELS: Registry[LandmarkModel] = Registry("landmark model")
LANDMARK_MODELS.add("face_mesh", "core.landmarks.face_mesh:FaceMeshLandmarks")
LANDMARK_MODELS.add("five_points", DetectorLandmarks)
