"""Reporting the progress of a training run."""

# ruff: noqa: ARG002 - Lightning fixes the parameters of callbacks

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
    """The state of a run after an epoch."""

    epoch: int
    epochs: int
    images_per_s: float
    left_s: float
    loss: float
    validation_metrics: Mapping[str, float]
    """Metrics of the weight average on the validation split by name; empty without the split."""
    waiting_share: float
    """Share of the training time during which the network waited for pictures."""


@dataclass(slots=True)
class Pace:
    """Number of pictures and time of training, without validation."""

    images: int = 0
    seconds: float = 0.0
    waiting_s: float = 0.0

    @property
    def images_per_s(self) -> float:
        """Training pictures per second."""
        return self.images / max(self.seconds, 1e-6)

    @property
    def waiting_share(self) -> float:
        """Share of the time during which the network waited for pictures."""
        return self.waiting_s / max(self.seconds, 1e-6)

    def add(self, other: Pace) -> None:
        """Add the pictures and times of ``other``."""
        self.images += other.images
        self.seconds += other.seconds
        self.waiting_s += other.waiting_s


class ProgressCallback(Callback):
    """Measures the pace, and calls ``report`` after each epoch."""

    def __init__(self, epochs: int, report: Callable[[EpochReport], None] | None) -> None:
        self._epochs = epochs
        self._report = report
        self._epoch = Pace()
        self.pace = Pace()
        """Over all epochs since this process started."""
        self._started = 0.0
        self._batch_ended = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._epoch = Pace()
        self._started = self._batch_ended = time.monotonic()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # Since the end of the last batch, the only work was to get this one.
        self._epoch.waiting_s += time.monotonic() - self._batch_ended

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self._epoch.images += len(batch[0]) * trainer.world_size
        self._batch_ended = time.monotonic()
        self._epoch.seconds = self._batch_ended - self._started

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not isinstance(pl_module, BaseModule):
            raise TypeError(f"expected a BaseModule, got {type(pl_module).__name__}")
        self.pace.add(self._epoch)
        if self._report is None or not trainer.is_global_zero:
            return
        metrics: dict[str, Any] = dict(trainer.callback_metrics)
        done = max(pl_module.progress, 1e-6)
        self._report(
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
