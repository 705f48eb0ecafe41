"""The names of the façade and where they live; `__init__.py` loads each on first use."""

from .allocator import keep_blocks, release_freed, share_heaps
from .batch.options import BatchEngine, BatchOptions, BatchProgress, BatchSummary, TableFormat
from .batch.photo_report import make_photo_report
from .batch.run import run_batch
from .batch.survey import FolderSurvey, survey_folder
from .catalog import (
    MODEL_TITLES,
    ModelInfo,
    detector_catalog,
    detector_names,
    model_catalog,
    model_names,
    network_names,
)
from .config import TARGET_ACCURACY, AnalyzerConfig, Device, Engine, OperatingPoint, Preset
from .detectors import DetectorInfo
from .detectors.tuning import DetectionFigures, DetectionPoint, detection_figures
from .diagnostics import Finding, check_window_libraries, diagnose, prepare_networks
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
    suggest_name,
)
from .faces.boxes import box_iou
from .files import atomic_file, report_disk_errors, write_json
from .labels import EMOTIONS, Emotion, Reading
from .landmarks.noise import LandmarkNoise, shift_landmarks
from .live.answering import AnsweredFrame, answer_video
from .live.camera import open_camera
from .live.film_limits import FilmLimits
from .live.film_table import open_film_table
from .live.film_writing import is_marked_video, video_writer
from .live.following import FaceFollower
from .live.marking import open_marked_film
from .live.plotting import PLOT_ENDINGS, is_film_plot, plot_film
from .live.summary import Band, FaceSummary, FilmSummary, describe_film
from .live.video import Frame, Video, is_video, open_video
from .output.blur import blur_faces
from .output.escaping import escape_controls
from .output.export import (
    SCHEMA_VERSION,
    document,
    dumps,
    to_json,
)
from .output.intervals import format_metric, format_with_interval
from .output.percent import format_probability
from .output.render import annotate, annotate_detections, encode_png, overlay_heatmap
from .output.table import (
    CSV_MARK,
    FailedFile,
    format_csv_heading,
    format_csv_line,
    format_csv_rows,
    format_network_answers,
    is_csv_table,
    spreadsheet_text,
    to_csv,
)
from .output.words import count_people, describe_people, explain_doubt, format_people
from .outputs import Output, check_output_folder, check_outputs, contains, ends_with, starts_with
from .pipeline import Analyzer
from .portable.export import ExportedModel, export_models
from .portable.file_format import ExportFormat
from .reading.formats import READABLE
from .reading.isolation import IsolatedReader, read_image, renew_reader, warm_up_reader
from .reading.jpeg_segments import read_jpeg_size
from .reading.limits import MAX_FILE_BYTES
from .tracking import FaceTracker, TrackedFace
from .types import (
    Agreement,
    AlignedCrop,
    Box,
    EmotionScores,
    Face,
    FaceAnalysis,
    FacePart,
    FaceQuality,
    ImageAnalysis,
    Landmarks,
    Provenance,
    RgbImage,
)

__all__ = [
    "CSV_MARK",
    "EMOTIONS",
    "MAX_FILE_BYTES",
    "MODEL_TITLES",
    "PLOT_ENDINGS",
    "READABLE",
    "SCHEMA_VERSION",
    "TARGET_ACCURACY",
    "Agreement",
    "AlignedCrop",
    "Analyzer",
    "AnalyzerConfig",
    "AnsweredFrame",
    "Band",
    "BatchEngine",
    "BatchOptions",
    "BatchProgress",
    "BatchSummary",
    "Box",
    "ConfigError",
    "DataError",
    "DetectionFigures",
    "DetectionPoint",
    "DetectorInfo",
    "Device",
    "Emotion",
    "EmotionScores",
    "Engine",
    "ExportFormat",
    "ExportedModel",
    "Face",
    "FaceAnalysis",
    "FaceFollower",
    "FacePart",
    "FaceQuality",
    "FaceSummary",
    "FaceTracker",
    "FailedFile",
    "FilmLimits",
    "FilmSummary",
    "Finding",
    "FolderSurvey",
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
    "Output",
    "Preset",
    "ProjectError",
    "Provenance",
    "Reading",
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
    "annotate_detections",
    "answer_video",
    "atomic_file",
    "blur_faces",
    "box_iou",
    "check_output_folder",
    "check_outputs",
    "check_window_libraries",
    "contains",
    "count_people",
    "describe_film",
    "describe_people",
    "detection_figures",
    "detector_catalog",
    "detector_names",
    "diagnose",
    "document",
    "dumps",
    "encode_png",
    "ends_with",
    "escape_controls",
    "explain_doubt",
    "export_models",
    "format_csv_heading",
    "format_csv_line",
    "format_csv_rows",
    "format_metric",
    "format_network_answers",
    "format_people",
    "format_probability",
    "format_with_interval",
    "is_csv_table",
    "is_film_plot",
    "is_marked_video",
    "is_video",
    "keep_blocks",
    "make_photo_report",
    "model_catalog",
    "model_names",
    "network_names",
    "open_camera",
    "open_film_table",
    "open_marked_film",
    "open_video",
    "overlay_heatmap",
    "plot_film",
    "prepare_networks",
    "read_image",
    "read_jpeg_size",
    "release_freed",
    "renew_reader",
    "report_disk_errors",
    "run_batch",
    "share_heaps",
    "shift_landmarks",
    "spreadsheet_text",
    "starts_with",
    "suggest_name",
    "survey_folder",
    "to_csv",
    "to_json",
    "video_writer",
    "warm_up_reader",
    "write_json",
]

__version__: str
