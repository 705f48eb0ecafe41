"""Measured figures, each with its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.detectors.tuning import TUNED_NAME
from core.errors import DataError
from core.faces.alignment import CROP_PX
from core.files import parse_json, read_bounded
from core.reading.limits import MAX_FILE_BYTES, MAX_PIXELS
from core.weights import MANIFEST_NAME, parse_manifest

MANIFEST = "manifest"
"""The name in templates of the weights' manifest."""
CONSTANTS = "constants"
"""The name in templates of constants from the code."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One value of an artefact, with the keys that lead to it.

    Templates read its parts by a dot or in brackets; a missing part is undefined there. Numbers
    become text only through a filter, which records their source.
    """

    raw: Any
    artefact: str
    way: tuple[str | int, ...] = ()

    @property
    def source(self) -> str:
        """Artefact and keys, e.g. ``metrics_publictest: models/ensemble/accuracy``."""
        return f"{self.artefact}: {'/'.join(map(str, self.way))}"

    def __getitem__(self, key: str | int) -> Value:
        return Value(self.raw[key], self.artefact, (*self.way, key))

    def get(self, key: str | int, default: Any = None) -> Any:
        """Return the part called ``key``, or ``default`` if there is none."""
        return self[key] if key in self.raw else default

    def __iter__(self) -> Iterator[Value]:
        return (self[index] for index in range(len(self.raw)))

    def items(self) -> list[tuple[str, Value]]:
        """Return the names of the parts with their values, in the artefact's order."""
        return [(name, self[name]) for name in self.raw]

    def values(self) -> list[Value]:
        """Return the values of the parts, in the artefact's order."""
        return [self[name] for name in self.raw]

    def __len__(self) -> int:
        return len(self.raw)

    def __bool__(self) -> bool:
        return bool(self.raw)

    def __contains__(self, key: object) -> bool:
        return key in self.raw

    def __eq__(self, other: object) -> bool:
        return bool(self.raw == (other.raw if isinstance(other, Value) else other))

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        if isinstance(self.raw, str):
            return self.raw
        raise TypeError(f"{self.source} needs a filter to become text")


def read_artefacts(results: Path, weights: Path) -> dict[str, Value]:
    """Return every ``*.json`` in ``results`` by its name, the weights' manifest and constants.

    DataError for a file that is not a JSON object.
    """
    files = {path.stem: path for path in sorted(results.glob("*.json"))}
    files[MANIFEST] = weights / MANIFEST_NAME
    if (weights / TUNED_NAME).is_file():
        files["detection"] = weights / TUNED_NAME
    found = {name: Value(_read_json(path), name) for name, path in files.items()}
    constants = {"crop_px": CROP_PX, "max_bytes": MAX_FILE_BYTES, "max_pixels": MAX_PIXELS}
    return {**found, CONSTANTS: Value(constants, CONSTANTS)}


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        data = read_bounded(path)
        document = parse_manifest(data) if path.name == MANIFEST_NAME else parse_json(data)
    except (OSError, ValueError) as error:
        raise DataError(
            f"'{path.name}' cannot be read as JSON: {error}.",
            hint="Measure it again: emotion report --measure",
        ) from error
    if not isinstance(document, dict):
        raise DataError(f"'{path.name}' does not hold a JSON object.", hint="Measure it again.")
    return document


def find_other_weights(artefact: Value, manifest: Value) -> list[str]:
    """Return the networks of ``artefact`` whose weights are not those that ship."""
    shipped = {name: entry["sha256"] for name, entry in manifest.raw["models"].items()}
    measured: dict[str, set[str]] = {}
    for document in _find_checksums(artefact.raw):
        for name, digest in document.items():
            measured.setdefault(name, set()).add(digest)
    return sorted(name for name, digests in measured.items() if digests != {shipped.get(name)})


def _find_checksums(node: Any) -> Iterator[Mapping[str, str]]:
    """Yield every mapping of networks to checksums within ``node``."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "weights_sha256":
                yield value if isinstance(value, Mapping) else {str(node.get("model")): value}
            else:
                yield from _find_checksums(value)
    elif isinstance(node, list):
        for value in node:
            yield from _find_checksums(value)
