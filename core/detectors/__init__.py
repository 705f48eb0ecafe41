"""Detectors: finding the faces of an image.

Adding one takes its module and one registration below; titles, help, presets and tuning follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ..config import AnalyzerConfig, Device, Preset, PresetSettings
from ..registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from ..types import Face, RgbImage


class Detector(Protocol):
    """Anything that finds faces; safe from several threads."""

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """Return all faces in any order, or none; boxes may reach beyond the image."""
        ...


@dataclass(frozen=True, slots=True)
class DetectorInfo:
    """A detector as a person chooses it, and what loading it takes."""

    name: str
    title: str
    description: str = ""
    """One sentence for the settings' help."""
    weights: tuple[str, ...] = ()
    """Names of its weights among the manifest's detectors; none if they are another project's."""
    sizes: Mapping[Preset, tuple[int, int]] = field(default_factory=dict)
    """Longest side of the image and smallest face, in pixels, where a preset's do not suit it."""


@dataclass(frozen=True, slots=True)
class DetectorFacts:
    """Facts about the detector for the provenance of an answer."""

    weights_sha256: Mapping[str, str]
    """Checksum of the weights by their name; empty if they are another project's."""
    tuned_threshold: float | None
    """The score from which a detection counts; None means the detector's own default."""


class DetectorRegistry(Registry[Detector]):
    """Detectors by name. A factory takes ``settings, threshold, device, weights_dir`` by keyword.

    ``settings`` are the preset's :class:`~core.config.PresetSettings`, ``threshold`` the lowest
    score that counts or None, ``weights_dir`` the folder with the weights or None, the shipped one.
    """

    def __init__(self) -> None:
        super().__init__("detector")
        self._infos: dict[str, DetectorInfo] = {}

    def add(
        self,
        name: str,
        factory: str | Callable[..., Detector],
        *,
        title: str | None = None,
        description: str = "",
        weights: tuple[str, ...] = (),
        sizes: Mapping[Preset, tuple[int, int]] | None = None,
    ) -> None:
        """Register ``factory`` under ``name``; see :class:`DetectorInfo` for the rest."""
        super().add(name, factory)
        self._infos[name] = DetectorInfo(name, title or name, description, weights, sizes or {})

    def info(self, name: str) -> DetectorInfo:
        """Return title and description of ``name``; UnknownComponent if it is not registered."""
        return self._infos.get(self.require(name), DetectorInfo(name, name))


DETECTORS = DetectorRegistry()
DETECTORS.add(
    "hybrid",
    "core.detectors.hybrid:load_hybrid",
    title="Hybrid",
    description="Compact proposes faces and networks of MTCNN check them.",
    weights=("compact", "judge"),
    sizes={Preset.THOROUGH: (1024, 8)},
)
DETECTORS.add(
    "mtcnn",
    "core.detectors.mtcnn:load_mtcnn",
    title="MTCNN",
    description="A published chain of three networks; thorough.",
    sizes={Preset.FAST: (640, 16), Preset.BALANCED: (1024, 28)},
)
DETECTORS.add(
    "compact",
    "core.detectors.compact:load_compact",
    title="Compact",
    description="One small network of our own; fast.",
    weights=("compact",),
    sizes={Preset.FAST: (448, 8), Preset.BALANCED: (640, 10), Preset.THOROUGH: (1024, 8)},
)


def build(
    name: str,
    settings: PresetSettings,
    *,
    threshold: float | None = None,
    device: Device = Device.AUTO,
    weights_dir: Path | None = None,
) -> Detector:
    """Return the detector ``name``, which also finds a face that fills the picture.

    ``threshold`` None means the detector's own default. UnknownComponent if it is not registered;
    WeightsError if its weights are missing.
    """
    from .margin import MarginDetector

    factory = DETECTORS.get(name)
    return MarginDetector(
        factory(settings=settings, threshold=threshold, device=device, weights_dir=weights_dir)
    )


def load(config: AnalyzerConfig) -> tuple[Detector, DetectorFacts]:
    """Load the detector that ``config`` asks for; WeightsError if its weights are missing."""
    from ..weights import find_detector, read_detectors
    from .tuning import find_tuned_threshold

    name, folder = config.chosen_detector, config.weights_dir
    weights = DETECTORS.info(name).weights
    sha256 = {each: find_detector(each, folder).sha256 for each in weights}
    if weights and not read_detectors(folder).keys() & set(weights):
        folder = None  # a folder with trained emotion networks need not hold a detector
    threshold = config.detection_threshold
    if threshold is None:
        threshold = find_tuned_threshold(name, config.preset, config.operating_point, folder)
    detector = build(
        name, config.settings, threshold=threshold, device=config.device, weights_dir=folder
    )
    return detector, DetectorFacts(sha256, threshold)
