"""Telling how a training run goes."""

# ruff: noqa: ARG002 - Lightning fixes what its callbacks are given

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from .base_module import BaseModule


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What is told after each epoch."""

    epoch: int
    epochs: int
    images_per_s: float
    left_s: float
    loss: float
    validation_metrics: Mapping[str, float]
    """Figures of the weight average on the validation split by name, empty without one."""
    waiting_share: float
    """Share of the training time in which the network waited for the next pictures."""


@dataclass(slots=True)
class Pace:
    """How much was learnt from in how long; validation does not count."""

    images: int = 0
    seconds: float = 0.0
    waiting_s: float = 0.0

    @property
    def images_per_s(self) -> float:
        """Training pictures a second."""
        return self.images / max(self.seconds, 1e-6)

    @property
    def waiting_share(self) -> float:
        """Share of the seconds in which the network waited for the next pictures."""
        return self.waiting_s / max(self.seconds, 1e-6)

    def add(self, other: Pace) -> None:
        """Count what ``other`` did as well."""
        self.images += other.images
        self.seconds += other.seconds
        self.waiting_s += other.waiting_s


class ProgressCallback(Callback):
    """Measures the pace, and tells how each epoch went if anybody wants to know."""

    def __init__(self, epochs: int, tell: Callable[[EpochReport], None] | None) -> None:
        self._epochs = epochs
        self._tell = tell
        self._epoch = Pace()
        self.pace = Pace()
        """Of all epochs since this process began."""
        self._started = 0.0
        self._idle_from = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._epoch = Pace()
        self._started = self._idle_from = time.monotonic()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # Since the last batch ended nothing was done but get this one.
        self._epoch.waiting_s += time.monotonic() - self._idle_from

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self._epoch.images += len(batch[0]) * trainer.world_size
        self._idle_from = time.monotonic()
        self._epoch.seconds = self._idle_from - self._started

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not isinstance(pl_module, BaseModule):
            raise TypeError(f"expected a BaseModule, got {type(pl_module).__name__}")
        self.pace.add(self._epoch)
        if self._tell is None or not trainer.is_global_zero:
            return
        metrics: dict[str, Any] = dict(trainer.callback_metrics)
        done = max(pl_module.progress, 1e-6)
        self._tell(
            EpochReport(
                epoch=trainer.current_epoch + 1,
                epochs=self._epochs,
                images_per_s=self._epoch.images_per_s,
                left_s=pl_module.elapsed_s * (1 - done) / done,
                loss=float(metrics.get("loss", float("nan"))),
                validation_metrics={
                    name: float(value) for name, value in metrics.items() if name != "loss"
                },
                waiting_share=self._epoch.waiting_share,
            )
        )
