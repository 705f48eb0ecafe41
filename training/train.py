"""One training run, from data to a weight file that the rest of the system can load."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray
from torch.utils.data import DataLoader, TensorDataset

from core.config import Device
from core.errors import ConfigError
from core.imaging.alignment import FaceFrame
from core.imaging.preprocess import Preprocessing
from core.labels import EMOTIONS
from core.types import Float32Array

from .checkpoint import LAST, read_checkpoint, require_same, require_unused
from .data import FaceSet, class_counts, data_described, find_faces, read_faces
from .export import export_network, write_whole
from .initial import SCRATCH, initial_network
from .loader import AugmentedFaces, EpochSampler, training_loader
from .module import EmotionModule
from .options import Precision, Split
from .progress import EpochReport, Reporter
from .quiet import quiet
from .recipe import Recipe
from .votes import OPINIONS, label_prior, read_votes


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Where the results of a run lie."""

    directory: Path
    weights: Path
    epochs: int
    elapsed_s: float
    ended_by_clock: bool
    skipped: tuple[str, ...]


def train_model(
    recipe: Recipe,
    sources: Sequence[Path],
    directory: Path,
    *,
    init: str,
    votes: Path | None = None,
    resume: bool = False,
    max_minutes: float | None = None,
    workers: int = 1,
    device: Device | str = Device.AUTO,
    precision: Precision | str = Precision.AUTO,
    compiled: bool = False,
    report: Callable[[EpochReport], None] | None = None,
) -> TrainingRun:
    """Train ``recipe`` on the training split of ``sources`` and export into ``directory``.

    The validation split only watches: the last weight average ships, not the best epoch.
    ``max_minutes`` shortens the cosine to the clock and ends cleanly. ``resume`` goes on
    from the last whole epoch; a folder with a run in it is refused without. ``compiled``
    fuses the network with torch.compile. One device is used.
    """
    if not resume:
        require_unused(directory)
    resumed = read_checkpoint(directory, recipe, max_minutes) if resume else None
    numbers = _numbers(Device(device), Precision(precision))
    if compiled:
        _require_compiler(numbers[0])
    # The network of a resumed run comes from its checkpoint: the start need not be at hand.
    # Made before the faces are read, so that a mistyped --init is told at once.
    network = initial_network(recipe, SCRATCH if resumed else init)
    faces = read_faces(sources, Split.TRAIN)
    facts = {"faces": len(faces), "votes": votes.name if votes else None}
    if resumed:
        require_same(resumed, facts)
        init = str(resumed.facts.get("init", init))
    watched = find_faces(sources, Split.VALIDATION)
    preprocessing = Preprocessing(recipe.input_px, recipe.mean, recipe.std)
    dataset = AugmentedFaces(
        faces, *_targets(recipe, faces, votes), preprocessing=preprocessing, seed=recipe.seed
    )
    loader = training_loader(dataset, batch=recipe.batch, seed=recipe.seed, workers=workers)
    if resumed and isinstance(loader.sampler, EpochSampler):
        # Lightning begins to load before it tells the sampler which epoch it is.
        loader.sampler.set_epoch(resumed.epochs)
    module = EmotionModule(
        recipe,
        network,
        steps=recipe.epochs * len(loader),
        max_seconds=max_minutes * 60 if max_minutes else None,
    ).to(memory_format=torch.channels_last)
    module.facts = {**facts, "init": Path(init).name}
    if compiled:
        module.headed.compile()
    _save_example(directory, dataset)
    with quiet():
        trainer = _trainer(recipe, directory, *numbers, report=report)
        _fit(trainer, module, loader, _watched_loader(watched, preprocessing), resumed is not None)
    told: dict[str, Any] = {
        "recipe": dataclasses.asdict(recipe),
        "recipe_digest": recipe.digest(),
        "init": module.facts["init"],
        "data": data_described(faces.names, sources),
        "files": [path.name for path in sources],
        "votes": facts["votes"],
        "faces": len(faces),
        "faces_by_emotion": class_counts(faces.labels),
        "skipped": len(faces.skipped),
        "epochs": trainer.current_epoch,
        "steps": int(module.average.n_averaged),
        "minutes": round(module.elapsed_s / 60, 1),
        "device": str(trainer.strategy.root_device.type),
        "precision": str(trainer.precision),
        "torch": torch.__version__,
    }
    weights = export_network(
        module.shipped,
        directory,
        name=recipe.model,
        preprocessing=preprocessing,
        frame=FaceFrame(),
        training=told,
    )
    write_whole(directory / "training.json", (json.dumps(told, indent=2) + "\n").encode())
    return TrainingRun(
        directory=directory,
        weights=weights,
        epochs=trainer.current_epoch,
        elapsed_s=module.elapsed_s,
        ended_by_clock=module.ended_by_clock,
        skipped=faces.skipped + watched.skipped,
    )


def _numbers(device: Device, precision: Precision) -> tuple[str, Precision]:
    """Lightning's accelerator, and the precision that ``auto`` stands for."""
    on_gpu = torch.cuda.is_available() and device is not Device.CPU
    if device is Device.CUDA and not on_gpu:
        raise ConfigError(
            "There is no CUDA GPU that torch can use.", hint="Use --device cpu or --device auto."
        )
    if precision is Precision.F16_MIXED and not on_gpu:
        raise ConfigError("A CPU cannot train in 16-mixed precision.", hint="Use --precision auto.")
    if precision is not Precision.AUTO:
        return "gpu" if on_gpu else "cpu", precision
    if not on_gpu:
        return "cpu", Precision.FULL
    half = torch.cuda.is_bf16_supported()
    return "gpu", Precision.BF16_MIXED if half else Precision.F16_MIXED


def _require_compiler(accelerator: str) -> None:
    names = ("c++", "g++", "clang++", "cl")
    if accelerator == "cpu" and not ("CXX" in os.environ or any(map(shutil.which, names))):
        raise ConfigError(
            "--compile needs a C++ compiler, and none is installed.",
            hint="Install one (Debian: apt-get install g++), or leave --compile out.",
        )


def _targets(
    recipe: Recipe, faces: FaceSet, votes: Path | None
) -> tuple[Float32Array, Float32Array]:
    """(N, 7) target distributions and (N, 8) crowd opinions, zeros where there are no votes."""
    classes = len(EMOTIONS)
    one_hot: Float32Array = np.eye(classes, dtype=np.float32)[faces.labels]
    smooth = recipe.label_smoothing
    opinions = np.zeros((len(faces), OPINIONS), dtype=np.float32)
    if votes is None:
        return (1 - smooth) * one_hot + smooth / classes, opinions
    known = read_votes(votes, faces.names)
    prior = label_prior(known, faces.labels)
    share = recipe.votes_prior
    targets = (1 - smooth - share) * one_hot + share * prior + smooth / classes
    return targets.astype(np.float32), known.opinions()


def _watched_loader(faces: FaceSet, preprocessing: Preprocessing) -> DataLoader[Any] | None:
    if not len(faces):
        return None
    resized = np.stack([preprocessing.resize(face) for face in faces.images])
    return DataLoader(
        TensorDataset(torch.from_numpy(resized), torch.from_numpy(faces.labels)), batch_size=256
    )


def _save_example(directory: Path, dataset: AugmentedFaces) -> None:
    """A sheet of augmented faces, so that a person can look at what the network sees."""
    count = min(64, len(dataset))
    tiles = [dataset[(0, index)][0].numpy() for index in range(count)]
    columns = min(8, count)
    tiles += [np.zeros_like(tiles[0])] * (-count % columns)
    rows: list[NDArray[np.uint8]] = [
        np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)
    ]
    encoded = cv2.imencode(".png", np.vstack(rows))[1]
    write_whole(directory / "augmented.png", encoded.tobytes())


def _trainer(
    recipe: Recipe,
    directory: Path,
    accelerator: str,
    precision: Precision,
    *,
    report: Callable[[EpochReport], None] | None,
) -> pl.Trainer:
    checkpoint = ModelCheckpoint(
        dirpath=(directory / LAST).parent,
        filename=LAST.stem,
        # The newest one, without a figure to compare; `save_last` with none kept writes nothing
        # before the run ends.
        save_top_k=1,
        save_on_train_epoch_end=True,
        # A second file beside an old one would leave --resume with the old one.
        enable_version_counter=False,
    )
    callbacks: list[Callback] = [checkpoint]
    if report is not None:
        callbacks.append(Reporter(recipe.epochs, report))
    return pl.Trainer(
        accelerator=accelerator,
        devices=1,
        precision=precision.value,  # type: ignore[arg-type]
        max_epochs=recipe.epochs,
        gradient_clip_val=recipe.gradient_clip,
        callbacks=callbacks,
        logger=TensorBoardLogger(directory, name="tensorboard", version=""),
        default_root_dir=directory,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _fit(
    trainer: pl.Trainer,
    module: EmotionModule,
    loader: DataLoader[Any],
    watched: DataLoader[Any] | None,
    resume: bool,
) -> None:
    """Run the training loop; KeyboardInterrupt passes through."""
    try:
        trainer.fit(
            module,
            loader,
            watched,
            ckpt_path=str(Path(trainer.default_root_dir) / LAST) if resume else None,
            weights_only=False if resume else None,
        )
    except SystemExit as stopped:
        # What Lightning makes of Ctrl-C; the caller decides how to end.
        raise KeyboardInterrupt from stopped
