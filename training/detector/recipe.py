"""The recipe of our detector's training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.detectors.compact import PAD_TO
from core.errors import ConfigError

from ..learning.recipe import compute_digest, read_recipe_values, require_in_range, within

NAME = "compact"


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """Everything that decides what a detector learns from its photos."""

    input_px: int
    """Side of the pictures cut from photos; a batch has 0.75, 1 or 1.25 times this."""
    keep_px: int = field(metadata=within(64, 8192))
    """Longest side at which photos are kept in memory."""
    smallest_px: float = field(metadata=within(1.0, 64.0))
    """Faces that are smaller than this in the picture do not count."""
    negatives: float = field(metadata=within(0.0, 0.9))
    """Share of pictures that come from photos without a face, where there are any."""
    mosaic: float = field(metadata=within(0.0, 1.0))
    """Share of pictures with faces that combine four photos."""
    focus: float = field(metadata=within(0.0, 1.0))
    """Share of the others that show the surroundings of one face instead of any part."""
    epochs: int
    batch: int
    learning_rate: float = field(metadata=within(1e-8, 10.0))
    """Peak of the cosine; AdamW."""
    weight_decay: float = field(metadata=within(0.0, 10.0))
    warmup: float = field(metadata=within(0.0, 0.99))
    ema_decay: float = field(metadata=within(0.0, 0.99999))
    gradient_clip: float = field(metadata=within(1e-3, 1e6))
    box: float = field(metadata=within(0.0, 100.0))
    """Weight of the box loss; that of the score loss is 1."""
    seed: int

    def __post_init__(self) -> None:
        if self.input_px < PAD_TO or self.input_px % PAD_TO:
            raise ConfigError(
                f"input_px must be a multiple of {PAD_TO}, got {self.input_px}.",
                hint="Example: --set input_px=320",
            )
        if self.epochs < 1 or self.batch < 2:
            raise ConfigError(
                f"epochs must be at least 1 and batch at least 2, "
                f"got {self.epochs} and {self.batch}.",
                hint="Batch normalisation needs two pictures in a batch.",
            )
        require_in_range(self)

    def digest(self) -> str:
        """Return twelve hexadecimal digits of a hash over all values."""
        return compute_digest(self)


def read_detector_recipe(
    overrides: Mapping[str, str] | None = None, file: Path | None = None
) -> DetectorRecipe:
    """Return the committed recipe or that of ``file``, changed by ``overrides``; ConfigError."""
    return DetectorRecipe(**read_recipe_values(DetectorRecipe, NAME, overrides, file))
