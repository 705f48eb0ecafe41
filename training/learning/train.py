"""One training run of an emotion network: prepare, learn, record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch.utils.data import DataLoader

from core.allocator import keep_freed_memory
from core.config import Device
from core.errors import ConfigError
from core.faces.alignment import CROP_PX, FaceFrame
from core.files import write_json
from core.types import UInt8Array

from ..data.faces import FaceSet, count_classes, find_faces, read_faces, sample_faces
from ..data.splits import Split, describe_data
from ..data.unlabelled import cut_faces
from .checkpoint import ResumedRun, open_run
from .export import export_network
from .hardware import Hardware, choose_hardware
from .initial import SCRATCH, make_initial_network, read_earlier_run
from .loader import (
    VOTES_TO_COUNT,
    AugmentedFaces,
    Batch,
    build_dataset,
    make_training_loader,
    make_validation_loader,
    read_vote_shares,
)
from .module import EmotionModule
from .precision import Precision
from .progress import EpochReport, ProgressCallback
from .recipe import Recipe
from .run import TrainingRun, collect_facts, summarize_run, write_example_sheet
from .silence import silence_known_warnings
from .teachers import load_teachers
from .trainer import fit, make_trainer
from .views import teach_views

_SHEET_FACES = 64
_FIXED_FACTS = ("faces", "unlabelled", "votes", "landmarks", "teachers")
"""What must be the same when a run is resumed."""


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """What a run is given beside its recipe and its faces."""

    init: str
    """imagenet, scratch, or a safetensors file."""
    votes: Path | None = None
    """FER+ crowd votes."""
    landmarks: Path | None = None
    """A file that keeps the landmarks of the training faces; the face mesh finds those that it
    lacks."""
    teachers: Sequence[Path] = ()
    """Weight files whose networks teach this one, each with its manifest beside it."""
    unlabelled: Sequence[Path] = ()
    """Photos whose faces have no label: what the teachers say of them is learned."""
    max_minutes: float | None = None
    """Shortens the schedule to this time and ends cleanly."""
    workers: int = 1
    device: Device = Device.AUTO
    precision: Precision = Precision.AUTO
    devices: int = 1
    """GPUs (or processes) on each of ``nodes`` computers. Every batch is split among them; the
    result is that of a single device."""
    nodes: int = 1
    compiled: bool = False
    """Fuse the network with torch.compile."""
    limit: int | None = None
    """Learn from this many faces, drawn by the recipe's seed with the share of every emotion
    kept."""


def train_model(
    recipe: Recipe,
    sources: Sequence[Path],
    directory: Path,
    options: TrainingOptions,
    *,
    resume: bool = False,
    report: Callable[[EpochReport], None] | None = None,
) -> TrainingRun:
    """Train ``recipe`` on the training split of ``sources`` and export into ``directory``.

    Validation faces are only measured on: the last weight average is exported, not the best epoch.
    ``resume`` continues after the last completed epoch; without it, a folder that holds a run is
    refused. ``report`` is called after each epoch.
    """
    resumed = open_run(directory, recipe, resume=resume, max_minutes=options.max_minutes)
    prepared = _prepare(recipe, sources, directory, resumed, options)
    module, hardware = prepared.module, prepared.hardware
    if options.compiled:
        # One kernel for each of the two sizes is faster than one for both.
        module.headed.compile(dynamic=False)
    progress = ProgressCallback(recipe.epochs, report)
    trainer = _learn(prepared, directory, progress, resume=resume)
    facts = collect_facts(
        trainer, module, progress.pace, prepared.facts, devices=hardware.world_size
    )
    if trainer.is_global_zero:
        export_network(
            module.final_network,
            directory,
            name=recipe.model,
            preprocessing=recipe.preprocessing,
            frame=FaceFrame(),
            training=facts,
        )
        write_json(directory / "training.json", facts)
    # The other processes must not return before the files exist.
    trainer.strategy.barrier()
    return summarize_run(trainer, module, recipe.model, prepared.skipped)


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A network and the faces it is about to learn from."""

    hardware: Hardware
    module: EmotionModule
    dataset: AugmentedFaces
    loader: DataLoader[Batch]
    validation_loader: DataLoader[Any] | None
    facts: dict[str, Any]
    """What training.json records about the data."""
    skipped: tuple[str, ...]


def _prepare(
    recipe: Recipe,
    sources: Sequence[Path],
    directory: Path,
    resumed: ResumedRun | None,
    options: TrainingOptions,
) -> _Prepared:
    """Build the initial network and load all faces.

    Raises ConfigError or DataError for whatever prevents the run, before training starts.
    """
    hardware = choose_hardware(
        options.device,
        options.precision,
        devices=options.devices,
        nodes=options.nodes,
        compiled=options.compiled,
    )
    batch = hardware.split_batch(recipe.batch)
    if hardware.accelerator == "cpu":
        keep_freed_memory()
    # Loaded before the faces, so that a mistyped --init fails at once. A resumed run takes its
    # network from the checkpoint: the --init file may no longer exist.
    crowd = options.votes is not None and recipe.votes_head > 0
    network = make_initial_network(recipe, SCRATCH if resumed else options.init, crowd=crowd)
    teachers = load_teachers(options.teachers)
    if options.init == SCRATCH and recipe.frozen_share > 0:
        raise ConfigError(
            "Random weights hold nothing that freezing could keep.",
            hint="Leave frozen_share at 0, or start from --init imagenet or a file.",
        )
    faces = sample_faces(read_faces(sources, Split.TRAIN), options.limit, recipe.seed)
    unlabelled, unreadable = _cut_unlabelled_faces(options)
    facts = _describe_faces(faces, len(unlabelled), sources, options)
    facts["teachers"] = teachers.digests if teachers else []
    fixed = {name: facts[name] for name in _FIXED_FACTS}
    if resumed:
        resumed.require_same(fixed)
    validation = find_faces(sources, Split.VALIDATION)
    dataset = build_dataset(
        recipe,
        faces,
        recipe.preprocessing,
        votes=options.votes,
        landmarks=options.landmarks,
        unlabelled=unlabelled,
    )
    if teachers is not None and recipe.views:
        teach_views(
            dataset, teachers, recipe, directory, hardware=hardware, workers=options.workers
        )
        teachers = None
    loader = make_training_loader(
        dataset,
        batch=batch,
        seed=recipe.seed,
        workers=options.workers,
        world_size=hardware.world_size,
        epoch=resumed.epochs if resumed else 0,
    )
    module = EmotionModule(
        recipe,
        network,
        steps=recipe.epochs * len(loader),
        max_seconds=options.max_minutes * 60 if options.max_minutes else None,
        teachers=teachers,
        shapes=dataset.has_shapes,
    ).to(memory_format=torch.channels_last)
    start = {"init": Path(options.init).name, "earlier_run": read_earlier_run(options.init)}
    module.facts = {**fixed, **start, **(resumed.facts if resumed else {})}
    shares = read_vote_shares(validation, options.votes, VOTES_TO_COUNT)
    validation_loader = make_validation_loader(validation, shares, recipe.preprocessing)
    skipped = faces.skipped + unreadable + validation.skipped
    return _Prepared(hardware, module, dataset, loader, validation_loader, facts, skipped)


def _describe_faces(
    faces: FaceSet, unlabelled: int, sources: Sequence[Path], options: TrainingOptions
) -> dict[str, Any]:
    """Return what training.json records about the ``faces`` and the number without a label."""
    return {
        "data": describe_data(faces.names, sources),
        "files": [path.name for path in sources],
        "votes": options.votes.name if options.votes else None,
        "landmarks": options.landmarks is not None,
        "faces": len(faces),
        "unlabelled": unlabelled,
        "unlabelled_files": [path.name for path in options.unlabelled],
        "faces_by_emotion": count_classes(faces.labels),
        "skipped": len(faces.skipped),
    }


def _cut_unlabelled_faces(options: TrainingOptions) -> tuple[UInt8Array, tuple[str, ...]]:
    """Return the (N, 48, 48) faces, none without ``unlabelled``, and the unreadable photos."""
    if not options.unlabelled:
        return np.zeros((0, CROP_PX, CROP_PX), np.uint8), ()
    if not options.teachers:
        raise ConfigError(
            "Nothing can be learned from unlabelled faces without a teacher.",
            hint="Give the weights of a finished run with --teacher, or leave --unlabelled out.",
        )
    return cut_faces(options.unlabelled)


def _learn(
    prepared: _Prepared,
    directory: Path,
    progress: ProgressCallback,
    *,
    resume: bool,
) -> pl.Trainer:
    """Run all epochs, or as many as the time allows; return the trainer that ran them."""
    recipe, hardware = prepared.module.recipe, prepared.hardware
    with silence_known_warnings():
        trainer = make_trainer(
            directory,
            hardware,
            epochs=recipe.epochs,
            gradient_clip=recipe.gradient_clip,
            callbacks=[progress],
            strategy=_choose_strategy(recipe, hardware),
        )
        if trainer.is_global_zero:
            count = min(_SHEET_FACES, len(prepared.dataset))
            tiles = [prepared.dataset[(0, index)][0].numpy() for index in range(count)]
            write_example_sheet(directory, tiles)
        fit(trainer, prepared.module, prepared.loader, prepared.validation_loader, resume=resume)
    return trainer


def _choose_strategy(recipe: Recipe, hardware: Hardware) -> str:
    """Return Lightning's name for the way in which processes train together."""
    if hardware.world_size == 1:
        return "auto"
    # Looking for parameters without a gradient takes time. There are some where the votes head
    # has no loss or the trunk is frozen.
    return "ddp_find_unused_parameters_true" if recipe.frozen_share > 0 else "ddp"
