"""The measured figures of the models, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core import ModelInfo
from frontends.wording import model_title

_SPLITS = {"test": "PrivateTest", "validation": "PublicTest"}
_ABSENT = "–"


def figure_rows(models: Sequence[ModelInfo]) -> list[dict[str, str]]:
    """One row per figure, one column per trained model and measured part of FER-2013."""
    columns = {
        f"{model_title(info)}, {_SPLITS.get(split, split)}": _told(figures)
        for info in models
        if info.trained
        for split, figures in info.metrics.items()
    }
    names = next(iter(columns.values()), {})
    return [
        {"Figure": name, **{title: told[name] for title, told in columns.items()}} for name in names
    ]


def _told(figures: Mapping[str, Any]) -> dict[str, str]:
    sure, fresh = figures.get("certain") or {}, figures.get("deduplicated") or {}
    return {
        "Faces": f"{figures['n']:,}" if "n" in figures else _ABSENT,
        "Right": _share(figures, "accuracy"),
        "Right, near-copies left out": _share(fresh, "accuracy"),
        "Right, each emotion counting alike": _share(figures, "balanced_accuracy"),
        "Calibration error": _share(figures, "ece"),
        "Answered as sure": _share(sure, "coverage"),
        "Right when sure": _share(sure, "accuracy"),
    }


def _share(figures: Mapping[str, Any], name: str) -> str:
    """A share in percent with its interval, as far as they were recorded."""
    value = figures.get(name)
    if value is None:
        return _ABSENT
    interval = figures.get(f"{name}_interval")
    if interval is None:
        return f"{100 * value:.1f} %"
    low, high = interval
    return f"{100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
