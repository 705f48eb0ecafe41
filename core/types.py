"""The types that pass between the stages; all frozen, RGB, lengths in pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from numpy.typing import NDArray

from .labels import EMOTIONS, Emotion, Reading

if TYPE_CHECKING:
    from PIL import Image

UInt8Array = NDArray[np.uint8]
Float32Array = NDArray[np.float32]


@overload
def is_certain(top: float, certain_from: float) -> bool: ...
@overload
def is_certain(top: NDArray[np.float64], certain_from: float) -> NDArray[np.bool_]: ...
def is_certain(top: float | NDArray[np.float64], certain_from: float) -> bool | NDArray[np.bool_]:
    """Return whether the top probability, or each of several, reaches the level of an answer.

    An answer below the level is "not sure". This is the only place that decides it.
    """
    return top >= certain_from


@dataclass(frozen=True, slots=True, eq=False)
class RgbImage:
    """An upright image, validated once; no later stage checks it again."""

    pixels: UInt8Array
    """(H, W, 3) uint8 RGB, read-only."""
    name: str = "image"
    """The image's name in answers: a file name without its folder."""
    notes: tuple[str, ...] = ()
    """Notes about reading it for the user, e.g. that an animation has more frames."""
    turned: int = 0
    """Degrees clockwise by which it was turned after reading: 0, 90, 180 or 270."""

    def __post_init__(self) -> None:
        pixels = self.pixels
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
            got = f"{pixels.dtype} {pixels.shape}"
            raise ValueError(f"expected uint8 pixels of shape (H, W, 3) with H, W >= 1, got {got}")
        if pixels.flags.writeable or not pixels.flags.c_contiguous:
            frozen = pixels.copy(order="C")
            frozen.setflags(write=False)
            object.__setattr__(self, "pixels", frozen)

    @classmethod
    def from_array(
        cls, pixels: UInt8Array, order: Literal["rgb", "bgr"], *, name: str = "image"
    ) -> RgbImage:
        """Return a copy of (H, W, 3) uint8 pixels as an image; OpenCV's are in the order "bgr".

        TypeError or ValueError says what else ``pixels`` are. They must be upright.
        """
        if not isinstance(pixels, np.ndarray):
            raise TypeError(f"expected a NumPy array, got {type(pixels).__name__}")
        if order not in {"rgb", "bgr"}:
            raise ValueError(f"order must be 'rgb' or 'bgr', got {order!r}")
        if pixels.dtype != np.uint8:
            raise ValueError(f"expected uint8 pixels in 0..255, got {pixels.dtype}")
        return cls(np.array(pixels[..., ::-1] if order == "bgr" else pixels, order="C"), name)

    @classmethod
    def from_pil(cls, picture: Image.Image, *, name: str = "image") -> RgbImage:
        """Return a Pillow image as :func:`.reading.isolation.read_image` would return its file.

        It is turned upright, in sRGB, on white where it is transparent, and at most 4096 pixels
        large. Unlike there, Pillow decodes it in this process. TypeError for anything else; a
        picture that cannot be decoded raises what Pillow raises.
        """
        from PIL import Image

        if not isinstance(picture, Image.Image):
            raise TypeError(f"expected a Pillow image, got {type(picture).__name__}")
        from .reading.upright import make_upright

        picture.load()
        return cls(make_upright(picture)[0], name)

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    def turn_to(self, degrees: int) -> RgbImage:
        """Return the image turned by ``degrees`` clockwise in all, counted from how it was read.

        ValueError unless ``degrees`` is a multiple of 90.
        """
        if degrees % 90:
            raise ValueError(f"degrees must be a multiple of 90, got {degrees}")
        more = (degrees - self.turned) % 360
        if not more:
            return self
        import cv2  # here, because types are imported by commands that need no pixels

        turns = (
            cv2.ROTATE_90_CLOCKWISE,
            cv2.ROTATE_180,
            cv2.ROTATE_90_COUNTERCLOCKWISE,
        )
        # Four times as fast as np.rot90 with a copy.
        pixels = np.asarray(cv2.rotate(self.pixels, turns[more // 90 - 1]), np.uint8)
        pixels.setflags(write=False)
        return replace(self, pixels=pixels, turned=degrees % 360)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in image pixels, half-open: x1 <= x < x2, y1 <= y < y2."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        return max(0.0, self.x2 - self.x1)

    @property
    def height(self) -> float:
        return max(0.0, self.y2 - self.y1)

    @property
    def area(self) -> float:
        return self.width * self.height

    def clip(self, width: int, height: int) -> Box:
        """Return the part of the box inside an image of ``width`` x ``height``; may be empty."""
        right, bottom = float(width), float(height)
        return Box(
            min(max(self.x1, 0.0), right),
            min(max(self.y1, 0.0), bottom),
            min(max(self.x2, 0.0), right),
            min(max(self.y2, 0.0), bottom),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Named points of one face; a pixel's centre lies at half a pixel, as in :class:`Box`."""

    points: Float32Array
    """(N, 2) float32 x, y in image pixels, read-only."""
    scheme: str
    """Which points they are: ``five_points`` or ``face_mesh_468``."""
    depth: Float32Array | None = None
    """(N,) float32 distance behind the face's centre, roughly in image pixels; None if unknown."""
    confidence: float | None = None
    """Logit of the probability that the points lie on a face; None if the model gives none."""

    def __post_init__(self) -> None:
        points = np.array(self.points, dtype=np.float32)
        if points.ndim != 2 or points.shape[1] != 2:
            raise ValueError(f"expected points of shape (N, 2), got {points.shape}")
        points.setflags(write=False)
        object.__setattr__(self, "points", points)
        if self.depth is not None:
            depth = np.array(self.depth, dtype=np.float32)
            if depth.shape != points.shape[:1]:
                raise ValueError(f"expected depth of shape {points.shape[:1]}, got {depth.shape}")
            depth.setflags(write=False)
            object.__setattr__(self, "depth", depth)


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One detected face."""

    box: Box
    score: float
    """The detector's confidence, 0..1; not a probability."""
    landmarks: Landmarks | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AlignedCrop:
    """One face in FER-2013's frame, ready for a classifier."""

    pixels: UInt8Array
    """(48, 48) uint8 grey."""
    matrix: NDArray[np.float64]
    """(2, 3) affine from image to crop coordinates, for drawing on the photo.

    In both a pixel's centre lies at half a pixel, as in :class:`Box`.
    """


@dataclass(frozen=True, slots=True)
class EmotionScores:
    """One calibrated probability per emotion; they sum to one."""

    probabilities: tuple[float, ...]
    """In the order of :data:`core.labels.EMOTIONS`."""
    certain_from: float = 0.0
    """With a top probability below this the answer is "not sure"."""
    reading: Reading = Reading.PEOPLE
    """What the probabilities are about."""
    unreadable: str | None = None
    """Why the face cannot be read well enough for a certain answer; None if it can."""

    def __post_init__(self) -> None:
        if len(self.probabilities) != len(EMOTIONS):
            raise ValueError(
                f"expected {len(EMOTIONS)} probabilities, got {len(self.probabilities)}"
            )
        if not all(0.0 <= each <= 1.0 for each in self.probabilities):
            raise ValueError(f"expected probabilities within 0..1, got {self.probabilities}")
        if not abs(sum(self.probabilities) - 1.0) < 1e-4:
            raise ValueError(f"expected probabilities that sum to 1, got {sum(self.probabilities)}")

    def __getitem__(self, emotion: Emotion) -> float:
        return self.probabilities[EMOTIONS.index(emotion)]

    def ranked(self) -> tuple[tuple[Emotion, float], ...]:
        """Return all emotions with their probabilities, most probable first."""
        pairs = zip(EMOTIONS, self.probabilities, strict=True)
        return tuple(sorted(pairs, key=lambda pair: -pair[1]))

    @property
    def top(self) -> Emotion:
        return self.ranked()[0][0]

    @property
    def margin(self) -> float:
        """Top probability minus the second."""
        ranked = self.ranked()
        return ranked[0][1] - ranked[1][1]

    @property
    def certain(self) -> bool:
        """Whether the face is readable and the top probability reaches the level.

        False means "not sure".
        """
        return self.unreadable is None and is_certain(self.ranked()[0][1], self.certain_from)


class FacePart(StrEnum):
    """A part of a face that an expression needs."""

    EYES = "eyes"
    """Both of them."""
    MOUTH = "mouth"
    ONE_EYE = "one_eye"


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """How well a face can be read."""

    size_px: float
    """The shorter side of the box."""
    sharpness: float
    """Variance of the Laplacian of the grey face at 96 px and a usual contrast.

    Below about 60 it looks blurred.
    """
    brightness: float
    """Mean grey value, 0..1."""
    contrast: float
    """Standard deviation of the grey value, 0..1."""
    yaw: float | None
    """Degrees, positive when the face turns to the viewer's right; None without a mesh."""
    pitch: float | None
    """Degrees, positive when the face looks up; None without a mesh."""
    roll: float | None
    """Degrees, positive when the face tilts clockwise; None without landmarks."""
    reasons: tuple[str, ...] = ()
    """Why the answer is less reliable, in plain words; empty if nothing was found."""
    unreadable: str | None = None
    """The one of ``reasons`` for which no answer can be certain; None if there is none."""
    covered: tuple[FacePart, ...] = ()
    """What something seems to hide; empty also where eyes and mouth could not be located."""


class Agreement(StrEnum):
    """Whether several networks name the same emotion for one face."""

    ALL = "all"
    MAJORITY = "majority"
    SPLIT = "split"
    """No emotion is named by more than half of them."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceAnalysis:
    """The whole answer for one face."""

    index: int
    """1-based, from left to right in the image."""
    face: Face
    reading: Reading
    """The reading that is shown."""
    readings: Mapping[Reading, EmotionScores]
    """What every reading says."""
    per_model: Mapping[str, EmotionScores]
    """What each network says in the shown reading."""
    quality: FaceQuality
    crop: AlignedCrop

    @property
    def emotions(self) -> EmotionScores:
        """What the shown reading says."""
        return self.readings[self.reading]

    @property
    def agreement(self) -> Agreement | None:
        """Whether the networks of an ensemble agree; None for a single network."""
        if len(self.per_model) < 2:
            return None
        ((_, most),) = Counter(scores.top for scores in self.per_model.values()).most_common(1)
        if most == len(self.per_model):
            return Agreement.ALL
        return Agreement.MAJORITY if 2 * most > len(self.per_model) else Agreement.SPLIT


@dataclass(frozen=True, slots=True)
class Provenance:
    """Components and weights behind an answer; enough to reproduce it."""

    version: str
    model: str
    detector: str
    landmarks: str
    reading: str
    """What the shown probabilities are about; see :class:`core.labels.Reading`."""
    weights_sha256: Mapping[str, str]
    config_digest: str
    """Over the options and the manifest's facts about the weights, above all calibration."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageAnalysis:
    """The answer for one image; ``faces == ()`` is a normal one."""

    name: str
    width: int
    """Of the image after turning, like ``height`` and all positions."""
    height: int
    faces: tuple[FaceAnalysis, ...]
    provenance: Provenance
    notes: tuple[str, ...] = ()
    turned: int = 0
    """Degrees clockwise by which the image was turned to stand upright: 0, 90, 180 or 270."""
    elapsed_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds per stage; left out of exported documents, which must be reproducible."""
