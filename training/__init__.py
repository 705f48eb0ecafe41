"""Training, calibration and evaluation of the emotion networks.

Importing this package costs nothing heavy: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ablation import Ablation, ablate
    from .audit import Audit, audit_duplicates
    from .bench.curves import draw_curves
    from .bench.precision import compare_precisions
    from .bench.run import Bench, run_bench
    from .bench.tables import bench_tables, precision_rows
    from .calibrate import CalibrationReport, calibrate_model
    from .detector.evaluate import DetectionResult, evaluate_detector
    from .detector.gallery import show_detectors
    from .detector.publish import publish_detector
    from .detector.recipe import DetectorRecipe, read_detector_recipe
    from .detector.table import detectors_table
    from .detector.train import train_detector
    from .detector.tune import Tuned, tune_detectors
    from .evaluation.comparison import comparison_rows, comparison_table, pair_rows
    from .evaluation.evaluate import Evaluation, evaluate_models
    from .evaluation.photos import PhotoEvaluation, evaluate_photos
    from .gate import Breach, check_release
    from .options import Precision, Split
    from .progress import EpochReport
    from .recipe import Recipe, read_recipe
    from .report.measures import MEASURES, Measure
    from .report.render import RESULTS, Report, write_report
    from .studies.frame import FrameStudy, study_frame
    from .studies.landmarks import LandmarkStudy, study_landmarks
    from .studies.mirrored import MirroredStudy, study_mirrored
    from .studies.robustness import RobustnessStudy, study_robustness
    from .train import TrainingRun, train_model

_HOMES: dict[str, tuple[str, ...]] = {
    "ablation": ("Ablation", "ablate"),
    "audit": ("Audit", "audit_duplicates"),
    "bench.curves": ("draw_curves",),
    "bench.precision": ("compare_precisions",),
    "bench.run": ("Bench", "run_bench"),
    "bench.tables": ("bench_tables", "precision_rows"),
    "calibrate": ("CalibrationReport", "calibrate_model"),
    "detector.evaluate": ("DetectionResult", "evaluate_detector"),
    "detector.gallery": ("show_detectors",),
    "detector.publish": ("publish_detector",),
    "detector.recipe": ("DetectorRecipe", "read_detector_recipe"),
    "detector.table": ("detectors_table",),
    "detector.train": ("train_detector",),
    "detector.tune": ("Tuned", "tune_detectors"),
    "evaluation.comparison": ("comparison_rows", "comparison_table", "pair_rows"),
    "evaluation.evaluate": ("Evaluation", "evaluate_models"),
    "evaluation.photos": ("PhotoEvaluation", "evaluate_photos"),
    "gate": ("Breach", "check_release"),
    "options": ("Precision", "Split"),
    "progress": ("EpochReport",),
    "recipe": ("Recipe", "read_recipe"),
    "report.measures": ("MEASURES", "Measure"),
    "report.render": ("RESULTS", "Report", "write_report"),
    "studies.frame": ("FrameStudy", "study_frame"),
    "studies.landmarks": ("LandmarkStudy", "study_landmarks"),
    "studies.mirrored": ("MirroredStudy", "study_mirrored"),
    "studies.robustness": ("RobustnessStudy", "study_robustness"),
    "train": ("TrainingRun", "train_model"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "MEASURES",
    "RESULTS",
    "Ablation",
    "Audit",
    "Bench",
    "Breach",
    "CalibrationReport",
    "DetectionResult",
    "DetectorRecipe",
    "EpochReport",
    "Evaluation",
    "FrameStudy",
    "LandmarkStudy",
    "Measure",
    "MirroredStudy",
    "PhotoEvaluation",
    "Precision",
    "Recipe",
    "Report",
    "RobustnessStudy",
    "Split",
    "TrainingRun",
    "Tuned",
    "ablate",
    "audit_duplicates",
    "bench_tables",
    "calibrate_model",
    "check_release",
    "compare_precisions",
    "comparison_rows",
    "comparison_table",
    "detectors_table",
    "draw_curves",
    "evaluate_detector",
    "evaluate_models",
    "evaluate_photos",
    "pair_rows",
    "precision_rows",
    "publish_detector",
    "read_detector_recipe",
    "read_recipe",
    "run_bench",
    "show_detectors",
    "study_frame",
    "study_landmarks",
    "study_mirrored",
    "study_robustness",
    "train_detector",
    "train_model",
    "tune_detectors",
    "write_report",
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
