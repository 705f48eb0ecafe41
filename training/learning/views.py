"""What teachers say of a fixed number of views of each face, asked once before the run.

A student then learns as fast as without teachers. Asked about every batch, three teachers take
several times as long as a small student.
"""

from __future__ import annotations

import hashlib
import json
from itertools import product
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch.utils.data import DataLoader

from core.errors import ConfigError
from core.files import atomic_file
from core.types import Float32Array

from .hardware import Hardware
from .loader import AugmentedFaces
from .recipe import Recipe
from .teachers import Teachers

FILE = "taught.safetensors"
"""In the folder of the run, so that a resumed run need not ask again."""
_BATCH = 128


def teach_views(
    dataset: AugmentedFaces,
    teachers: Teachers,
    recipe: Recipe,
    directory: Path,
    *,
    hardware: Hardware,
    workers: int,
) -> None:
    """Give ``dataset`` the teachers' probabilities for each of its views.

    ConfigError if the recipe also wants their features, which would take gigabytes.
    """
    if recipe.hints > 0:
        raise ConfigError(
            "The teachers' features are not kept for fixed views.",
            hint="Set hints=0, or views=0 to ask the teachers about every batch.",
        )
    file, digest = directory / FILE, _digest(dataset, teachers, recipe)
    taught = _read(file, digest)
    if taught is None:
        taught = _ask(dataset, teachers, recipe, hardware=hardware, workers=workers)
        directory.mkdir(parents=True, exist_ok=True)
        with atomic_file(file) as opened:
            opened.write(save({"probabilities": taught}, {"digest": digest}))
    dataset.taught = taught


@torch.no_grad()
def _ask(
    dataset: AugmentedFaces,
    teachers: Teachers,
    recipe: Recipe,
    *,
    hardware: Hardware,
    workers: int,
) -> Float32Array:
    """Return (views, N, heads, 7): of the label heads, then of the crowd heads if all have one."""
    device = torch.device("cuda" if hardware.accelerator == "gpu" else "cpu")
    teachers.to(device)
    keys = list(product(range(recipe.views), range(len(dataset))))
    loader = DataLoader(dataset, batch_size=_BATCH, sampler=keys, num_workers=workers)
    parts = []
    for faces, *_ in loader:
        grey = faces.to(device)[:, None].float() / 255
        with hardware.make_autocast():
            outputs = teachers.predict(grey, recipe.distillation_temperature)
        heads = [each for each in (outputs.labels, outputs.crowd) if each is not None]
        parts.append(torch.stack(heads, dim=1).cpu().numpy())
    answers: Float32Array = np.concatenate(parts).astype(np.float32)
    answers.shape = (recipe.views, len(dataset), *answers.shape[1:])
    return answers


def _digest(dataset: AugmentedFaces, teachers: Teachers, recipe: Recipe) -> str:
    facts = [recipe.digest(), teachers.digests, len(dataset)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _read(file: Path, digest: str) -> Float32Array | None:
    """Return the probabilities in ``file``; None unless they are of this run."""
    try:
        with safe_open(file, framework="numpy") as opened:
            if (opened.metadata() or {}).get("digest") != digest:
                return None
            return np.asarray(opened.get_tensor("probabilities"), np.float32)
    except (OSError, SafetensorError):
        return None
