"""Options of an :class:`~core.pipeline.Analyzer`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from .errors import ConfigError, UnknownComponent
from .labels import Reading

TARGET_ACCURACY: Mapping[Reading, float] = MappingProxyType(
    {Reading.PEOPLE: 0.9, Reading.FER2013: 0.8}
)
"""Share of the certain answers that should be right at the level that calibration chooses."""


class Preset(StrEnum):
    """How much time a photo may take."""

    FAST = "fast"
    BALANCED = "balanced"
    THOROUGH = "thorough"


class OperatingPoint(StrEnum):
    """Trade-off of the detector: few false faces (precision) or few missed ones (recall)."""

    PRECISION = "precision"
    BALANCED = "balanced"
    RECALL = "recall"


class Device(StrEnum):
    """Where networks run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Engine(StrEnum):
    """What runs the emotion networks; ``auto`` takes OpenVINO on a CPU and torch on a GPU."""

    AUTO = "auto"
    TORCH = "torch"
    OPENVINO = "openvino"


@dataclass(frozen=True, slots=True)
class PresetSettings:
    """Detector and sizes of a preset; docs/detection.md has the measurements."""

    detector: str
    """The detector that the sizes are for."""
    working_px: int
    """Longest side of the image that the detector sees."""
    min_face_px: int
    """Side of the smallest face looked for, in that image."""


PRESETS: dict[Preset, PresetSettings] = {
    Preset.FAST: PresetSettings(detector="hybrid", working_px=384, min_face_px=8),
    Preset.BALANCED: PresetSettings(detector="hybrid", working_px=512, min_face_px=8),
    Preset.THOROUGH: PresetSettings(detector="mtcnn", working_px=2048, min_face_px=28),
}


def get_settings(preset: Preset, detector: str | None = None) -> PresetSettings:
    """Return what ``preset`` means for ``detector``; None means the preset's own."""
    from .detectors import DETECTORS

    own = PRESETS[preset]
    if detector is None or detector == own.detector:
        return own
    sizes = DETECTORS.info(detector).sizes if detector in DETECTORS else {}
    working_px, min_face_px = sizes.get(preset, (own.working_px, own.min_face_px))
    return PresetSettings(detector, working_px=working_px, min_face_px=min_face_px)


_ENUMS: dict[str, type[StrEnum]] = {
    "preset": Preset,
    "operating_point": OperatingPoint,
    "engine": Engine,
    "device": Device,
    "reading": Reading,
}


@dataclass(frozen=True, slots=True)
class AnalyzerConfig:
    """Options of an analyzer; checked on construction."""

    model: str = "mobilenet_v2"
    detector: str | None = None
    """None means the preset's detector; see :attr:`chosen_detector`."""
    landmarks: str = "face_mesh"
    reading: Reading = Reading.PEOPLE
    """What the answer is about: what people would see, or FER-2013's label."""
    preset: Preset = Preset.BALANCED
    operating_point: OperatingPoint = OperatingPoint.BALANCED
    detection_threshold: float | None = None
    """Faces scored lower are dropped; None means the operating point's tuned threshold."""
    certain_from: float | None = None
    """Probability below which the answer of the chosen reading is "not sure"; None means the level
    in the manifest."""
    engine: Engine = Engine.AUTO
    device: Device = Device.AUTO
    threads: int | None = None
    """Processor threads of each network in OpenVINO; None means all cores. With one, a stream of
    small images is processed as fast, with less processor time."""
    weights_dir: Path | None = None
    """Folder with manifest.json and the weights; None means the repository's ``weights/``."""

    def __post_init__(self) -> None:
        from .classifiers import CLASSIFIERS
        from .detectors import DETECTORS
        from .landmarks import LANDMARK_MODELS

        for field, kind in _ENUMS.items():
            value = getattr(self, field)
            try:
                object.__setattr__(self, field, kind(value))
            except ValueError:
                raise UnknownComponent(field, str(value), kind) from None
        CLASSIFIERS.require(self.model)
        DETECTORS.require(self.chosen_detector)
        LANDMARK_MODELS.require(self.landmarks)
        for field in ("model", "detector", "landmarks"):
            # A front may pass a member of its own enum; answers contain the plain name.
            if getattr(self, field) is not None:
                object.__setattr__(self, field, str(getattr(self, field)))
        for field in ("detection_threshold", "certain_from"):
            value = getattr(self, field)
            if value is not None and not 0.0 <= value <= 1.0:
                raise ConfigError(
                    f"{field} must lie between 0 and 1, got {value}.",
                    hint="Leave it out to use the measured value.",
                )
            if value is not None:
                object.__setattr__(self, field, float(value))
        if self.threads is not None and self.threads < 1:
            raise ConfigError(
                f"threads must be at least 1, got {self.threads}.",
                hint="Leave it out to use all processor cores.",
            )
        if self.engine is Engine.OPENVINO and self.device is Device.CUDA:
            raise ConfigError(
                "OpenVINO does not run on a CUDA GPU.", hint="Use engine 'torch' or device 'cpu'."
            )

    @property
    def settings(self) -> PresetSettings:
        return get_settings(self.preset, self.detector)

    @property
    def chosen_detector(self) -> str:
        """The detector given in the options, else the preset's."""
        return self.settings.detector

    def digest(self, manifest_facts: Mapping[str, object] | None = None) -> str:
        """Return twelve hexadecimal digits over everything that can change an answer.

        Engine, device, threads and the folder of the weights are left out: tests show that they do
        not change it, and weights have a checksum of their own. ``manifest_facts`` are JSON-ready.
        """
        options = {
            key: value
            for key, value in asdict(self).items()
            if key not in {"engine", "device", "threads", "weights_dir"}
        }
        options["detector"] = self.chosen_detector
        options["preset_settings"] = asdict(self.settings)
        options.update(manifest_facts or {})
        return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:12]
