"""What one step of training an emotion network does."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor
from torch.nn import functional
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from core.classifiers.architectures import EmotionNetwork
from core.labels import EMOTIONS

from .base_module import BaseModule
from .contrast import contrastive_loss
from .heads import HeadedNetwork
from .recipe import Recipe
from .teachers import TeacherOutputs, Teachers

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Faces, targets, crowd opinions and shapes, as :class:`.loader.AugmentedFaces` gives them."""


def _squared_error(said: Tensor, shapes: Tensor) -> Tensor:
    """Mean squared error over the faces whose shape is known; 0 where none is."""
    known = torch.isfinite(shapes).all(dim=1, keepdim=True)
    # Part of the graph even then: processes that train together wait for every gradient.
    gaps = torch.where(known, said.float() - shapes.nan_to_num(), 0.0)
    return gaps.square().sum() / (known.sum() * shapes.shape[1]).clamp(min=1)


def _layer(key: str) -> str:
    """The layer of a torchvision trunk that a parameter belongs to: conv1, layer3, features.7."""
    first, second, *_ = key.split(".")
    return f"{first}.{second}" if first == "features" else first


class EmotionModule(BaseModule):
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
        # Averages a copy made before the training heads hook themselves into the network.
        super().__init__(recipe, network, steps=steps, max_seconds=max_seconds)
        self.recipe = recipe
        hints = teachers.width if teachers is not None and recipe.hints > 0 else 0
        self.headed = HeadedNetwork(network, recipe, shapes=shapes, hints=hints)
        classes = len(EMOTIONS)
        self.validation_metrics = MetricCollection(
            {
                "accuracy": MulticlassAccuracy(classes, average="micro"),
                "macro_f1": MulticlassF1Score(classes, average="macro"),
            }
        )
        self._teachers = teachers

    @property
    def final_network(self) -> EmotionNetwork:
        """The network that a run leaves behind: the weight average."""
        return cast("EmotionNetwork", self.average.module)

    @property
    def trained_network(self) -> EmotionNetwork:
        """The network whose weights are averaged."""
        return self.headed.network

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

    def _taught(self, inputs: Tensor) -> TeacherOutputs:
        """What the teachers say of the very view that the student sees."""
        if self._teachers is None:
            raise RuntimeError("expected teachers, got none")
        grey = inputs[:, :1] * self.recipe.std + self.recipe.mean
        return self._teachers.predict(grey, self.recipe.distillation_temperature)

    def _distance(self, logits: Tensor, taught: TeacherOutputs) -> Tensor:
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

    def on_validation_epoch_start(self) -> None:
        self.validation_metrics.reset()

    def validation_step(self, batch: tuple[Tensor, Tensor], _index: int) -> None:
        faces, labels = batch
        inputs = self.normalise(faces).contiguous(memory_format=torch.channels_last)
        self.validation_metrics.update(self.average(inputs), labels)

    def on_validation_epoch_end(self) -> None:
        self.log_dict(self.validation_metrics.compute(), sync_dist=True)

    def on_fit_start(self) -> None:
        if self._teachers is not None:
            self._teachers.to(self.device)

    def on_train_batch_start(self, _batch: Batch, _index: int) -> None:
        frozen = self.progress < self.recipe.frozen_share
        if frozen or self.headed.frozen:
            # Each time, because validation sets the modes of all parts anew.
            self.headed.freeze(frozen)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.make_optimizer(self.headed)

    def find_rate_share(self, name: str) -> float:
        """Learning rate of ``headed``'s parameter ``name``, as a share of the heads'."""
        layers = list(dict.fromkeys(map(_layer, self.headed.network.trunk.state_dict())))
        inside = name.removeprefix("network.trunk.")
        if inside == name or len(layers) < 2:
            return 1.0
        depth = layers.index(_layer(inside)) / (len(layers) - 1)
        return float(self.recipe.first_layer_rate ** (1 - depth))
