"""Training the judge of the hybrid detector: which of its candidates are faces.

The judge starts as the last network of MTCNN, which learned from candidates of another kind. It
learns from those of our own network, in the training photos and in photos without a face. Its box
offsets and points must stay as they are, so it also learns to repeat those of its start.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from torchvision.ops import box_iou

from core.config import Device, Preset, get_settings
from core.detectors.cascade import Boxes, apply_offsets, crop_boxes
from core.detectors.compact import load_compact_runner
from core.detectors.hybrid import JUDGE, JUDGED_PX, HybridDetector
from core.detectors.mtcnn import load_mtcnn_runner
from core.errors import DataError
from core.types import RgbImage, UInt8Array
from core.weights import find_detector

from ..learning.export import export_detector
from .metrics import LOWEST
from .photos import NO_FACES, FaceBoxes, read_annotated_photos, read_photos
from .train import is_training_negative

_RIGHT, _WRONG = 0.5, 0.35
"""Overlap with a face from which a candidate is right, and below which it is wrong; those between
are not learnt."""
_COVERED = 0.5
"""Share of a candidate above which a face marked as ignored may not cover it."""
_WRONG_PER_PHOTO = 12
"""Wrong candidates kept of a photo, the best scored."""
_BATCH = 256
_BRIGHTNESS, _CONTRAST, _SHIFT, _SCALE = 0.15, 0.3, 0.06, 0.08
"""Largest random changes of a crop: the last two as shares of its side."""


@dataclass(frozen=True, slots=True)
class JudgeRecipe:
    """Everything that decides what the judge learns."""

    epochs: int = 8
    learning_rate: float = 5e-4
    weight_decay: float = 0.01
    repeat: float = 2.0
    """Weight of repeating the start's offsets and points."""
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class JudgeSamples:
    """Candidates as the judge sees them."""

    crops: UInt8Array
    """(N, 3, 48, 48) RGB."""
    faces: NDArray[np.bool_]
    """(N,) whether each is a face."""


def train_and_export_judge(
    images: Path,
    boxes: Path,
    directory: Path,
    *,
    negatives: Path | None = None,
    weights_dir: Path | None = None,
    recipe: JudgeRecipe | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> dict[str, Any]:
    """Train the judge for the candidates of the detector in ``weights_dir``; export it.

    Writes the weights and their manifest entry into ``directory``, and returns the facts about the
    run that the entry has. DataError if there are no candidates.
    """
    recipe = recipe or JudgeRecipe()
    samples = collect_candidates(
        images, boxes, negatives=negatives, weights_dir=weights_dir, progress=progress
    )
    if not samples.faces.any() or samples.faces.all():
        raise DataError(
            "The photos have no candidates of both kinds, faces and others.",
            hint="Give photos with faces, and --negatives with photos without.",
        )
    started = time.perf_counter()
    network = train_judge(samples, recipe, progress=progress)
    facts = {
        "files": [each.name for each in (images, boxes, negatives) if each],
        "candidates": len(samples.faces),
        "faces": int(samples.faces.sum()),
        "proposals_of": find_detector("compact", weights_dir).sha256[:12],
        "minutes": (time.perf_counter() - started) / 60,
        "torch": torch.__version__,
        "recipe": asdict(recipe),
    }
    export_detector(network, directory, name=JUDGE, training=facts)
    return facts


def collect_candidates(
    images: Path,
    boxes: Path,
    *,
    negatives: Path | None = None,
    presets: tuple[Preset, ...] = (Preset.BALANCED, Preset.FAST),
    weights_dir: Path | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> JudgeSamples:
    """Return the candidates in the photos of a COCO file, and in the photos without a face.

    Of the latter, those kept for measuring are left out.
    """
    crops, faces = [], []
    for preset in presets:
        settings = get_settings(preset, "hybrid")
        compact = find_detector("compact", weights_dir)
        proposal = load_compact_runner(compact, settings.working_px, Device.AUTO)
        refinement, start = (load_mtcnn_runner(name, Device.AUTO) for name in ("rnet", "onet"))
        detector = HybridDetector(proposal, refinement, start, settings, LOWEST)
        for count, (image, truth) in enumerate(_read_all(images, boxes, negatives), start=1):
            shown, right = _collect_one(detector, image, truth)
            crops.append(shown)
            faces.append(right)
            if count % 500 == 0:
                progress(f"{preset.value}: {count} photos …")
    return JudgeSamples(np.concatenate(crops), np.concatenate(faces))


def _read_all(
    images: Path, boxes: Path, negatives: Path | None
) -> Iterator[tuple[RgbImage, FaceBoxes]]:
    without = () if negatives is None else read_photos(negatives, [])
    return chain(
        read_annotated_photos(images, boxes, []),
        ((image, NO_FACES) for image in without if is_training_negative(image.name)),
    )


def _collect_one(
    detector: HybridDetector, image: RgbImage, truth: FaceBoxes
) -> tuple[UInt8Array, NDArray[np.bool_]]:
    """Return the crops of one photo's candidates, and which are faces."""
    found = detector.find_candidates(image)
    if found is None:
        return np.zeros((0, 3, JUDGED_PX, JUDGED_PX), np.uint8), np.zeros(0, np.bool_)
    final = apply_offsets(found.boxes, detector.judge(found)[:, 1:5])
    there = truth.scale(found.pixels.shape[1] / image.width, found.pixels.shape[0] / image.height)
    overlap = _max_overlap(final, there.boxes_xyxy[~there.ignored])
    covered = _max_covered(final, there.boxes_xyxy[there.ignored])
    right = overlap >= _RIGHT
    wrong = np.flatnonzero((overlap < _WRONG) & (covered <= _COVERED))
    wrong = wrong[np.argsort(-found.scores[wrong])][:_WRONG_PER_PHOTO]
    kept = np.concatenate([np.flatnonzero(right), wrong])
    if not len(kept):
        return np.zeros((0, 3, JUDGED_PX, JUDGED_PX), np.uint8), np.zeros(0, np.bool_)
    crops = crop_boxes(found.sums, found.boxes[kept], JUDGED_PX)
    return crops.round().clip(0, 255).astype(np.uint8), right[kept]


def _max_overlap(found: Boxes, truth: Boxes) -> NDArray[np.float64]:
    """Return (N,) the largest intersection over union of each box with any of ``truth``."""
    pairs = box_iou(torch.from_numpy(found), torch.from_numpy(truth.astype(np.float32))).numpy()
    return np.asarray(pairs.max(axis=1, initial=0.0), np.float64)


def _max_covered(found: Boxes, truth: Boxes) -> NDArray[np.float64]:
    """Return (N,) the largest share of each box that any of ``truth`` covers."""
    low = np.maximum(found[:, None, :2], truth[None, :, :2])
    high = np.minimum(found[:, None, 2:], truth[None, :, 2:])
    area = (found[:, 2:] - found[:, :2]).clip(1e-6).prod(axis=1)
    shared = (high - low).clip(0).prod(axis=-1).max(axis=1, initial=0.0)
    return np.asarray(shared / area, np.float64)


def build_output_network() -> nn.Module:
    """Build MTCNN's last network with its library's weights: offsets, points, two probabilities."""
    from facenet_pytorch.models.mtcnn import ONet

    network: nn.Module = ONet()
    return network


def train_judge(
    samples: JudgeSamples,
    recipe: JudgeRecipe,
    *,
    progress: Callable[[str], None] = lambda _text: None,
) -> nn.Module:
    """Return the judge that learned from ``samples``, as facenet-pytorch's ONet."""
    torch.manual_seed(recipe.seed)
    start = build_output_network().eval().requires_grad_(False)
    network = copy.deepcopy(start).requires_grad_(True).train()
    data = TensorDataset(torch.from_numpy(samples.crops), torch.from_numpy(samples.faces).long())
    loader = DataLoader(data, _BATCH, shuffle=True, drop_last=len(data) > _BATCH)
    optimizer = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.epochs * len(loader)
    )
    for epoch in range(1, recipe.epochs + 1):
        total = 0.0
        for crops, faces in loader:
            shown = _augment(crops.float())
            loss = _compute_loss(network, start, shown, faces, recipe.repeat)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        progress(f"judge: epoch {epoch} of {recipe.epochs}, loss {total / len(loader):.4f}")
    return network.eval()


def _compute_loss(
    network: nn.Module, start: nn.Module, shown: Tensor, faces: Tensor, repeat: float
) -> Tensor:
    offsets, points, probabilities = network(shown)
    # The network ends in a softmax.
    loss = functional.nll_loss(probabilities.clamp(1e-6).log(), faces)
    right = faces.bool()
    if right.any():
        with torch.no_grad():
            as_before = start(shown[right])
        loss = loss + repeat * functional.mse_loss(offsets[right], as_before[0])
        loss = loss + repeat * functional.mse_loss(points[right], as_before[1])
    return loss


def _augment(crops: Tensor) -> Tensor:
    """Return (N, 3, 48, 48) values for the network: mirrored, moved, lighter or darker."""
    count = len(crops)
    sign = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    scale = 1 + _SCALE * (2 * torch.rand(count) - 1)
    shift = 2 * _SHIFT * (2 * torch.rand(count, 2) - 1)
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 1, 1], matrix[:, :, 2] = sign * scale, scale, shift
    grid = functional.affine_grid(matrix, list(crops.shape), align_corners=False)
    moved = functional.grid_sample(crops, grid, padding_mode="border", align_corners=False)
    normalised = (moved - 127.5) / 128
    contrast = 1 + _CONTRAST * (2 * torch.rand(count, 1, 1, 1) - 1)
    brightness = _BRIGHTNESS * 2 * (2 * torch.rand(count, 1, 1, 1) - 1)
    return (normalised * contrast + brightness).clamp(-1, 1)
