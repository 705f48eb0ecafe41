"""One training run of our own detector, from photos with boxes to a weight file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from core.allocator import keep_freed_memory
from core.config import Device
from core.detectors.compact import pad_image
from core.files import write_json
from core.types import UInt8Array

from ..learning.checkpoint import open_run
from ..learning.export import export_detector
from ..learning.hardware import choose_hardware
from ..learning.initial import SCRATCH, make_initial_detector, read_earlier_run
from ..learning.precision import Precision
from ..learning.progress import EpochReport, ProgressCallback
from ..learning.run import TrainingRun, collect_facts, summarize_run, write_example_sheet
from ..learning.silence import silence_known_warnings
from ..learning.trainer import fit, make_trainer
from .loader import FACE, AugmentedPhotos, PhotoSampler, batch_sides, make_photo_loader
from .module import DetectorModule
from .photos import NO_FACES, EncodedPhoto, encode_photo, read_annotated_photos, read_photos
from .recipe import NAME, DetectorRecipe

_CHECKED_PX = 320
"""Longer side at which photos without a face are checked after each epoch."""
_LEARNT_SHARE = 0.6
"""Share of the photos without a face for training; the others are for measuring."""


def train_detector(
    recipe: DetectorRecipe,
    images: Path,
    boxes: Path,
    directory: Path,
    *,
    negatives: Path | None = None,
    init: str = SCRATCH,
    resume: bool = False,
    max_minutes: float | None = None,
    workers: int = 1,
    device: Device | str = Device.AUTO,
    precision: Precision | str = Precision.AUTO,
    report: Callable[[EpochReport], None] | None = None,
) -> TrainingRun:
    """Train ``recipe`` on the photos of a COCO file and export into ``directory``.

    ``negatives`` are photos without any face. Those of :func:`is_training_negative` are shown, more
    often the higher the detector scores a face in them. The last weight average is exported.
    ``init`` is scratch, or the safetensors file of an earlier run to continue with a new recipe;
    ConfigError if it does not fit. ``max_minutes`` shortens the cosine to the available time;
    ``resume`` continues after the last complete epoch.
    """
    resumed = open_run(directory, recipe, resume=resume, max_minutes=max_minutes)
    # Loaded before the photos, so that a mistyped --init fails at once.
    network = make_initial_detector(SCRATCH if resumed else init, seed=recipe.seed)
    machine = choose_hardware(Device(device), Precision(precision))
    if machine.accelerator == "cpu":
        keep_freed_memory()
    skipped: list[str] = []
    photos = [
        encode_photo(image, faces, recipe.keep_px)
        for image, faces in read_annotated_photos(images, boxes, skipped)
    ]
    without = _read_negatives(negatives, recipe, skipped) if negatives else []
    facts: dict[str, Any] = {
        "photos": len(photos),
        "negatives": len(without),
        "boxes": _digest(boxes),
    }
    if resumed:
        resumed.require_same(facts)
    dataset = AugmentedPhotos(photos, without, recipe)
    sampler = PhotoSampler(len(photos), recipe, np.zeros(len(without)))
    loader = make_photo_loader(dataset, sampler, workers=workers)
    if resumed:
        # Lightning starts loading before it sets the sampler's epoch.
        sampler.set_epoch(resumed.epochs)
    module = DetectorModule(
        recipe,
        network,
        steps=recipe.epochs * len(loader),
        max_seconds=max_minutes * 60 if max_minutes else None,
        negatives=len(without),
    ).to(memory_format=torch.channels_last)
    start = {"init": Path(init).name, "earlier_run": read_earlier_run(init)}
    module.facts = {**facts, **start, **(resumed.facts if resumed else {})}
    reporter = ProgressCallback(recipe.epochs, report)
    with silence_known_warnings():
        trainer = make_trainer(
            directory,
            machine,
            epochs=recipe.epochs,
            gradient_clip=recipe.gradient_clip,
            callbacks=[_HardNegatives(sampler, without), reporter],
        )
        write_example_sheet(directory, draw_examples(dataset, recipe))
        fit(trainer, module, loader, None, resume=resumed is not None)
    data = {
        "data": boxes.stem,
        "files": [each.name for each in (images, boxes, negatives) if each],
        "photos": len(photos),
        "faces": sum(int((~photo.faces.ignored).sum()) for photo in photos),
        "negatives": len(without),
        "skipped": len(skipped),
    }
    facts = collect_facts(trainer, module, reporter.pace, data)
    export_detector(module.final_network, directory, name=NAME, training=facts)
    write_json(directory / "training.json", facts)
    return summarize_run(trainer, module, NAME, skipped)


def is_training_negative(name: str) -> bool:
    """Return whether training uses a photo without a face, by a hash of its plain file name."""
    return hashlib.sha256(name.encode()).digest()[0] < _LEARNT_SHARE * 256


def _read_negatives(source: Path, recipe: DetectorRecipe, skipped: list[str]) -> list[EncodedPhoto]:
    images: Iterable[Any] = read_photos(source, skipped)
    return [
        encode_photo(each, NO_FACES, recipe.keep_px)
        for each in images
        if is_training_negative(each.name)
    ]


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


class _HardNegatives(Callback):
    """Checks the photos without a face after each epoch, so that hard ones are shown more often."""

    def __init__(self, sampler: PhotoSampler, photos: list[EncodedPhoto]) -> None:
        self._sampler = sampler
        self._pictures = [_make_input(photo.pixels()) for photo in photos]

    def on_fit_start(self, _trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take over the hardness from the checkpoint of a resumed run."""
        self._sampler.hardness = _require_module(pl_module).hardness.cpu().numpy()

    def on_train_epoch_end(self, _trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Measure the hardness with the weight average, for the next epoch's draws."""
        self._sampler.hardness = _require_module(pl_module).update_hardness(self._pictures)


def _require_module(module: pl.LightningModule) -> DetectorModule:
    if not isinstance(module, DetectorModule):
        raise TypeError(f"expected a DetectorModule, got {type(module).__name__}")
    return module


def _make_input(pixels: UInt8Array) -> Tensor:
    scale = min(1.0, _CHECKED_PX / max(pixels.shape))
    reduced = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    shown = np.asarray(reduced, dtype=np.uint8)
    return torch.from_numpy(np.ascontiguousarray(pad_image(shown).transpose(2, 0, 1)))


def draw_examples(dataset: AugmentedPhotos, recipe: DetectorRecipe) -> list[UInt8Array]:
    """Return up to 32 augmented photos of one size with their boxes drawn, BGR."""
    side, count = batch_sides(recipe)[0], min(32, len(dataset))
    tiles = []
    for index in range(count):
        picture, boxes, kinds = dataset.picture((0, index, index * len(dataset) // count, side))
        tile = np.ascontiguousarray(picture.numpy()[::-1].transpose(1, 2, 0))
        for box, kind in zip(boxes.numpy().astype(int).tolist(), kinds.tolist(), strict=True):
            colour = (0, 255, 0) if kind == FACE else (0, 160, 255)
            cv2.rectangle(tile, box[:2], box[2:], colour, 1)
        tiles.append(tile)
    return tiles
