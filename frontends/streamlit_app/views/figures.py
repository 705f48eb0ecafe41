"""The measured figures of the models, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core import ModelInfo
from frontends.wording import model_title

_COLUMNS = {
    "n": "Faces",
    "accuracy": "Right",
    "balanced_accuracy": "Right, each emotion counting alike",
    "macro_f1": "Macro F1",
    "ece": "Calibration error",
}
_SPLITS = {"test": "PrivateTest", "validation": "PublicTest"}


def figure_rows(models: Sequence[ModelInfo]) -> list[dict[str, str]]:
    """One row per trained model and measured split; figures that are absent show a dash."""
    return [
        {
            "Model": model_title(info),
            "FER-2013 part": _SPLITS.get(split, split),
            **{title: _shown(key, figures.get(key)) for key, title in _COLUMNS.items()},
        }
        for info in models
        if info.trained
        for split, figures in info.metrics.items()
        if isinstance(figures, Mapping)
    ]


def _shown(key: str, value: Any) -> str:
    if value is None:
        return "–"
    if key == "n":
        return f"{value:,}"
    if key in {"accuracy", "balanced_accuracy"}:
        return f"{value:.1%}".replace("%", " %")
    return f"{value:.3f}"
