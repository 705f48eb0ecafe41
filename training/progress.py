"""Telling how a training run goes."""

# ruff: noqa: ARG002 - Lightning fixes what its callbacks are given

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from .module import Batch, EmotionModule


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What is told after each epoch."""

    epoch: int
    epochs: int
    images_per_s: float
    left_s: float
    loss: float
    accuracy: float | None
    """On the validation split, of the weight average, without flip averaging."""
    macro_f1: float | None


class Reporter(Callback):
    """Tells how each epoch went."""

    def __init__(self, epochs: int, tell: Callable[[EpochReport], None]) -> None:
        self._epochs = epochs
        self._tell = tell
        self._started = 0.0
        self._train_s = 0.0
        self._images = 0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.monotonic()
        self._train_s = 0.0
        self._images = 0

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        self._images += len(batch[0])

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._train_s = time.monotonic() - self._started

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not isinstance(pl_module, EmotionModule):
            raise TypeError(f"expected an EmotionModule, got {type(pl_module).__name__}")
        metrics: dict[str, Any] = dict(trainer.callback_metrics)
        seconds = self._train_s or time.monotonic() - self._started
        done = max(pl_module.progress, 1e-6)
        self._tell(
            EpochReport(
                epoch=trainer.current_epoch + 1,
                epochs=self._epochs,
                images_per_s=self._images / max(seconds, 1e-6),
                left_s=pl_module.elapsed_s * (1 - done) / done,
                loss=float(metrics.get("loss", float("nan"))),
                accuracy=float(metrics["accuracy"]) if "accuracy" in metrics else None,
                macro_f1=float(metrics["macro_f1"]) if "macro_f1" in metrics else None,
            )
        )
