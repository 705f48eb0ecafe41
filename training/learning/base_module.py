"""What all trained networks share: schedule, weight average, clock, and a check of the loss."""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.errors import InferenceError


class Schedule(Protocol):
    """The values that every recipe has, whatever it trains."""

    @property
    def epochs(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def warmup(self) -> float: ...
    @property
    def ema_decay(self) -> float: ...
    @property
    def seed(self) -> int: ...
    def digest(self) -> str:
        """Return twelve hexadecimal digits over all values."""
        ...


def _make_averaging(decay: float) -> Callable[..., None]:
    """Return the update of the weight average; it reaches ``decay`` gradually.

    After n steps it remembers at most about the last n / 9, like TensorFlow's
    ``ExponentialMovingAverage`` with ``num_updates``. Otherwise a short run would export little
    more than the weights it started from.
    """

    def update(averaged: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
        warmed = (1 + int(steps)) / (10 + int(steps))
        lerp = get_ema_multi_avg_fn(min(decay, warmed))  # type: ignore[no-untyped-call]
        lerp(averaged, current, steps)

    return update


class BaseModule(pl.LightningModule):
    """Trains for a number of steps or a time; a run exports the weight average in ``average``."""

    def __init__(
        self,
        schedule: Schedule,
        network: nn.Module,
        *,
        steps: int,
        max_seconds: float | None,
    ) -> None:
        super().__init__()
        self.schedule = schedule
        self.average = AveragedModel(
            network, multi_avg_fn=_make_averaging(schedule.ema_decay), use_buffers=True
        ).requires_grad_(False)
        self.facts: dict[str, Any] = {}
        """What a resumed run must share with this one; stored in the checkpoint."""
        self._steps = steps
        self._max_seconds = max_seconds
        self._spent_s = 0.0
        self._shared_s = 0.0
        self._started = time.monotonic()
        self.ended_by_clock = False

    @property
    @abstractmethod
    def trained_network(self) -> nn.Module:
        """The network whose weights are averaged."""

    @abstractmethod
    def loss(self, batch: Any) -> Tensor:
        """Return the mean loss of a batch."""

    @property
    def elapsed_s(self) -> float:
        """Seconds of training so far, including those before a resume."""
        return self._spent_s + time.monotonic() - self._started

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0..1, by steps or by the clock, whichever is further.

        Processes that train together use the clock of the first one, as of the last step.
        """
        by_steps = self.global_step / max(self._steps, 1)
        return min(max(by_steps, self._progress_by_clock()), 1.0)

    def _progress_by_clock(self) -> float:
        if not self._max_seconds:
            return 0.0
        together = self._trainer is not None and self.trainer.world_size > 1
        return (self._shared_s if together else self.elapsed_s) / self._max_seconds

    def compute_rate_factor(self, progress: float) -> float:
        """Return the learning rate's share of its peak: linear warm-up, then cosine to zero."""
        warmup = self.schedule.warmup
        if progress < warmup:
            return max(progress / warmup, 0.01)
        position = (progress - warmup) / (1 - warmup)
        return 0.5 * (1 + math.cos(math.pi * position))

    def training_step(self, batch: Any, _index: int) -> Tensor:
        loss = self.loss(batch)
        if not torch.isfinite(loss):
            raise InferenceError(
                f"Training failed: the loss became {loss.item()} in step {self.global_step}.",
                hint=f"Start again with a lower rate, e.g. "
                f"--set learning_rate={self.schedule.learning_rate / 2:g}.",
            )
        size = len(batch[0])
        self.log("loss", loss, on_epoch=True, on_step=False, batch_size=size, sync_dist=True)
        return loss

    def on_train_epoch_start(self) -> None:
        # Dropout and mixup use this generator: a resumed epoch repeats the uninterrupted one.
        torch.manual_seed(self.schedule.seed * 100_003 + self.current_epoch)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        rate = self.schedule.learning_rate * self.compute_rate_factor(self.progress)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["rate_factor"]

    def on_train_batch_end(self, _outputs: object, _batch: object, _index: int) -> None:
        self.average.update_parameters(self.trained_network)
        if not self._max_seconds:
            return
        if self.trainer.world_size > 1:
            self._shared_s = float(self.trainer.strategy.broadcast(self.elapsed_s))
        if self._progress_by_clock() >= 1:
            self.ended_by_clock = True
            self.trainer.should_stop = True

    def get_rate_factor(self, _name: str) -> float:
        """Return the factor of the recipe's learning rate for one parameter."""
        return 1.0

    def make_optimizer(self, module: nn.Module) -> torch.optim.Optimizer:
        """Return AdamW over the parameters of ``module``."""
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        learning = ((n, each) for n, each in module.named_parameters() if each.requires_grad)
        for name, parameter in learning:
            # No weight decay for norms and biases: it only hurts them.
            key = (self.get_rate_factor(name), parameter.ndim > 1)
            groups.setdefault(key, []).append(parameter)
        return torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "weight_decay": self.schedule.weight_decay if decays else 0.0,
                    "rate_factor": share,
                }
                for (share, decays), parameters in groups.items()
            ],
            lr=self.schedule.learning_rate,
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["elapsed_s"] = self.elapsed_s
        checkpoint["recipe_digest"] = self.schedule.digest()
        checkpoint["facts"] = self.facts

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self._spent_s = self._shared_s = float(checkpoint["elapsed_s"])
        self._started = time.monotonic()
