"""The model card of our own detector, written from what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.config import Preset
from core.detectors.tuning import TUNED_NAME
from core.files import atomic_write
from core.output.intervals import format_metric
from core.weights import StoredWeights, read_detector

from .recipe import NAME


def write_detector_card(directory: Path) -> Path:
    """Write ``compact.md`` beside the weights, which must be tuned; where it lies."""
    file = directory / f"{NAME}.md"
    atomic_write(file, detector_card(directory).encode())
    return file


def detector_card(directory: Path) -> str:
    """What the card of the weights in ``directory`` has to say."""
    tuned = json.loads((directory / TUNED_NAME).read_text(encoding="utf-8"))
    return _card(read_detector(NAME, directory), tuned["detectors"][NAME])


def format_earlier_runs(training: Mapping[str, Any]) -> str:
    """The earlier runs that this one went on from, in words; empty where it began from nothing."""
    earlier = training.get("earlier_run")
    if not earlier:
        return ""
    return (
        f"{format_earlier_runs(earlier)}{earlier['epochs']} epochs "
        f"in {earlier['minutes']:.0f} minutes "
        f"(recipe `{earlier['recipe_digest']}`); from these weights on, "
    )


def _card(stored: StoredWeights, presets: dict[str, Any]) -> str:
    training = stored.training
    recipe = "\n".join(f"| {name} | {value} |" for name, value in training["recipe"].items())
    any_preset = presets[Preset.BALANCED.value]
    return f"""# Model card: {NAME}

## Model

A single-shot face detector of this project's own design: {stored.parameters:,} parameters,
{stored.size_bytes / 1e6:.1f} MB (float16). Separable convolutions, a light feature pyramid, one
prediction per cell at strides 8, 16, 32 and 64; it gives boxes and scores, no landmarks. It was
trained with this repository alone, from random weights (`emotion detector train`). The weights are
under the licence of the code; what the photos allow is for their owners to say.

## Intended use

Finding the faces of people who agreed to be in a photo, so that their expression can be read. Not
for identifying anyone, watching people or counting crowds. It says that something looks like a
face, not that it is one: statues, masks and drawings can be found as well.

## Data

Trained on {training["photos"]:,} photos with {training["faces"]:,} faces, and on
{training["negatives"]} photos without a face ({", ".join(training["files"])}). The photos come
mostly from WIDER FACE; small faces, and those marked as ignored, were neither taught nor held
against it.

## Training

{format_earlier_runs(training)}{training["epochs"]} epochs in
{training["minutes"]:.0f} minutes on a {training["device"].upper()},
{training["images_per_s"]:.0f} pictures a second, precision {training["precision"]}, torch
{training["torch"]}. Recipe `{training["recipe_digest"]}`:

| value | |
|---|---|
{recipe}

## Results

Measured on {any_preset["data"]}, {any_preset["faces"]:,} faces of
{any_preset["min_size_px"]:g} px and more, at an overlap of .5; with 95 % intervals over photos.
The thresholds were chosen on these same photos, by the best F-beta (precision .5, balanced 1,
recall 2), so the figures flatter a little.

{_results(presets)}

## Limits

- Profiles, covered faces and faces under about {any_preset["min_face_px"]} px in the reduced
  picture are often missed.
- Faces that lie on their side are seldom found; photos are turned upright by their EXIF tag first.
- How it treats people of different age, gender or skin tone was not measured: the photos carry no
  such labels.
"""


def _results(presets: dict[str, Any]) -> str:
    lines = [
        "| preset, operating point | threshold | precision | recall | F1 | false alarms per 100 |",
        "|---|---|---|---|---|---|",
    ]
    for preset, entry in presets.items():
        for point, metrics in entry["points"].items():
            alarms = metrics.get("false_alarms_per_100_negatives")
            lines.append(
                f"| {preset} ({entry['working_px']} px), {point} | {metrics['threshold']:.3g} | "
                f"{metrics['precision']:.3f} | {metrics['recall']:.3f} | "
                f"{format_metric(metrics, 'f1', '.3f')} | "
                f"{'-' if alarms is None else f'{alarms:.1f}'} |"
            )
    aps = ", ".join(f"{entry['ap']:.3f} ({preset})" for preset, entry in presets.items())
    return "\n".join([*lines, "", f"Average precision: {aps}."])
