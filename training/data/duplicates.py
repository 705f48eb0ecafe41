"""Report of the copies of faces within a data set and across its splits."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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

from .faces import FaceSet, find_any_faces
from .near_copies import NEAR, find_near_pairs
from .splits import Split


@dataclass(frozen=True, slots=True)
class DuplicateReport:
    """The report and where it was written."""

    directory: Path
    report: Mapping[str, Any]
    """The content of ``duplicates.json``."""
    skipped: tuple[str, ...]


def find_duplicates(
    sources: Sequence[Path], directory: Path, threshold: float = NEAR
) -> DuplicateReport:
    """Find exact and near copies among all faces of ``sources``, within and across splits.

    Exact copies share every pixel; near copies correlate by more than ``threshold`` at 48x48,
    so brightness and contrast do not matter. All pairs are compared. Folders may have any names,
    because labels are used only to find copies that disagree. Writes duplicates.json (counts)
    and duplicates.csv (one line per face that has a copy, numbered by group).
    """
    every = {split: find_any_faces(sources, split) for split in Split}
    parts = {split: faces for split, faces in every.items() if len(faces)}
    if not parts:
        raise DataError(
            f"No faces found in {', '.join(path.name for path in sources)}.",
            hint="Expected one folder of images for each class.",
        )
    images = np.concatenate([faces.images for faces in parts.values()])
    # As names, because two splits need not have the same classes.
    labels = np.concatenate([np.array(faces.classes)[faces.labels] for faces in parts.values()])
    exact = _group_exact_copies(images)
    near = _group_near_copies(images, threshold)
    report = {
        "files": [path.name for path in sources],
        "threshold": threshold,
        "faces": {str(split): len(faces) for split, faces in parts.items()},
        "exact": _count_copies(parts, labels, exact),
        "near": _count_copies(parts, labels, near),
    }
    write_json(directory / "duplicates.json", report)
    atomic_write(directory / "duplicates.csv", _format_csv(parts, exact, near).encode())
    return DuplicateReport(
        directory, report, tuple(line for faces in parts.values() for line in faces.skipped)
    )


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


def _iter_slices(parts: Mapping[Split, FaceSet]) -> Iterator[tuple[Split, slice]]:
    start = 0
    for split, faces in parts.items():
        yield split, slice(start, start + len(faces))
        start += len(faces)


def _count_copies(
    parts: Mapping[Split, FaceSet], labels: NDArray[np.str_], groups: NDArray[np.int64]
) -> dict[str, Any]:
    """Return the numbers of groups, and of faces with a copy by split and the copy's split."""
    sizes = np.bincount(groups)
    members = {
        split: np.bincount(groups[at], minlength=len(sizes)) for split, at in _iter_slices(parts)
    }
    counts: dict[str, Any] = {}
    for split, at in _iter_slices(parts):
        own = groups[at]
        within = members[split][own] > 1
        counts[str(split)] = {
            "within": int(within.sum()),
            # All but one face of each group could be left out.
            "redundant": int(np.maximum(members[split] - 1, 0).sum()),
            "also_in": {
                str(other): {
                    "faces": int((members[other][own] > 0).sum()),
                    "by_emotion": _share_by_class(labels[at], members[other][own] > 0),
                }
                for other in parts
                if other is not split
            },
        }
    disputed = [
        int(group)
        for group in np.flatnonzero(sizes > 1)
        if len(np.unique(labels[groups == group])) > 1
    ]
    return {
        "groups": int((sizes > 1).sum()),
        "largest_group": int(sizes.max()) if sizes.max() > 1 else 0,
        "groups_with_different_labels": len(disputed),
        "splits": counts,
    }


def _share_by_class(labels: NDArray[np.str_], chosen: NDArray[np.bool_]) -> dict[str, float]:
    """Return the chosen share of each class's faces, emotions first; only classes with faces."""
    present = set(labels.tolist())
    emotions = [str(emotion) for emotion in EMOTIONS if emotion in present]
    classes = [*emotions, *sorted(present.difference(EMOTIONS))]
    return {name: float(chosen[labels == name].mean()) for name in classes}


def _format_csv(
    parts: Mapping[Split, FaceSet], exact: NDArray[np.int64], near: NDArray[np.int64]
) -> str:
    """Return one line per face that has a copy, sorted by group."""
    kinds = (("exact", exact), ("near", near))
    has_copy = {kind: np.bincount(groups)[groups] > 1 for kind, groups in kinds}
    rows = []
    for split, at in _iter_slices(parts):
        faces = parts[split]
        for offset, name in enumerate(faces.names):
            index = at.start + offset
            if has_copy["near"][index] or has_copy["exact"][index]:
                rows.append((index, split, faces.classes[faces.labels[offset]], name))
    rows.sort(key=lambda row: (near[row[0]], exact[row[0]], row[0]))
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("near_group", "exact_group", "split", "label", "name"))
    for index, split, label, name in rows:
        group = int(exact[index]) if has_copy["exact"][index] else ""
        writer.writerow((int(near[index]), group, split, label, name))
    return buffer.getvalue()
