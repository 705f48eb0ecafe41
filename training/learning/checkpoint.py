"""Going on where a run stopped, and only where that makes sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from core.weights import MANIFEST_NAME

from .base_module import Schedule

LAST = Path("checkpoints") / "last.ckpt"
"""Within a run's folder: the state after the last whole epoch."""


@dataclass(frozen=True, slots=True)
class ResumedRun:
    """What a checkpoint tells before training goes on."""

    path: Path
    epochs: int
    """Whole epochs that are done."""
    elapsed_s: float
    facts: Mapping[str, Any]
    """Of the data and the start of the run; empty in checkpoints that lack them."""


def require_unused(directory: Path) -> None:
    """ConfigError where ``directory`` holds a run already, so that none is overwritten."""
    if (directory / MANIFEST_NAME).exists():
        raise ConfigError(
            f"'{directory}' holds a finished run.",
            hint="Give another folder with --out, or delete this one.",
        )
    if (directory / LAST).exists():
        raise ConfigError(
            f"'{directory}' holds a run that was interrupted.",
            hint="Go on with it with --resume, or give another folder with --out.",
        )


def read_checkpoint(directory: Path, recipe: Schedule, max_minutes: float | None) -> ResumedRun:
    """What to go on with; ConfigError when there is nothing, or it is another run's."""
    import torch

    path = directory / LAST
    if not path.exists():
        raise ConfigError(
            f"There is no checkpoint to resume from in '{directory}'.",
            hint="Leave --resume out, or give the --out folder of the run to go on with.",
        )
    # Our own file of a moment ago: optimizer and loop states are no plain tensors.
    stored = torch.load(path, map_location="cpu", weights_only=False)
    if stored["recipe_digest"] != recipe.digest():
        raise ConfigError(
            "The checkpoint was made with another recipe.",
            hint="Resume with the same --model and --set values, or start a new run.",
        )
    resumed = ResumedRun(
        path=path,
        epochs=int(stored["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]),
        elapsed_s=float(stored["elapsed_s"]),
        facts=stored.get("facts", {}),
    )
    if resumed.epochs >= recipe.epochs and (directory / MANIFEST_NAME).exists():
        raise ConfigError(
            f"This run is finished: all {recipe.epochs} epochs are done.",
            hint="For more, start a new run with --set epochs=… and another --out.",
        )
    if max_minutes is not None and resumed.elapsed_s >= max_minutes * 60:
        raise ConfigError(
            f"{resumed.elapsed_s / 60:.0f} of {max_minutes:g} minutes are spent already.",
            hint="Give a larger --max-minutes, which counts the whole run, or leave it out.",
        )
    return resumed


def require_same_facts(resumed: ResumedRun, facts: Mapping[str, Any]) -> None:
    """ConfigError when a resumed run would learn from other data than it began with."""
    for name, value in facts.items():
        before = resumed.facts.get(name, value)
        if before != value:
            raise ConfigError(
                f"The run began with {name} {before}, now it is {value}.",
                hint="Resume with the same --data and --votes, or start a new run.",
            )
