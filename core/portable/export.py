"""Export of a model to files that need none of this project's code."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..config import Device, Engine
from ..errors import DataError
from ..faces.alignment import CROP_PX
from ..files import atomic_file, read_json, report_disk_errors, write_json
from ..labels import EMOTIONS, Reading
from ..outputs import Output, check_outputs
from ..types import UInt8Array
from ..weights import ModelSpec, read_models, require_model
from .file_format import ExportFormat
from .formats import Signature, open_network, require_runtime, write_network

if TYPE_CHECKING:
    from .parity import Parity

FORMAT_VERSION = "1.0"
"""Of the description; an addition increases the minor number."""
_PROGRAM = "photo-emotion"
_OUTPUTS = tuple(map(str, Reading))
_SIGNATURE = Signature("faces", _OUTPUTS, (-1, 1, CROP_PX, CROP_PX))
_MEANINGS = {
    Reading.PEOPLE: "share of people who would name each emotion",
    Reading.FER2013: "probability of each label of FER-2013",
}


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """What an export wrote."""

    name: str
    files: tuple[Path, ...]
    """The network that a program opens first, the description last."""
    parity: Parity


def export_models(
    names: Sequence[str],
    chosen: ExportFormat,
    folder: Path,
    *,
    faces: UInt8Array | None = None,
    whole: bool = False,
    weights_dir: Path | None = None,
    overwrite: bool = False,
) -> list[ExportedModel]:
    """Write models to ``folder`` as files for other runtimes, each with a description in JSON.

    Each is one graph, also the ensemble: it takes (N, 1, 48, 48) uint8 aligned grey faces and gives
    the calibrated probabilities of both readings. ``whole`` adds the networks before it: detection,
    landmarks, check for cover. Every network is run on ``faces``, (N, 48, 48) uint8, or else on
    200 generated ones, and must answer as this program does.

    Raises ProjectError if one answers differently (then nothing is written), ConfigError if a file
    exists that is no earlier export, or if a package is missing, and WeightsError.
    """
    require_runtime(chosen)
    trained = read_models(weights_dir)
    specs = [require_model(name, trained) for name in names]
    if faces is not None and not len(faces):
        raise DataError("There is no face to compare the answers on.", hint="Check --data.")
    planned = [
        Output("--out", folder / file, is_ours=_is_earlier_export)
        for file in _list_files(names, chosen, whole=whole)
    ]
    check_outputs(planned, overwrite=overwrite, makes_folders=True)
    with tempfile.TemporaryDirectory(prefix=f"{_PROGRAM}-export-") as made:
        exported = [
            _write_model(spec, chosen, Path(made), faces=faces, weights_dir=weights_dir)
            for spec in specs
        ]
        parts: dict[str, dict[str, Any]] = {}
        if whole:
            from .parts import write_parts

            parts = write_parts(Path(made), chosen, weights_dir)
        _finish_descriptions(exported, parts, chosen)
        with report_disk_errors(folder):
            _move_files(Path(made), folder)
    return [
        ExportedModel(each.name, tuple(folder / file.name for file in each.files), each.parity)
        for each in exported
    ]


def _list_files(names: Iterable[str], chosen: ExportFormat, *, whole: bool) -> list[str]:
    files = [name + ending for name in names for ending in (*chosen.endings, f".{chosen}.json")]
    return [*files, *_list_parts(chosen, whole=whole)]


def _list_parts(chosen: ExportFormat, *, whole: bool) -> list[str]:
    if not whole:
        return []
    from .parts import list_part_files

    return list_part_files(chosen)


def _write_model(
    spec: ModelSpec,
    chosen: ExportFormat,
    folder: Path,
    *,
    faces: UInt8Array | None,
    weights_dir: Path | None,
) -> ExportedModel:
    import torch

    from ..classifiers.model import load_trained_model
    from .graph import ModelGraph
    from .parity import compare_readings, make_faces

    graph = ModelGraph(spec).eval()
    example = torch.zeros(2, 1, CROP_PX, CROP_PX, dtype=torch.uint8)
    files = write_network(graph, example, _SIGNATURE, folder / spec.name, chosen)
    model = load_trained_model(
        spec.name, weights_dir=weights_dir, engine=Engine.AUTO, device=Device.CPU
    )
    tried = make_faces() if faces is None else faces
    parity = compare_readings(open_network(files[0], chosen), graph, model, tried)
    description = folder / f"{spec.name}.{chosen}.json"
    write_json(description, _describe(spec, chosen, files[0].name, parity))
    return ExportedModel(spec.name, (*files, description), parity)


def _describe(spec: ModelSpec, chosen: ExportFormat, file: str, parity: Parity) -> dict[str, Any]:
    frame = next(iter(spec.members.values())).frame
    return {
        "exported_by": _PROGRAM,
        "format_version": FORMAT_VERSION,
        "version": __version__,
        "model": spec.name,
        "format": str(chosen),
        "file": file,
        "input": {
            "name": _SIGNATURE.input,
            "shape": ["N", *_SIGNATURE.shape[1:]],
            "type": "uint8",
            "values": "grey, 0..255: .299 red + .587 green + .114 blue",
        },
        "outputs": [
            {
                "name": str(reading),
                "shape": ["N", len(EMOTIONS)],
                "type": "float32",
                "values": _MEANINGS[reading],
                "certain_from": spec.calibrations[reading].certain_from,
            }
            for reading in Reading
        ],
        "labels": list(EMOTIONS),
        "alignment": {
            "values": "a shift, turn and scale, by least squares, that brings the centres of the "
            "viewer's left eye, right eye and mouth here; x, y in a crop of 0 to 48",
            "frame": asdict(frame),
        },
        "inside_the_graph": {
            "facts": dict(spec.manifest_facts),
            "weights_sha256": spec.weights_sha256,
        },
        "compared": asdict(parity),
        "licence": {
            "code_and_weights": "MIT",
            "training_photos": "FER-2013, collected by web search and meant for research",
        },
    }


def _finish_descriptions(
    exported: Sequence[ExportedModel], parts: Mapping[str, Any], chosen: ExportFormat
) -> None:
    """Add the networks before the model, and the checksum of every file, to each description."""
    for model in exported:
        *files, description = model.files
        document = read_json(description)
        beside = [description.with_name(name) for name in _list_parts(chosen, whole=bool(parts))]
        document["networks_before"] = parts
        document["sha256"] = {file.name: _checksum(file) for file in (*files, *beside)}
        write_json(description, document)


def _move_files(made: Path, folder: Path) -> None:
    """Move all files to ``folder``, each as a whole; the descriptions last."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(made.iterdir(), key=lambda each: (each.suffix == ".json", each.name)):
        with file.open("rb") as source, atomic_file(folder / file.name) as target:
            shutil.copyfileobj(source, target)


def _is_earlier_export(path: Path) -> bool:
    """Return whether an earlier export wrote ``path``: a description beside it knows the file."""
    for description in path.parent.glob("*.json"):
        try:
            document = read_json(description)
            ours = document["exported_by"] == _PROGRAM
            if ours and (path == description or document["sha256"][path.name] == _checksum(path)):
                return True
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return False


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
