"""Report of the copies of faces within a data set and across its splits."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from core.errors import DataError
from core.files import atomic_write, write_json
from core.labels import EMOTIONS
from core.types import UInt8Array

from .faces import find_any_faces
from .near_copies import NEAR, find_near_pairs
from .splits import Split


def find_duplicates(
    sources: Sequence[Path], directory: Path, threshold: float = NEAR
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Find exact and near copies among all faces of ``sources``, within and across splits.

    Exact copies share every pixel; near copies correlate by more than ``threshold`` at 48x48,
    so brightness and contrast do not matter. All pairs are compared. Folders may have any names,
    because labels are used only to find copies that disagree. Writes duplicates.json (counts)
    and duplicates.csv (one line per face that has a copy, numbered by group); returns the content
    of the former, and the files that were skipped.
    """
    every = {split: find_any_faces(sources, split) for split in Split}
    parts = {str(split): faces for split, faces in every.items() if len(faces)}
    if not parts:
        raise DataError(
            f"No faces found in {', '.join(path.name for path in sources)}.",
            hint="Expected one folder of images for each class.",
        )
    images = np.concatenate([faces.images for faces in parts.values()])
    # As names, because two splits need not have the same classes.
    labels = np.concatenate([np.array(faces.classes)[faces.labels] for faces in parts.values()])
    names = np.concatenate([faces.names for faces in parts.values()])
    splits = np.repeat(list(parts), [len(faces) for faces in parts.values()])
    exact = _group_exact_copies(images)
    near = _group_near_copies(images, threshold)
    report = {
        "files": [path.name for path in sources],
        "threshold": threshold,
        "faces": {split: len(faces) for split, faces in parts.items()},
        "exact": _count_copies(splits, labels, exact),
        "near": _count_copies(splits, labels, near),
    }
    write_json(directory / "duplicates.json", report)
    table = _format_csv(np.stack([splits, labels, names], axis=1), exact, near)
    atomic_write(directory / "duplicates.csv", table.encode())
    return report, tuple(line for faces in parts.values() for line in faces.skipped)


def _group_exact_copies(images: UInt8Array) -> NDArray[np.int64]:
    """Return (N,) group numbers, equal for faces that share every pixel."""
    rows = np.ascontiguousarray(images.reshape(len(images), -1))
    keys = rows.view(np.dtype((np.void, rows.shape[1]))).ravel()
    return np.asarray(np.unique(keys, return_inverse=True)[1], dtype=np.int64)


def _group_near_copies(images: UInt8Array, threshold: float) -> NDArray[np.int64]:
    """Return (N,) group numbers, equal for faces connected by a chain of near copies."""
    first, second = find_near_pairs(images, threshold)
    size = len(images)
    graph = coo_array((np.ones(len(first), np.bool_), (first, second)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _count_copies(
    splits: NDArray[np.str_], labels: NDArray[np.str_], groups: NDArray[np.int64]
) -> dict[str, Any]:
    """Return the numbers of groups, and of faces with a copy by split and the copy's split."""
    sizes = np.bincount(groups)
    faces = {split: splits == split for split in dict.fromkeys(splits.tolist())}
    members = {
        split: np.bincount(groups[own], minlength=len(sizes)) for split, own in faces.items()
    }
    counts: dict[str, Any] = {}
    for split, own in faces.items():
        copies = {other: members[other][groups[own]] for other in faces}
        counts[split] = {
            "within": int((copies[split] > 1).sum()),
            # All but one face of each group could be left out.
            "redundant": int(np.maximum(members[split] - 1, 0).sum()),
            "also_in": {
                other: {
                    "faces": int((count > 0).sum()),
                    "by_emotion": _share_by_class(labels[own], count > 0),
                }
                for other, count in copies.items()
                if other != split
            },
        }
    disputed = [len(np.unique(labels[groups == group])) > 1 for group in np.flatnonzero(sizes > 1)]
    return {
        "groups": len(disputed),
        "largest_group": int(sizes.max()) if disputed else 0,
        "groups_with_different_labels": sum(disputed),
        "splits": counts,
    }


def _share_by_class(labels: NDArray[np.str_], chosen: NDArray[np.bool_]) -> dict[str, float]:
    """Return the chosen share of each class's faces, emotions first; only classes with faces."""
    present = set(labels.tolist())
    emotions = [str(emotion) for emotion in EMOTIONS if emotion in present]
    classes = [*emotions, *sorted(present.difference(EMOTIONS))]
    return {name: float(chosen[labels == name].mean()) for name in classes}


def _format_csv(faces: NDArray[np.str_], exact: NDArray[np.int64], near: NDArray[np.int64]) -> str:
    """Return one line per face that has a copy, sorted by group.

    ``faces`` are (N, 3): split, label and name.
    """
    has_exact, has_near = (np.bincount(groups)[groups] > 1 for groups in (exact, near))
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("near_group", "exact_group", "split", "label", "name"))
    for index in np.lexsort((exact, near)):
        if has_near[index] or has_exact[index]:
            group = exact[index] if has_exact[index] else ""
            writer.writerow((near[index], group, *faces[index]))
    return buffer.getvalue()
