"""Networks that turn aligned faces into emotion logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..registry import Registry

if TYPE_CHECKING:
    from ..types import Float32Array, UInt8Array


class Classifier(Protocol):
    """Anything that gives logits for aligned faces."""

    def logits(self, crops: UInt8Array) -> Float32Array:
        """(N, 48, 48) uint8 grey crops to (N, 7) float32 logits, uncalibrated; N may be 0."""
        ...


CLASSIFIERS: Registry[Classifier] = Registry("model")
CLASSIFIERS.add("mobilenet_v2", "core.classifiers.network:load_network")
CLASSIFIERS.add("resnet50", "core.classifiers.network:load_network")
CLASSIFIERS.add("inception_v3", "core.classifiers.network:load_network")
CLASSIFIERS.add("ensemble", "core.classifiers.ensemble:load_ensemble")

ARCHITECTURES: tuple[str, ...] = ("mobilenet_v2", "resnet50", "inception_v3")
"""The single networks."""
ENSEMBLE = "ensemble"
"""Their combination."""
