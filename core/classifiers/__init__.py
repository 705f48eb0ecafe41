"""Networks that turn aligned faces into emotion logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..registry import Registry

if TYPE_CHECKING:
    from ..types import Float32Array, UInt8Array


class Classifier(Protocol):
    """Anything that gives logits for aligned faces."""

    def logits(self, crops: UInt8Array) -> Float32Array:
        """Return the uncalibrated float32 logits of (N, 48, 48) uint8 grey crops; N may be 0.

        They are (N, 7), or (N, 2, 7) from a network with a label head and a crowd head.
        """
        ...


ARCHITECTURES: tuple[str, ...] = ("mobilenet_v2", "resnet50", "inception_v3")
"""The single networks."""
ENSEMBLE = "ensemble"
"""All of them answering together."""
BUILT_IN = (*ARCHITECTURES, ENSEMBLE)
"""The models that this project trains; others may be registered."""

CLASSIFIERS: Registry[Classifier] = Registry("model")
for _name in BUILT_IN:
    CLASSIFIERS.add(_name, "core.classifiers.model:load_trained_model")


def member_names(name: str) -> tuple[str, ...]:
    """Return the networks that answer in the model ``name``; a single network is its own."""
    return ARCHITECTURES if name == ENSEMBLE else (name,)
