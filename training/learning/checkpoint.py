"""Starting a run in an unused folder, or resuming the one that was interrupted there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from core.weights import MANIFEST_NAME

from .base_module import Schedule

LAST_CHECKPOINT = Path("checkpoints") / "last.ckpt"
"""The state after the last completed epoch, within a run's folder."""


@dataclass(frozen=True, slots=True)
class ResumedRun:
    """What is known from a checkpoint before training resumes."""

    epochs: int
    """Completed epochs."""
    elapsed_s: float
    facts: Mapping[str, Any]
    """About the data and the start of the run; empty in checkpoints that lack them."""

    def require_same(self, facts: Mapping[str, Any]) -> None:
        """Raise ConfigError where the run would now learn from other data than it began with."""
        for name, value in facts.items():
            before = self.facts.get(name, value)
            if before != value:
                raise ConfigError(
                    f"The run began with {name} {before}, now it is {value}.",
                    hint="Resume with the same --data and --votes, or start a new run.",
                )


def open_run(
    directory: Path, recipe: Schedule, *, resume: bool, max_minutes: float | None
) -> ResumedRun | None:
    """Return the run to resume in ``directory``, or None for a new run.

    ConfigError where a new run would overwrite another one, and where there is nothing to
    resume: no checkpoint, another recipe, all epochs done, or no time left.
    """
    if resume:
        return _read_checkpoint(directory, recipe, max_minutes)
    if (directory / MANIFEST_NAME).exists():
        raise ConfigError(
            f"'{directory}' holds a finished run.",
            hint="Give another folder with --out, or delete this one.",
        )
    if (directory / LAST_CHECKPOINT).exists():
        raise ConfigError(
            f"'{directory}' holds an interrupted run.",
            hint="Continue it with --resume, or give another folder with --out.",
        )
    return None


def _read_checkpoint(directory: Path, recipe: Schedule, max_minutes: float | None) -> ResumedRun:
    import torch

    path = directory / LAST_CHECKPOINT
    if not path.exists():
        raise ConfigError(
            f"There is no checkpoint to resume from in '{directory}'.",
            hint="Leave --resume out, or give the --out folder of the run you want to continue.",
        )
    # Written by ourselves, and needs pickle: optimizer and loop states are not plain tensors.
    stored = torch.load(path, map_location="cpu", weights_only=False)
    if stored["recipe_digest"] != recipe.digest():
        raise ConfigError(
            "The checkpoint was made with another recipe.",
            hint="Resume with the same --model and --set values, or start a new run.",
        )
    resumed = ResumedRun(
        epochs=int(stored["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]),
        elapsed_s=float(stored["elapsed_s"]),
        facts=stored.get("facts", {}),
    )
    if resumed.epochs >= recipe.epochs and (directory / MANIFEST_NAME).exists():
        raise ConfigError(
            f"This run is finished: all {recipe.epochs} epochs are done.",
            hint="For more epochs, start a new run with --set epochs=… and another --out.",
        )
    if max_minutes is not None and resumed.elapsed_s >= max_minutes * 60:
        raise ConfigError(
            f"{resumed.elapsed_s / 60:.0f} of {max_minutes:g} minutes are already used up.",
            hint="Give a larger --max-minutes (it counts the whole run), or leave it out.",
        )
    return resumed
