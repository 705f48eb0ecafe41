"""One training run of an emotion network: prepare, learn, record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch.utils.data import DataLoader

from core.allocator import keep_freed_memory
from core.config import Device
from core.errors import ConfigError
from core.faces.alignment import FaceFrame
from core.files import write_json

from ..data.faces import count_classes, find_faces, read_faces, sample_faces
from ..data.splits import Split, describe_data
from .checkpoint import ResumedRun, open_run
from .dataset import build_dataset
from .export import export_network
from .hardware import Hardware, choose_hardware
from .initial import SCRATCH, make_initial_network, read_earlier_run
from .loader import AugmentedFaces, Batch, make_training_loader, make_validation_loader
from .module import EmotionModule
from .precision import Precision
from .progress import EpochReport, ProgressCallback
from .recipe import Recipe
from .run import TrainingRun, collect_facts, summarize_run, write_example_sheet
from .silence import silence_known_warnings
from .teachers import load_teachers
from .trainer import fit, make_trainer

_SHEET_FACES = 64


def train_model(
    recipe: Recipe,
    sources: Sequence[Path],
    directory: Path,
    *,
    init: str,
    votes: Path | None = None,
    landmarks: Path | None = None,
    teachers: Sequence[Path] = (),
    resume: bool = False,
    max_minutes: float | None = None,
    workers: int = 1,
    device: Device | str = Device.AUTO,
    precision: Precision | str = Precision.AUTO,
    devices: int = 1,
    nodes: int = 1,
    compiled: bool = False,
    limit: int | None = None,
    report: Callable[[EpochReport], None] | None = None,
) -> TrainingRun:
    """Train ``recipe`` on the training split of ``sources`` and export into ``directory``.

    Validation faces are only measured on: the last weight average is exported, not the best epoch.

    Args:
        init: imagenet, scratch, or a safetensors file.
        votes: FER+ crowd votes.
        landmarks: A file that keeps the landmarks of the training faces; the face mesh finds
            those that it lacks.
        teachers: Weight files whose networks teach this one, each with its manifest beside it.
        resume: Continue after the last completed epoch. Without it, a folder that holds a run is
            refused.
        max_minutes: Shortens the schedule to this time and ends cleanly.
        devices: GPUs (or processes) on each of ``nodes`` computers. They share every batch, and
            together learn what one alone would learn.
        compiled: Fuse the network with torch.compile.
        limit: Learn from this many faces, drawn by the recipe's seed with the share of every
            emotion kept.
        report: Called after each epoch.
    """
    resumed = open_run(directory, recipe, resume=resume, max_minutes=max_minutes)
    hardware = choose_hardware(
        Device(device), Precision(precision), devices=devices, nodes=nodes, compiled=compiled
    )
    prepared = _prepare(
        recipe,
        sources,
        hardware,
        resumed,
        init=init,
        votes=votes,
        landmarks=landmarks,
        teachers=teachers,
        max_minutes=max_minutes,
        workers=workers,
        limit=limit,
    )
    if compiled:
        # One kernel for each of the two sizes is faster than one for both.
        prepared.module.headed.compile(dynamic=False)
    progress = ProgressCallback(recipe.epochs, report)
    trainer = _learn(prepared, directory, hardware, progress, resume=resume)
    return _record(prepared, directory, trainer, progress, devices=hardware.world_size)


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A network and the faces it is about to learn from."""

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
    hardware: Hardware,
    resumed: ResumedRun | None,
    *,
    init: str,
    votes: Path | None,
    landmarks: Path | None,
    teachers: Sequence[Path],
    max_minutes: float | None,
    workers: int,
    limit: int | None,
) -> _Prepared:
    """Load the start of the network and all faces; everything that can be refused is refused."""
    batch = hardware.split_batch(recipe.batch)
    if hardware.accelerator == "cpu":
        keep_freed_memory()
    # Loaded before the faces, so that a mistyped --init fails at once. A resumed run takes its
    # network from the checkpoint: its start need not be there any more.
    network = make_initial_network(recipe, SCRATCH if resumed else init)
    loaded_teachers = load_teachers(teachers)
    if init == SCRATCH and recipe.frozen_share > 0:
        raise ConfigError(
            "Random weights hold nothing that freezing could keep.",
            hint="Leave frozen_share at 0, or start from --init imagenet or a file.",
        )
    faces = sample_faces(read_faces(sources, Split.TRAIN), limit, recipe.seed)
    facts = {
        "faces": len(faces),
        "votes": votes.name if votes else None,
        "landmarks": landmarks is not None,
        "teachers": loaded_teachers.digests if loaded_teachers else [],
    }
    if resumed:
        resumed.require_same(facts)
    validation = find_faces(sources, Split.VALIDATION)
    dataset = build_dataset(recipe, faces, recipe.preprocessing, votes=votes, landmarks=landmarks)
    loader = make_training_loader(
        dataset,
        batch=batch,
        seed=recipe.seed,
        workers=workers,
        world_size=hardware.world_size,
        epoch=resumed.epochs if resumed else 0,
    )
    module = EmotionModule(
        recipe,
        network,
        steps=recipe.epochs * len(loader),
        max_seconds=max_minutes * 60 if max_minutes else None,
        teachers=loaded_teachers,
        shapes=dataset.has_shapes,
    ).to(memory_format=torch.channels_last)
    start = {"init": Path(init).name, "earlier_run": read_earlier_run(init)}
    module.facts = {**facts, **start, **(resumed.facts if resumed else {})}
    return _Prepared(
        module=module,
        dataset=dataset,
        loader=loader,
        validation_loader=make_validation_loader(validation, recipe.preprocessing),
        facts={
            "data": describe_data(faces.names, sources),
            "files": [path.name for path in sources],
            "votes": facts["votes"],
            "landmarks": facts["landmarks"],
            "teachers": facts["teachers"],
            "faces": len(faces),
            "faces_by_emotion": count_classes(faces.labels),
            "skipped": len(faces.skipped),
        },
        skipped=faces.skipped + validation.skipped,
    )


def _learn(
    prepared: _Prepared,
    directory: Path,
    hardware: Hardware,
    progress: ProgressCallback,
    *,
    resume: bool,
) -> pl.Trainer:
    """Run all epochs, or as many as the time allows; return the trainer that ran them."""
    recipe = prepared.module.recipe
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


def _record(
    prepared: _Prepared,
    directory: Path,
    trainer: pl.Trainer,
    progress: ProgressCallback,
    *,
    devices: int,
) -> TrainingRun:
    """Export the network with the facts about its training; return where everything lies."""
    module, recipe = prepared.module, prepared.module.recipe
    facts = collect_facts(trainer, module, progress.pace, prepared.facts, devices=devices)
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


def _choose_strategy(recipe: Recipe, hardware: Hardware) -> str:
    """Return Lightning's name for the way in which processes train together."""
    if hardware.world_size == 1:
        return "auto"
    # Looking for parameters without a gradient takes time. There are some where the votes head
    # has no loss or the trunk is frozen.
    idle = recipe.votes_head == 0 or recipe.frozen_share > 0
    return "ddp_find_unused_parameters_true" if idle else "ddp"
