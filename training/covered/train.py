"""One training run of the check for covered eyes and mouths, from faces to a weight file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from core.allocator import keep_freed_memory
from core.config import Device
from core.faces.covered import NAME, PARTS
from core.faces.covered_network import CoveredNetwork
from core.files import write_json
from core.types import FacePart, UInt8Array

from ..learning.checkpoint import open_run
from ..learning.export import export_check
from ..learning.hardware import choose_hardware
from ..learning.initial import SCRATCH
from ..learning.precision import Precision
from ..learning.progress import EpochReport, ProgressCallback
from ..learning.run import TrainingRun, collect_facts, summarize_run, write_example_sheet
from ..learning.silence import silence_known_warnings
from ..learning.trainer import fit, make_trainer
from .faces import FramedFaces, read_framed_faces
from .loader import DrawnFaces, FaceSampler, make_face_loader
from .module import CoveredModule
from .recipe import CoveredRecipe

LEVELS: dict[str, float] = {FacePart.EYES: 0.5, FacePart.MOUTH: 0.7, FacePart.ONE_EYE: 0.95}
"""Score from which each part counts as covered.

All drawn masks reach 0.7 for the mouth; from 0.5, ten more of 1,344 faces of natural photos would
be called covered. Profiles show only one eye, so one eye counts from a high score.
"""
_EXAMPLES = 64


def train_covered(
    recipe: CoveredRecipe,
    data: Sequence[Path],
    directory: Path,
    *,
    photos: Path | None = None,
    resume: bool = False,
    max_minutes: float | None = None,
    workers: int = 1,
    device: Device | str = Device.AUTO,
    precision: Precision | str = Precision.AUTO,
    report: Callable[[EpochReport], None] | None = None,
) -> TrainingRun:
    """Train ``recipe`` on the training faces of ``data`` and export into ``directory``.

    The faces in ``photos`` (a folder or zip of any photos) are used as well. Things are drawn over
    the faces; what really covers some of them is found on the way and no longer taken for a free
    face. The last weight average is exported.
    """
    resumed = open_run(directory, recipe, resume=resume, max_minutes=max_minutes)
    machine = choose_hardware(Device(device), Precision(precision))
    if machine.accelerator == "cpu":
        keep_freed_memory()
    faces = read_framed_faces(data, photos, most=recipe.faces, seed=recipe.seed)
    facts: dict[str, Any] = {
        "faces": int(faces.labelled.sum()),
        "photo_faces": int((~faces.labelled).sum()),
        "data": hashlib.sha256(faces.crops.tobytes()).hexdigest()[:12],
    }
    if resumed:
        resumed.require_same(facts)
    dataset = DrawnFaces(faces.crops, recipe)
    sampler = FaceSampler(_trust_labelled(faces), recipe)
    loader = make_face_loader(dataset, sampler, workers=workers)
    if resumed:
        # Lightning starts loading before it sets the sampler's epoch.
        sampler.set_epoch(resumed.epochs)
    torch.manual_seed(recipe.seed)
    module = CoveredModule(
        recipe,
        CoveredNetwork(),
        steps=recipe.epochs * len(loader),
        max_seconds=max_minutes * 60 if max_minutes else None,
        faces=len(faces.crops),
    ).to(memory_format=torch.channels_last)
    module.facts = {**facts, "init": SCRATCH, **(resumed.facts if resumed else {})}
    reporter = ProgressCallback(recipe.epochs, report)
    with silence_known_warnings():
        trainer = make_trainer(
            directory,
            machine,
            epochs=recipe.epochs,
            gradient_clip=recipe.gradient_clip,
            callbacks=[_TrustFaces(sampler, faces, recipe), reporter],
        )
        write_example_sheet(directory, draw_examples(dataset))
        fit(trainer, module, loader, None, resume=resumed is not None)
    facts = collect_facts(
        trainer,
        module,
        reporter.pace,
        {
            **facts,
            "files": [each.name for each in (*data, photos) if each],
            "looked_covered": {
                str(part): int(count)
                for part, count in zip(PARTS, module.looks_covered.sum(axis=0), strict=True)
            },
            "skipped": len(faces.skipped),
        },
    )
    export_check(module.final_network, directory, name=NAME, thresholds=LEVELS, training=facts)
    write_json(directory / "training.json", facts)
    return summarize_run(trainer, module, NAME, faces.skipped)


def _trust_labelled(faces: FramedFaces) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return (N, parts) what counts as free at first: all of the labelled faces."""
    return np.repeat(faces.labelled[:, None], len(PARTS), axis=1)


class _TrustFaces(Callback):
    """Checks all faces after each epoch, so that those that look covered do not count as free."""

    def __init__(self, sampler: FaceSampler, faces: FramedFaces, recipe: CoveredRecipe) -> None:
        self._sampler = sampler
        self._faces = faces
        self._from = recipe.trusted_from

    def on_fit_start(self, _trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take over the scores from the checkpoint of a resumed run."""
        module = _require_module(pl_module)
        if module.progress > 0:
            self._update(module)

    def on_train_epoch_end(self, _trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Measure the faces with the weight average, for the next epoch's targets."""
        module = _require_module(pl_module)
        module.update_scores(self._faces.crops)
        self._update(module)

    def _update(self, module: CoveredModule) -> None:
        if module.progress >= self._from:
            self._sampler.trusted = ~module.looks_covered


def _require_module(module: pl.LightningModule) -> CoveredModule:
    if not isinstance(module, CoveredModule):
        raise TypeError(f"expected a CoveredModule, got {type(module).__name__}")
    return module


def draw_examples(dataset: DrawnFaces) -> list[UInt8Array]:
    """Return samples of the first epoch, enlarged, with their targets (eyes, mouth, one eye)."""
    count = min(_EXAMPLES, len(dataset))
    keys = [
        (0, index, index * len(dataset) // count, (True,) * len(PARTS)) for index in range(count)
    ]
    pictures, targets = dataset[keys]
    tiles = []
    for picture, target in zip(pictures.numpy()[:, 0], targets.numpy().astype(int), strict=True):
        tile = np.asarray(cv2.resize(picture, (96, 96), interpolation=cv2.INTER_CUBIC))
        words = " ".join({1: "yes", 0: "no"}.get(value, "?") for value in target.tolist())
        cv2.putText(tile, words, (2, 93), cv2.FONT_HERSHEY_SIMPLEX, 0.32, (255,))
        tiles.append(np.asarray(tile, np.uint8))
    return tiles
