"""The recipe of the check for covered eyes and mouths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ConfigError
from core.faces.covered import NAME

from ..learning.recipe import compute_digest, read_recipe_values, require_in_range, within


@dataclass(frozen=True, slots=True)
class CoveredRecipe:
    """Everything that decides what the check learns from its faces."""

    faces: int
    """Labelled faces that are used; those cut from photos come on top."""
    covered: float = field(metadata=within(0.0, 1.0))
    """Share of the samples on which something is drawn that covers eyes or mouth."""
    distracted: float = field(metadata=within(0.0, 1.0))
    """Share of the samples on which something is drawn that covers neither."""
    trusted_from: float = field(metadata=within(0.0, 1.0))
    """Share of the run after which faces that look covered no longer count as free, and after
    which the faces cut from photos count at all."""
    epochs: int
    batch: int
    learning_rate: float = field(metadata=within(1e-8, 10.0))
    """Peak of the cosine; AdamW."""
    weight_decay: float = field(metadata=within(0.0, 10.0))
    warmup: float = field(metadata=within(0.0, 0.99))
    ema_decay: float = field(metadata=within(0.0, 0.99999))
    gradient_clip: float = field(metadata=within(1e-3, 1e6))
    seed: int

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2 or self.faces < 2:
            raise ConfigError(
                "epochs must be at least 1, batch and faces at least 2, got "
                f"{self.epochs}, {self.batch} and {self.faces}.",
                hint="Batch normalisation needs two faces in a batch.",
            )
        require_in_range(self)

    def digest(self) -> str:
        """Return twelve hexadecimal digits of a hash over all values."""
        return compute_digest(self)


def read_covered_recipe(
    overrides: Mapping[str, str] | None = None, file: Path | None = None
) -> CoveredRecipe:
    """Return the committed recipe or that of ``file``, changed by ``overrides``; ConfigError."""
    return CoveredRecipe(**read_recipe_values(CoveredRecipe, NAME, overrides, file))
