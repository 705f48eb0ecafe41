"""What every training run leaves behind, whatever it trains."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import lightning.pytorch as pl
import numpy as np
import torch

from core.files import atomic_write
from core.types import UInt8Array

from .base_module import BaseModule
from .export import get_weights_path
from .progress import Pace

_SHEET_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """The result of a run and where it lies."""

    directory: Path
    weights: Path
    epochs: int
    elapsed_s: float
    ended_by_clock: bool
    skipped: tuple[str, ...]
    is_leader: bool = True
    """False in all but one of several processes that train together."""


def summarize_run(
    trainer: pl.Trainer, module: BaseModule, name: str, skipped: Sequence[str]
) -> TrainingRun:
    """Return the result of a finished run of the network called ``name``."""
    directory = Path(trainer.default_root_dir)
    return TrainingRun(
        directory=directory,
        weights=get_weights_path(directory, name),
        epochs=trainer.current_epoch,
        elapsed_s=module.elapsed_s,
        ended_by_clock=module.ended_by_clock,
        skipped=tuple(skipped),
        is_leader=trainer.is_global_zero,
    )


def collect_facts(
    trainer: pl.Trainer,
    module: BaseModule,
    pace: Pace,
    data: Mapping[str, Any],
    *,
    devices: int | None = None,
) -> dict[str, Any]:
    """Return what training.json and the manifest record of a run: start, ``data``, outcome.

    ``devices`` is left out for a network that always trains on one.
    """
    recipe: Any = module.schedule
    return {
        "recipe": dataclasses.asdict(recipe),
        "recipe_digest": recipe.digest(),
        "init": module.facts["init"],
        "earlier_run": module.facts.get("earlier_run"),
        **data,
        "epochs": trainer.current_epoch,
        "steps": int(module.average.n_averaged),
        "minutes": round(module.elapsed_s / 60, 1),
        "images_per_s": round(pace.images_per_s, 1),
        "waiting_share": round(pace.waiting_share, 4),
        "device": str(trainer.strategy.root_device.type),
        **({} if devices is None else {"devices": devices}),
        "precision": str(trainer.precision),
        "torch": torch.__version__,
    }


def write_example_sheet(directory: Path, tiles: Sequence[UInt8Array]) -> None:
    """Write augmented.png, on which a person can see what the network sees.

    ``tiles`` are pictures of one size, at least one, grey or BGR.
    """
    columns = min(_SHEET_COLUMNS, len(tiles))
    filled = [*tiles, *[np.zeros_like(tiles[0])] * (-len(tiles) % columns)]
    rows = [np.hstack(filled[start : start + columns]) for start in range(0, len(filled), columns)]
    encoded = cv2.imencode(".png", np.vstack(rows))[1]
    atomic_write(directory / "augmented.png", encoded.tobytes())
