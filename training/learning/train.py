"""One training run, from data to a weight file that the rest of the system can load."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, TensorDataset

from core.config import Device
from core.errors import ConfigError
from core.faces.alignment import FaceFrame
from core.faces.preprocess import Preprocessing
from core.files import atomic_write, write_json
from core.labels import EMOTIONS
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.types import Float32Array

from ..data.balance import (
    compute_emotion_weights,
    compute_group_weights,
    find_hard_properties,
    slice_pictures,
)
from ..data.faces import FaceSet, count_classes, describe_data, find_faces, read_faces, sample_faces
from ..data.shapes import read_shapes
from ..data.splits import Split
from ..data.votes import VOTE_CLASSES, fit_label_prior, read_votes
from .checkpoint import read_checkpoint, require_same_facts, require_unused
from .export import export_network, get_weights_path
from .hardware import Hardware, choose_hardware
from .initial import SCRATCH, make_initial_network, read_earlier_run
from .loader import AugmentedFaces, EpochSampler, training_loader
from .memory import keep_freed_memory
from .module import EmotionModule
from .precision import Precision
from .progress import EpochReport, ProgressCallback
from .recipe import Recipe
from .silence import silence_known_warnings
from .teachers import load_teachers
from .trainer import fit, make_trainer


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Where the results of a run lie."""

    directory: Path
    weights: Path
    epochs: int
    elapsed_s: float
    ended_by_clock: bool
    skipped: tuple[str, ...]
    leads: bool = True
    """False in all but one of several processes that train together."""


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

    The validation split only watches: the last weight average ships, not the best epoch.
    ``max_minutes`` shortens the cosine to the clock and ends cleanly. ``resume`` goes on
    from the last whole epoch; a folder with a run in it is refused without. ``teachers`` are
    weight files whose networks teach this one, each with its manifest beside it. ``compiled``
    fuses the network with torch.compile. ``limit`` learns from so many faces only, drawn by
    the recipe's seed with every emotion's share kept. ``devices`` GPUs (or processes) on each
    of ``nodes`` computers share every batch; they learn what one alone would learn.
    ``landmarks`` keeps those of the training faces; what it lacks is found by the face mesh.
    """
    if not resume:
        require_unused(directory)
    resumed = read_checkpoint(directory, recipe, max_minutes) if resume else None
    machine = choose_hardware(
        Device(device), Precision(precision), devices=devices, nodes=nodes, compiled=compiled
    )
    batch = machine.share_of(recipe.batch)
    if machine.accelerator == "cpu":
        keep_freed_memory()
    # The network of a resumed run comes from its checkpoint: the start need not be at hand.
    # Made before the faces are read, so that a mistyped --init is told at once.
    network = make_initial_network(recipe, SCRATCH if resumed else init)
    taught_by = load_teachers(teachers)
    if init == SCRATCH and recipe.frozen_share > 0:
        raise ConfigError(
            "There is nothing to keep in random weights.",
            hint="Leave frozen_share at 0, or start from --init imagenet or a file.",
        )
    faces = sample_faces(read_faces(sources, Split.TRAIN), limit, recipe.seed)
    facts = {
        "faces": len(faces),
        "votes": votes.name if votes else None,
        "landmarks": landmarks is not None,
        "teachers": taught_by.digests if taught_by else [],
    }
    if resumed:
        require_same_facts(resumed, facts)
    watched = find_faces(sources, Split.VALIDATION)
    preprocessing = Preprocessing(recipe.input_px, recipe.mean, recipe.std)
    shapes = None
    if landmarks is not None and recipe.shape > 0:
        shapes = read_shapes(landmarks, faces, mesh=FaceMeshLandmarks)
    targets, opinions = _targets(recipe, faces, votes)
    weights, more = _favoured(recipe, faces)
    dataset = AugmentedFaces(
        faces,
        # The loss is linear in the target: a weight of the one is a weight of the other.
        targets * weights[:, None],
        opinions,
        preprocessing=preprocessing,
        seed=recipe.seed,
        shapes=shapes,
        more=more,
        more_by=recipe.group_augmentation,
    )
    loader = training_loader(
        dataset, batch=batch, seed=recipe.seed, workers=workers, world=machine.world
    )
    if resumed and isinstance(loader.sampler, EpochSampler):
        # Lightning begins to load before it tells the sampler which epoch it is.
        loader.sampler.set_epoch(resumed.epochs)
    module = EmotionModule(
        recipe,
        network,
        steps=recipe.epochs * len(loader),
        max_seconds=max_minutes * 60 if max_minutes else None,
        teachers=taught_by,
        shapes=shapes is not None,
    ).to(memory_format=torch.channels_last)
    start = {"init": Path(init).name, "earlier_run": read_earlier_run(init)}
    module.facts = {**start, **resumed.facts} if resumed else {**start, **facts}
    if compiled:
        # A kernel for each of the two sizes is faster than one for all.
        module.headed.compile(dynamic=False)
    reporter = ProgressCallback(recipe.epochs, report)
    with silence_known_warnings():
        trainer = make_trainer(
            directory,
            machine,
            epochs=recipe.epochs,
            gradient_clip=recipe.gradient_clip,
            callbacks=[reporter],
            strategy=_strategy(recipe, machine),
        )
        if trainer.is_global_zero:
            _save_example(directory, dataset)
        shown = _watched_loader(watched, preprocessing)
        fit(trainer, module, loader, shown, resume=resumed is not None)
    told: dict[str, Any] = {
        "recipe": dataclasses.asdict(recipe),
        "recipe_digest": recipe.digest(),
        "init": module.facts["init"],
        "earlier_run": module.facts.get("earlier_run"),
        "data": describe_data(faces.names, sources),
        "files": [path.name for path in sources],
        "votes": facts["votes"],
        "landmarks": facts["landmarks"],
        "teachers": facts["teachers"],
        "faces": len(faces),
        "faces_by_emotion": count_classes(faces.labels),
        "skipped": len(faces.skipped),
        "epochs": trainer.current_epoch,
        "steps": int(module.average.n_averaged),
        "minutes": round(module.elapsed_s / 60, 1),
        "images_per_s": round(reporter.pace.images_per_s, 1),
        "waiting_share": round(reporter.pace.waiting_share, 4),
        "device": str(trainer.strategy.root_device.type),
        "devices": machine.world,
        "precision": str(trainer.precision),
        "torch": torch.__version__,
    }
    if trainer.is_global_zero:
        export_network(
            module.final_network,
            directory,
            name=recipe.model,
            preprocessing=preprocessing,
            frame=FaceFrame(),
            training=told,
        )
        write_json(directory / "training.json", told)
    # The others must not tell of files that are not there yet.
    trainer.strategy.barrier()
    return TrainingRun(
        directory=directory,
        weights=get_weights_path(directory, recipe.model),
        leads=trainer.is_global_zero,
        epochs=trainer.current_epoch,
        elapsed_s=module.elapsed_s,
        ended_by_clock=module.ended_by_clock,
        skipped=faces.skipped + watched.skipped,
    )


def _targets(
    recipe: Recipe, faces: FaceSet, votes: Path | None
) -> tuple[Float32Array, Float32Array]:
    """(N, 7) target distributions and (N, 8) crowd opinions, zeros where there are no votes."""
    classes = len(EMOTIONS)
    one_hot: Float32Array = np.eye(classes, dtype=np.float32)[faces.labels]
    smooth = recipe.label_smoothing
    opinions = np.zeros((len(faces), VOTE_CLASSES), dtype=np.float32)
    if votes is None:
        return (1 - smooth) * one_hot + smooth / classes, opinions
    known = read_votes(votes, faces.names)
    prior = fit_label_prior(known, faces.labels)
    share = recipe.votes_prior
    targets = (1 - smooth - share) * one_hot + share * prior + smooth / classes
    return targets.astype(np.float32), known.distribution()


def _favoured(
    recipe: Recipe, faces: FaceSet
) -> tuple[Float32Array, Sequence[AbstractSet[str]] | None]:
    """(N,) weights in the loss on the labels, of mean 1, and what is augmented more."""
    weights = compute_emotion_weights(faces.labels, recipe.emotion_balance)
    if not (recipe.group_balance or recipe.group_augmentation):
        return weights, None
    slicings = slice_pictures(faces.images, FaceMeshLandmarks())
    weights = weights * compute_group_weights(faces.labels, slicings, recipe.group_balance)
    return weights, find_hard_properties(slicings)


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
    atomic_write(directory / "augmented.png", encoded.tobytes())


def _strategy(recipe: Recipe, machine: Hardware) -> str:
    """Lightning's name of how processes train together."""
    if machine.world == 1:
        return "auto"
    # Parameters without a gradient must be looked for, which takes time: the opinions head
    # without its loss, and a frozen trunk.
    idle = recipe.votes_head == 0 or recipe.frozen_share > 0
    return "ddp_find_unused_parameters_true" if idle else "ddp"
