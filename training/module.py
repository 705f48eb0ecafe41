"""What one training step does: losses, schedule, weight average."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, cast

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from core.classifiers.architectures import EmotionNetwork
from core.errors import InferenceError
from core.labels import EMOTIONS

from .contrast import contrastive_loss
from .heads import HeadedNetwork
from .recipe import Recipe
from .teachers import Taught, Teachers

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Faces, targets, crowd opinions and shapes, as :class:`.loader.AugmentedFaces` gives them."""


def _squared_error(said: Tensor, shapes: Tensor) -> Tensor:
    """Mean squared error over the faces whose shape is known; 0 where none is."""
    known = torch.isfinite(shapes).all(dim=1, keepdim=True)
    # Part of the graph even then: processes that train together wait for every gradient.
    gaps = torch.where(known, said.float() - shapes.nan_to_num(), 0.0)
    return gaps.square().sum() / (known.sum() * shapes.shape[1]).clamp(min=1)


def _warmed_average(decay: float) -> Callable[..., None]:
    """Updates the weight average, with ``decay`` reached gradually.

    After n steps it remembers at most the last n / 9 or so, as TensorFlow's
    ``ExponentialMovingAverage`` does with ``num_updates``: a short run would else ship
    little more than the weights it started from.
    """

    def update(averaged: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
        warmed = (1 + int(steps)) / (10 + int(steps))
        lerp = get_ema_multi_avg_fn(min(decay, warmed))  # type: ignore[no-untyped-call]
        lerp(averaged, current, steps)

    return update


def _layer(key: str) -> str:
    """The layer of a torchvision trunk that a parameter belongs to: conv1, layer3, features.7."""
    first, second, *_ = key.split(".")
    return f"{first}.{second}" if first == "features" else first


class EmotionModule(pl.LightningModule):
    """Trains an :class:`EmotionNetwork`; the weight average in ``average`` is what ships."""

    def __init__(
        self,
        recipe: Recipe,
        network: EmotionNetwork,
        *,
        steps: int,
        max_seconds: float | None,
        teachers: Teachers | None = None,
        shapes: bool = False,
    ) -> None:
        super().__init__()
        self.recipe = recipe
        # Copied before the training heads hook themselves into the network.
        self.average = AveragedModel(
            network, multi_avg_fn=_warmed_average(recipe.ema_decay), use_buffers=True
        ).requires_grad_(False)
        hints = teachers.width if teachers is not None and recipe.hints > 0 else 0
        self.headed = HeadedNetwork(network, recipe, shapes=shapes, hints=hints)
        classes = len(EMOTIONS)
        self.watched = MetricCollection(
            {
                "accuracy": MulticlassAccuracy(classes, average="micro"),
                "macro_f1": MulticlassF1Score(classes, average="macro"),
            }
        )
        self.facts: dict[str, Any] = {}
        """What a resumed run must share with this one; travels in the checkpoint."""
        self._teachers = teachers
        self._steps = steps
        self._max_seconds = max_seconds
        self._spent_s = 0.0
        self._shared_s = 0.0
        self._started = time.monotonic()
        self.ended_by_clock = False

    @property
    def shipped(self) -> EmotionNetwork:
        """The network that a run leaves behind: the weight average."""
        return cast("EmotionNetwork", self.average.module)

    @property
    def elapsed_s(self) -> float:
        """Seconds of training so far, those before a resume included."""
        return self._spent_s + time.monotonic() - self._started

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0..1, by steps or by the clock, whichever is further.

        Processes that train together go by the clock of the first, as of the last step.
        """
        by_steps = self.global_step / max(self._steps, 1)
        return min(max(by_steps, self._by_clock()), 1.0)

    def _by_clock(self) -> float:
        if not self._max_seconds:
            return 0.0
        together = self._trainer is not None and self.trainer.world_size > 1
        return (self._shared_s if together else self.elapsed_s) / self._max_seconds

    def rate_factor(self, progress: float) -> float:
        """The learning rate's share of its peak: linear warm-up, then cosine to zero."""
        if progress < self.recipe.warmup:
            return max(progress / self.recipe.warmup, 0.01)
        position = (progress - self.recipe.warmup) / (1 - self.recipe.warmup)
        return 0.5 * (1 + math.cos(math.pi * position))

    def loss(self, batch: Batch) -> Tensor:
        """Mean loss of an uint8 batch: emotions, teachers, crowd, shape, auxiliary, weighted."""
        recipe = self.recipe
        faces, targets, opinions, shapes = batch
        inputs = self.normalise(faces)
        contrasting = self.progress < recipe.contrast_share
        mixing = recipe.mixup_alpha > 0 and not contrasting
        if mixing and torch.rand(()).item() < recipe.mixup_chance:
            part = torch.distributions.Beta(recipe.mixup_alpha, recipe.mixup_alpha).sample()
            order = torch.randperm(len(inputs), device=inputs.device)
            inputs, targets, opinions, shapes = (
                part * each + (1 - part) * each[order]
                for each in (inputs, targets, opinions, shapes)
            )
        told = self.headed(self._sized(inputs))
        total = functional.cross_entropy(told.emotions, targets)
        if self._teachers is not None and recipe.distillation + recipe.hints > 0:
            taught = self._taught(inputs)
            share = recipe.distillation
            total = (1 - share) * total + share * self._distance(told.emotions, taught)
            if told.hints is not None:
                gap = functional.mse_loss(told.hints.float(), taught.features)
                total = total + recipe.hints * gap
        if recipe.votes_head > 0:
            # Rows without votes are all zeros and add nothing.
            log_odds = functional.log_softmax(told.opinions, dim=1)
            total = total - recipe.votes_head * (opinions * log_odds).sum(dim=1).mean()
        if told.shapes is not None:
            total = total + recipe.shape * _squared_error(told.shapes, shapes)
        if told.auxiliary is not None:
            total = total + recipe.auxiliary * functional.cross_entropy(told.auxiliary, targets)
        if told.compared is not None:
            apart = contrastive_loss(told.compared, targets.argmax(dim=1))
            # The other one at weight 0: processes that train together wait for every gradient.
            total = apart + 0 * total if contrasting else total + 0 * apart
        return total

    def _taught(self, inputs: Tensor) -> Taught:
        """What the teachers say of the very view that the student sees."""
        if self._teachers is None:
            raise RuntimeError("expected teachers, got none")
        grey = inputs[:, :1] * self.recipe.std + self.recipe.mean
        return self._teachers.said(grey, self.recipe.distillation_temperature)

    def _distance(self, logits: Tensor, taught: Taught) -> Tensor:
        """T^2 KL(teachers || student) in nats."""
        temperature = self.recipe.distillation_temperature
        said = functional.log_softmax(logits.float() / temperature, dim=1)
        gap = functional.kl_div(said, taught.probabilities, reduction="batchmean")
        return temperature**2 * gap

    def normalise(self, faces: Tensor) -> Tensor:
        """(N, S, S) uint8 to (N, 3, S, S) float; the tensor form of ``Preprocessing.normalise``."""
        scaled = (faces.float() / 255.0 - self.recipe.mean) / self.recipe.std
        return scaled[:, None].expand(-1, 3, -1, -1)

    def _sized(self, inputs: Tensor) -> Tensor:
        """``inputs`` at the size of this part of the run, channels last."""
        early = self.recipe.early_px < self.recipe.input_px
        if early and self.progress < self.recipe.early_share:
            size = (self.recipe.early_px, self.recipe.early_px)
            # One channel is enough to resize: the three are the same.
            small = functional.interpolate(
                inputs[:, :1], size, mode="bilinear", align_corners=False, antialias=True
            )
            inputs = small.expand(-1, 3, -1, -1)
        return inputs.contiguous(memory_format=torch.channels_last)

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        loss = self.loss(batch)
        if not torch.isfinite(loss):
            raise InferenceError(
                f"Training went astray: the loss became {loss.item()} in step {self.global_step}.",
                hint=f"Start again with a lower rate, e.g. "
                f"--set learning_rate={self.recipe.learning_rate / 2:g}.",
            )
        size = len(batch[0])
        self.log("loss", loss, on_epoch=True, on_step=False, batch_size=size, sync_dist=True)
        return loss

    def on_validation_epoch_start(self) -> None:
        self.watched.reset()

    def validation_step(self, batch: tuple[Tensor, Tensor], _index: int) -> None:
        faces, labels = batch
        inputs = self.normalise(faces).contiguous(memory_format=torch.channels_last)
        self.watched.update(self.average(inputs), labels)

    def on_validation_epoch_end(self) -> None:
        self.log_dict(self.watched.compute(), sync_dist=True)

    def on_train_epoch_start(self) -> None:
        # Dropout and mixup draw from here; with it a resumed epoch repeats the uninterrupted one.
        torch.manual_seed(self.recipe.seed * 100_003 + self.current_epoch)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        rate = self.recipe.learning_rate * self.rate_factor(self.progress)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["rate_share"]

    def on_train_batch_end(self, _outputs: object, _batch: Batch, _index: int) -> None:
        self.average.update_parameters(self.headed.network)
        if not self._max_seconds:
            return
        if self.trainer.world_size > 1:
            self._shared_s = float(self.trainer.strategy.broadcast(self.elapsed_s))
        if self._by_clock() >= 1:
            self.ended_by_clock = True
            self.trainer.should_stop = True

    def on_fit_start(self) -> None:
        if self._teachers is not None:
            self._teachers.to(self.device)

    def on_train_batch_start(self, _batch: Batch, _index: int) -> None:
        frozen = self.progress < self.recipe.frozen_share
        if frozen or self.headed.frozen:
            # Each time, because validation sets the modes of all parts anew.
            self.headed.freeze(frozen)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        for name, parameter in self.headed.named_parameters():
            # Norms and biases are not shrunk: it only hurts them.
            key = (self.rate_share(name), parameter.ndim > 1)
            groups.setdefault(key, []).append(parameter)
        return torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "weight_decay": self.recipe.weight_decay if shrunk else 0.0,
                    "rate_share": share,
                }
                for (share, shrunk), parameters in groups.items()
            ],
            lr=self.recipe.learning_rate,
        )

    def rate_share(self, name: str) -> float:
        """Learning rate of ``headed``'s parameter ``name``, as a share of the heads'."""
        layers = list(dict.fromkeys(map(_layer, self.headed.network.trunk.state_dict())))
        inside = name.removeprefix("network.trunk.")
        if inside == name or len(layers) < 2:
            return 1.0
        depth = layers.index(_layer(inside)) / (len(layers) - 1)
        return float(self.recipe.first_layer_rate ** (1 - depth))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["elapsed_s"] = self.elapsed_s
        checkpoint["recipe_digest"] = self.recipe.digest()
        checkpoint["facts"] = self.facts

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self._spent_s = self._shared_s = float(checkpoint["elapsed_s"])
        self._started = time.monotonic()
