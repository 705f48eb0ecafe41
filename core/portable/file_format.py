"""The formats in which other programs run the networks."""

from __future__ import annotations

from enum import StrEnum


class ExportFormat(StrEnum):
    """A format in which other programs run the networks."""

    ONNX = "onnx"
    OPENVINO = "openvino"

    @property
    def endings(self) -> tuple[str, ...]:
        """Endings of a network's files; the first is the one that a program opens."""
        return (".onnx",) if self is ExportFormat.ONNX else (".xml", ".bin")
