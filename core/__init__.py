"""From a photo to calibrated emotions: the façade every front stands on.

>>> from core import Analyzer, AnalyzerConfig, read_image
>>> analyzer = Analyzer.from_config(AnalyzerConfig(model="mobilenet_v2"))
>>> analysis = analyzer.analyze(read_image(path))          # doctest: +SKIP

Importing this package costs nothing heavy: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .allocator import keep_blocks, release_freed, share_heaps
    from .batch.options import (
        BatchEngine,
        BatchOptions,
        BatchProgress,
        BatchSummary,
        TableFormat,
    )
    from .batch.run import run_batch
    from .catalog import ModelInfo, detector_names, model_catalog, model_names
    from .config import AnalyzerConfig, Device, Engine, OperatingPoint, Preset
    from .detectors.tuning import DetectionFigures, DetectionPoint, detection_figures
    from .diagnostics import Finding, diagnose, prepare_networks
    from .errors import (
        ConfigError,
        DataError,
        ImageTooLarge,
        InferenceError,
        InputError,
        ProjectError,
        UnknownComponent,
        UnreadableImage,
        UnsupportedImage,
        WeightsCorrupt,
        WeightsError,
        WeightsMissing,
    )
    from .imaging.isolation import (
        IsolatedReader,
        prepare_isolated,
        read_isolated,
        renew_isolated,
    )
    from .imaging.reader import read_image
    from .labels import EMOTIONS, Emotion
    from .landmarks.noise import LandmarkNoise, displaced
    from .live.following import FaceFollower
    from .live.video import Frame, Video, is_video, open_camera, open_video, video_writer
    from .output.blur import blur_faces
    from .output.export import (
        SCHEMA_VERSION,
        document,
        dumps,
        opinions,
        spreadsheet_text,
        to_csv,
        to_json,
    )
    from .output.render import annotate, encode_png, overlay_heatmap
    from .pipeline import Analyzer
    from .tracking import FaceTracker, TrackedFace
    from .types import (
        Agreement,
        AlignedCrop,
        Box,
        EmotionScores,
        Face,
        FaceAnalysis,
        FaceQuality,
        ImageAnalysis,
        Landmarks,
        Provenance,
        RgbImage,
    )

_HOMES: dict[str, tuple[str, ...]] = {
    "allocator": ("keep_blocks", "release_freed", "share_heaps"),
    "batch.options": (
        "BatchEngine",
        "BatchOptions",
        "BatchProgress",
        "BatchSummary",
        "TableFormat",
    ),
    "batch.run": ("run_batch",),
    "catalog": ("ModelInfo", "detector_names", "model_catalog", "model_names"),
    "config": ("AnalyzerConfig", "Device", "Engine", "OperatingPoint", "Preset"),
    "detectors.tuning": ("DetectionFigures", "DetectionPoint", "detection_figures"),
    "diagnostics": ("Finding", "diagnose", "prepare_networks"),
    "errors": (
        "ConfigError",
        "DataError",
        "ImageTooLarge",
        "InferenceError",
        "InputError",
        "ProjectError",
        "UnknownComponent",
        "UnreadableImage",
        "UnsupportedImage",
        "WeightsCorrupt",
        "WeightsError",
        "WeightsMissing",
    ),
    "imaging.isolation": (
        "IsolatedReader",
        "prepare_isolated",
        "read_isolated",
        "renew_isolated",
    ),
    "imaging.reader": ("read_image",),
    "landmarks.noise": ("LandmarkNoise", "displaced"),
    "labels": ("EMOTIONS", "Emotion"),
    "live.following": ("FaceFollower",),
    "live.video": (
        "Frame",
        "Video",
        "is_video",
        "open_camera",
        "open_video",
        "video_writer",
    ),
    "output.blur": ("blur_faces",),
    "output.export": (
        "SCHEMA_VERSION",
        "document",
        "dumps",
        "opinions",
        "spreadsheet_text",
        "to_csv",
        "to_json",
    ),
    "output.render": ("annotate", "encode_png", "overlay_heatmap"),
    "pipeline": ("Analyzer",),
    "tracking": ("FaceTracker", "TrackedFace"),
    "types": (
        "Agreement",
        "AlignedCrop",
        "Box",
        "EmotionScores",
        "Face",
        "FaceAnalysis",
        "FaceQuality",
        "ImageAnalysis",
        "Landmarks",
        "Provenance",
        "RgbImage",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "EMOTIONS",
    "SCHEMA_VERSION",
    "Agreement",
    "AlignedCrop",
    "Analyzer",
    "AnalyzerConfig",
    "BatchEngine",
    "BatchOptions",
    "BatchProgress",
    "BatchSummary",
    "Box",
    "ConfigError",
    "DataError",
    "DetectionFigures",
    "DetectionPoint",
    "Device",
    "Emotion",
    "EmotionScores",
    "Engine",
    "Face",
    "FaceAnalysis",
    "FaceFollower",
    "FaceQuality",
    "FaceTracker",
    "Finding",
    "Frame",
    "ImageAnalysis",
    "ImageTooLarge",
    "InferenceError",
    "InputError",
    "IsolatedReader",
    "LandmarkNoise",
    "Landmarks",
    "ModelInfo",
    "OperatingPoint",
    "Preset",
    "ProjectError",
    "Provenance",
    "RgbImage",
    "TableFormat",
    "TrackedFace",
    "UnknownComponent",
    "UnreadableImage",
    "UnsupportedImage",
    "Video",
    "WeightsCorrupt",
    "WeightsError",
    "WeightsMissing",
    "annotate",
    "blur_faces",
    "detection_figures",
    "detector_names",
    "diagnose",
    "displaced",
    "document",
    "dumps",
    "encode_png",
    "is_video",
    "keep_blocks",
    "model_catalog",
    "model_names",
    "open_camera",
    "open_video",
    "opinions",
    "overlay_heatmap",
    "prepare_isolated",
    "prepare_networks",
    "read_image",
    "read_isolated",
    "release_freed",
    "renew_isolated",
    "run_batch",
    "share_heaps",
    "spreadsheet_text",
    "to_csv",
    "to_json",
    "video_writer",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
