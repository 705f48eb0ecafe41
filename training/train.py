"""One training run, from data to a weight file that the rest of the system can load."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
import warnings
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

from core.errors import ConfigError, DataError
from core.imaging.alignment import FaceFrame
from core.imaging.preprocess import Preprocessing
from core.labels import EMOTIONS
from core.types import Float32Array

from .data import FaceSet, Split, class_counts, read_faces
from .export import export_network, write_whole
from .initial import initial_network
from .loader import AugmentedFaces, training_loader
from .module import EmotionModule
from .recipe import Recipe
from .votes import OPINIONS, label_prior, read_votes

LAST_CHECKPOINT = "last.ckpt"


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


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Where the results of a run lie."""

    directory: Path
    weights: Path
    epochs: int
    elapsed_s: float
    ended_by_clock: bool
    skipped: tuple[str, ...]


def train(
    recipe: Recipe,
    sources: Sequence[Path],
    directory: Path,
    *,
    init: str,
    votes: Path | None = None,
    resume: bool = False,
    max_minutes: float | None = None,
    workers: int = 1,
    device: str = "auto",
    precision: str = "auto",
    compiled: bool = False,
    report: Callable[[EpochReport], None] | None = None,
) -> TrainingRun:
    """Train ``recipe`` on the training split of ``sources`` and export into ``directory``.

    The validation split only watches: the last weight average ships, not the best epoch.
    ``max_minutes`` shortens the cosine to the clock and ends cleanly. ``resume`` goes on
    from the last whole epoch. ``compiled`` fuses the network with torch.compile.
    """
    checkpoint = directory / "checkpoints" / LAST_CHECKPOINT
    _check_resume(checkpoint, recipe, resume)
    faces = read_faces(sources, Split.TRAIN)
    watched = _validation(sources)
    preprocessing = Preprocessing(recipe.input_px, recipe.mean, recipe.std)
    targets, opinions = _targets(recipe, faces, votes)
    loader = training_loader(
        AugmentedFaces(faces, targets, opinions, preprocessing, recipe.seed),
        batch=recipe.batch,
        seed=recipe.seed,
        workers=workers,
    )
    _save_example(directory, loader.dataset)  # type: ignore[arg-type]
    module = EmotionModule(
        recipe,
        initial_network(recipe, init),
        steps=recipe.epochs * len(loader),
        max_seconds=max_minutes * 60 if max_minutes else None,
    ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if compiled:
        module.headed.compile()
    trainer = _trainer(recipe, directory, device=device, precision=precision, report=report)
    with warnings.catch_warnings():
        # One worker a loader is deliberate on small machines; Lightning advises more.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        trainer.fit(
            module,
            loader,
            _watched_loader(watched, preprocessing) if watched else None,
            ckpt_path=str(checkpoint) if resume else None,
            weights_only=False if resume else None,
        )
    told: dict[str, Any] = {
        "recipe": dataclasses.asdict(recipe),
        "recipe_digest": recipe.digest(),
        "init": Path(init).name,
        "data": [path.name for path in sources],
        "votes": votes.name if votes else None,
        "faces": len(faces),
        "faces_by_emotion": class_counts(faces.labels),
        "skipped": len(faces.skipped),
        "epochs": trainer.current_epoch,
        "minutes": round(module.elapsed_s / 60, 1),
        "device": str(trainer.strategy.root_device.type),
        "torch": torch.__version__,
    }
    weights = export_network(
        module.average.module,
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
        skipped=faces.skipped,
    )


def _check_resume(checkpoint: Path, recipe: Recipe, resume: bool) -> None:
    if not resume:
        return
    if not checkpoint.exists():
        raise ConfigError(
            "There is no checkpoint to resume from.",
            hint="Leave --resume out, or give the --out folder of the run to go on with.",
        )
    stored = torch.load(checkpoint, map_location="cpu", weights_only=False)["recipe_digest"]
    if stored != recipe.digest():
        raise ConfigError(
            "The checkpoint was made with another recipe.",
            hint="Resume with the same --model and --set values, or start a new run.",
        )


def _validation(sources: Sequence[Path]) -> FaceSet | None:
    try:
        return read_faces(sources, Split.VALIDATION)
    except DataError:
        return None


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


def _watched_loader(faces: FaceSet, preprocessing: Preprocessing) -> DataLoader[Any]:
    resized = np.stack([preprocessing.resize(face) for face in faces.images])
    return DataLoader(
        TensorDataset(torch.from_numpy(resized), torch.from_numpy(faces.labels)), batch_size=256
    )


def _save_example(directory: Path, dataset: AugmentedFaces) -> None:
    """A sheet of augmented faces, so that a person can look at what the network sees."""
    count = min(64, len(dataset))
    tiles = [dataset[(0, index)][0].numpy() for index in range(count)]
    columns = 8 if count >= 8 else count
    tiles += [np.zeros_like(tiles[0])] * (-count % columns)
    rows: list[NDArray[np.uint8]] = [
        np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)
    ]
    encoded = cv2.imencode(".png", np.vstack(rows))[1]
    write_whole(directory / "augmented.png", encoded.tobytes())


class _Reporter(Callback):
    """Tells how an epoch went."""

    def __init__(self, recipe: Recipe, tell: Callable[[EpochReport], None]) -> None:
        self._recipe = recipe
        self._tell = tell
        self._started = 0.0
        self._train_s = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.monotonic()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._train_s = time.monotonic() - self._started

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, EmotionModule)
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        seconds = self._train_s or time.monotonic() - self._started
        done = max(pl_module.progress, 1e-6)
        self._tell(
            EpochReport(
                epoch=trainer.current_epoch + 1,
                epochs=self._recipe.epochs,
                images_per_s=trainer.num_training_batches * self._recipe.batch / max(seconds, 1e-6),
                left_s=pl_module.elapsed_s * (1 - done) / done,
                loss=metrics.get("loss", float("nan")),
                accuracy=metrics.get("accuracy"),
                macro_f1=metrics.get("macro_f1"),
            )
        )


def _trainer(
    recipe: Recipe,
    directory: Path,
    *,
    device: str,
    precision: str,
    report: Callable[[EpochReport], None] | None,
) -> pl.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    accelerator = {"auto": "auto", "cpu": "cpu", "cuda": "gpu"}[device]
    if precision == "auto":
        on_gpu = torch.cuda.is_available() and device != "cpu"
        precision = "bf16-mixed" if on_gpu else "32-true"
    callbacks: list[Callback] = [
        ModelCheckpoint(
            dirpath=directory / "checkpoints",
            save_last=True,
            save_top_k=0,
            save_on_train_epoch_end=True,
        )
    ]
    if report is not None:
        callbacks.append(_Reporter(recipe, report))
    return pl.Trainer(
        accelerator=accelerator,
        devices="auto",
        precision=precision,  # type: ignore[arg-type]
        max_epochs=recipe.epochs,
        gradient_clip_val=recipe.gradient_clip,
        callbacks=callbacks,
        logger=TensorBoardLogger(directory, name="tensorboard", version=""),
        default_root_dir=directory,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
