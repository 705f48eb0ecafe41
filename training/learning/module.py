"""One training step of an emotion network."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor
from torch.nn import functional
from torchmetrics import MeanMetric, MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from core.classifiers.architectures import EmotionNetwork
from core.labels import EMOTIONS

from .base_module import BaseModule
from .heads import HeadedNetwork
from .loader import Batch
from .recipe import Recipe
from .teachers import TeacherOutputs, Teachers


class EmotionModule(BaseModule):
    """Trains an :class:`EmotionNetwork`."""

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
        # Copies the network for the weight average before the training heads add hooks to it.
        super().__init__(recipe, network, steps=steps, max_seconds=max_seconds)
        self.recipe = recipe
        width = teachers.width if teachers is not None and recipe.hints > 0 else 0
        self.headed = HeadedNetwork(network, recipe, shapes=shapes, hint_width=width)
        # Weight decay would change even what no loss reaches.
        network.trunk.requires_grad_(recipe.frozen_share < 1)
        network.head.requires_grad_(recipe.label_head > 0)
        classes = len(EMOTIONS)
        self.validation_metrics = MetricCollection(
            {
                "accuracy": MulticlassAccuracy(classes, average="micro"),
                "macro_f1": MulticlassF1Score(classes, average="macro"),
            }
        )
        self.crowd_accuracy = MeanMetric()
        self.crowd_kl = MeanMetric()
        self._teachers = teachers

    @property
    def final_network(self) -> EmotionNetwork:
        """The network that a run exports: the weight average."""
        return cast("EmotionNetwork", self.average.module)

    @property
    def trained_network(self) -> EmotionNetwork:
        """The network whose weights are averaged."""
        return self.headed.network

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean loss of a batch: the weighted sum of all terms that the recipe uses."""
        recipe = self.recipe
        inputs, targets, votes, shapes, taught = self._mix((self.normalise(batch[0]), *batch[1:]))
        outputs = self.headed(self._resize(inputs))
        teacher_outputs = None
        if taught.numel():
            crowd = taught[:, 1] if taught.shape[1] > 1 else None
            teacher_outputs = TeacherOutputs(taught[:, 0], crowd, taught.new_zeros(0))
        elif self._teachers is not None and recipe.distillation + recipe.hints > 0:
            teacher_outputs = self._run_teachers(self._teachers, inputs)
        label_loss = functional.cross_entropy(outputs.emotions, targets)
        soft_targets = None if teacher_outputs is None else teacher_outputs.labels
        total = recipe.label_head * self._distill(label_loss, outputs.emotions, soft_targets)
        if teacher_outputs is not None and outputs.hints is not None:
            hint_loss = functional.mse_loss(outputs.hints.float(), teacher_outputs.features)
            total = total + recipe.hints * hint_loss
        if outputs.crowd is not None:
            vote_loss = self._compare_votes(outputs.crowd, votes[:, : len(EMOTIONS)])
            soft_targets = None if teacher_outputs is None else teacher_outputs.crowd
            vote_loss = self._distill(vote_loss, outputs.crowd, soft_targets)
            total = total + recipe.votes_head * vote_loss
        if outputs.doubt is not None:
            doubt_loss = functional.binary_cross_entropy_with_logits(outputs.doubt, votes[:, -1])
            total = total + recipe.doubt * doubt_loss
        if outputs.shapes is not None:
            total = total + recipe.shape * _squared_error(outputs.shapes, shapes)
        if outputs.auxiliary is not None:
            loss = functional.cross_entropy(outputs.auxiliary, targets)
            total = total + recipe.auxiliary * loss
        return total

    def _compare_votes(self, logits: Tensor, votes: Tensor) -> Tensor:
        """Return the loss of (N, 7) ``logits`` on the shares of the votes."""
        # Rows without votes are all zeros and add nothing.
        loss = -(votes * functional.log_softmax(logits, dim=1)).sum(dim=1)
        share = self.recipe.votes_distance
        if share > 0:
            voted = votes.sum(dim=1) > 0
            gaps = (torch.softmax(logits, dim=1) - votes).abs().sum(dim=1) / 2
            loss = (1 - share) * loss + share * gaps * voted
        return loss.mean()

    def _mix(self, batch: Batch) -> Batch:
        """Blend the batch with a shuffled copy of itself (mixup), by the recipe's chance."""
        alpha = self.recipe.mixup_alpha
        if alpha <= 0 or torch.rand(()).item() >= self.recipe.mixup_chance:
            return batch
        share = torch.distributions.Beta(alpha, alpha).sample()
        order = torch.randperm(len(batch[0]), device=batch[0].device)
        inputs, targets, votes, shapes, taught = (
            share * values + (1 - share) * values[order] for values in batch
        )
        return inputs, targets, votes, shapes, taught

    def _run_teachers(self, teachers: Teachers, inputs: Tensor) -> TeacherOutputs:
        """Return the teachers' outputs for exactly the view that the student sees."""
        grey = inputs[:, :1] * self.recipe.std + self.recipe.mean
        return teachers.predict(grey, self.recipe.distillation_temperature)

    def _distill(self, loss: Tensor, logits: Tensor, soft_targets: Tensor | None) -> Tensor:
        """Mix ``loss`` with T^2 KL(teachers || student) in nats; without teachers, return it."""
        if soft_targets is None:
            return loss
        share, temperature = self.recipe.distillation, self.recipe.distillation_temperature
        log_probabilities = functional.log_softmax(logits.float() / temperature, dim=1)
        divergence = functional.kl_div(log_probabilities, soft_targets, reduction="batchmean")
        return (1 - share) * loss + share * temperature**2 * divergence

    def normalise(self, faces: Tensor) -> Tensor:
        """(N, S, S) uint8 to (N, 3, S, S) float; the tensor form of ``Preprocessing.normalise``."""
        scaled = (faces.float() / 255.0 - self.recipe.mean) / self.recipe.std
        return scaled[:, None].expand(-1, 3, -1, -1)

    def _resize(self, inputs: Tensor) -> Tensor:
        """Return ``inputs`` at the size of the current part of the run, channels last."""
        early = self.recipe.early_px < self.recipe.input_px
        if early and self.progress < self.recipe.early_share:
            size = (self.recipe.early_px, self.recipe.early_px)
            # Resizing one channel is enough: the three are the same.
            small = functional.interpolate(
                inputs[:, :1], size, mode="bilinear", align_corners=False, antialias=True
            )
            inputs = small.expand(-1, 3, -1, -1)
        return inputs.contiguous(memory_format=torch.channels_last)

    def on_validation_epoch_start(self) -> None:
        for metric in (self.validation_metrics, self.crowd_accuracy, self.crowd_kl):
            metric.reset()

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _index: int) -> None:
        faces, labels, crowd = batch
        inputs = self.normalise(faces).contiguous(memory_format=torch.channels_last)
        network = self.final_network
        features = network.embed(inputs)
        self.validation_metrics.update(network.head(features), labels)
        known = crowd.sum(dim=1) > 0
        if network.crowd is not None and known.any():
            self._update_crowd(network.crowd(features[known]).float(), crowd[known])

    def _update_crowd(self, logits: Tensor, crowd: Tensor) -> None:
        """Compare (N, 7) logits of the crowd head with the shares of votes."""
        best = crowd.max(dim=1, keepdim=True).values
        agrees = crowd.gather(1, logits.argmax(dim=1, keepdim=True)) == best
        self.crowd_accuracy.update(agrees.float())
        gaps = functional.kl_div(functional.log_softmax(logits, dim=1), crowd, reduction="none")
        self.crowd_kl.update(gaps.sum(dim=1))

    def on_validation_epoch_end(self) -> None:
        self.log_dict(self.validation_metrics.compute(), sync_dist=True)
        if self.crowd_accuracy.update_called:
            self.log("crowd_accuracy", self.crowd_accuracy.compute(), sync_dist=True)
            self.log("crowd_kl", self.crowd_kl.compute(), sync_dist=True)

    def on_fit_start(self) -> None:
        if self._teachers is not None:
            self._teachers.to(self.device)

    def on_train_batch_start(self, _batch: Batch, _index: int) -> None:
        share = self.recipe.frozen_share
        frozen = share == 1 or self.progress < share
        if frozen or self.headed.frozen:
            # Before every batch, because validation resets the mode of all submodules.
            self.headed.freeze(frozen)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.make_optimizer(self.headed)

    def get_rate_factor(self, name: str) -> float:
        """Return the factor of the heads' learning rate for ``headed``'s parameter ``name``."""
        layers = list(dict.fromkeys(map(_layer_of, self.headed.network.trunk.state_dict())))
        inside = name.removeprefix("network.trunk.")
        if inside == name or len(layers) < 2:
            return 1.0
        depth = layers.index(_layer_of(inside)) / (len(layers) - 1)
        return float(self.recipe.first_layer_rate ** (1 - depth))


def _squared_error(predicted: Tensor, shapes: Tensor) -> Tensor:
    """Return the mean squared error over the faces whose shape is known; 0 where none is."""
    known = torch.isfinite(shapes).all(dim=1, keepdim=True)
    # Kept in the graph even then: processes that train together wait for every gradient.
    gaps = torch.where(known, predicted.float() - shapes.nan_to_num(), 0.0)
    return gaps.square().sum() / (known.sum() * shapes.shape[1]).clamp(min=1)


def _layer_of(key: str) -> str:
    """The layer of a torchvision trunk that a parameter belongs to: conv1, layer3, features.7."""
    first, second, *_ = key.split(".")
    return f"{first}.{second}" if first == "features" else first
