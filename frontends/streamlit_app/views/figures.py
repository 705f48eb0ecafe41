"""The measured figures of the models, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core import ModelInfo
from frontends.wording import model_title

_SPLITS = {"test": "PrivateTest", "validation": "PublicTest"}
_ABSENT = "–"


def figure_rows(models: Sequence[ModelInfo]) -> list[dict[str, str]]:
    """One row per trained model and measured part of FER-2013; absent figures show a dash."""
    return [
        {
            "Model": model_title(info),
            "FER-2013 part": _SPLITS.get(split, split),
            "Faces": f"{figures['n']:,}" if "n" in figures else _ABSENT,
            "Right": _share(figures, "accuracy"),
            "Right, each emotion counting alike": _share(figures, "balanced_accuracy"),
            "Calibration error": f"{figures['ece']:.3f}" if "ece" in figures else _ABSENT,
            "Answered as sure": _share(figures.get("certain") or {}, "coverage"),
            "Right when sure": _share(figures.get("certain") or {}, "accuracy"),
        }
        for info in models
        if info.trained
        for split, figures in info.metrics.items()
    ]


def _share(figures: Mapping[str, Any], name: str) -> str:
    """A share in percent, with its 95 % interval where there is one."""
    value = figures.get(name)
    if value is None:
        return _ABSENT
    interval = figures.get(f"{name}_interval")
    if interval is None:
        return f"{100 * value:.1f} %"
    low, high = interval
    return f"{100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
