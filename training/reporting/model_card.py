"""Model cards (Mitchell et al. 2019), written only from the manifest and measured figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.catalog import model_catalog
from core.files import atomic_write

from ..learning.export import read_entry
from .comparison import format_comparison_table
from .rendering import render_text

_TITLES = {"mobilenet_v2": "MobileNetV2", "resnet50": "ResNet50", "inception_v3": "InceptionV3"}
_STARTS = {
    "scratch": "random weights",
    "imagenet": "torchvision's ImageNet weights",
    "mobilenet_v2_imagenet_trunk.safetensors": "the ImageNet features of Google's quantized "
    "MobileNetV2 1.0/224 (Apache-2.0), dequantized",
}


def write_card(directory: Path, name: str, measured: Mapping[str, Any]) -> Path:
    """Write ``<name>.md`` beside the weights from their manifest entry and ``measured``.

    ``measured`` is the document of metrics.json; per-emotion figures come from its split,
    headlines from every split the manifest has on record.
    """
    entry = read_entry(directory, name)
    trained = [each for each in model_catalog(directory) if each.trained]
    text = render_text(
        "model_card.md.j2",
        name=name,
        entry=entry,
        measured=measured,
        titles=_TITLES,
        runs=list_runs(entry["training"]),
        describe_start=describe_start,
        comparison=format_comparison_table(trained) if len(trained) > 1 else "",
    )
    path = directory / f"{name}.md"
    atomic_write(path, text.encode())
    return path


def describe_start(init: object) -> str:
    """Describe the initial weights of a training run, given the option or file."""
    return _STARTS.get(str(init), f"`{init}`")


def list_runs(training: Any) -> list[Any]:
    """Return the training runs that led to a network, the first one first."""
    earlier = training.get("earlier_run")
    return [*(list_runs(earlier) if earlier else ()), training]
