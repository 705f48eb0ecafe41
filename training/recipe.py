"""Training recipes: small TOML files, one per architecture, every value open to override."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ConfigError

RECIPES_DIR = Path(__file__).resolve().parent / "recipes"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what a training run learns."""

    model: str
    input_px: int
    """Side of the square the network sees."""
    mean: float
    std: float
    epochs: int
    batch: int
    learning_rate: float
    """Peak of the cosine; AdamW."""
    weight_decay: float
    warmup: float
    """Share of the run during which the learning rate climbs."""
    dropout: float
    ema_decay: float
    """Of the weight average, per step; the average is what ships."""
    gradient_clip: float
    """Largest norm of a gradient."""
    label_smoothing: float
    """Weight of the uniform distribution in the target."""
    votes_prior: float
    """Weight of P(label | votes) in the target; needs --votes, else goes to the label."""
    votes_head: float
    """Weight of the auxiliary loss on the crowd's opinion; needs --votes, else 0."""
    auxiliary: float
    """Weight of the loss on the auxiliary head where the architecture has one."""
    mixup_alpha: float
    mixup_chance: float
    """Share of batches that are mixed (Zhang et al. 2018)."""
    seed: int

    def __post_init__(self) -> None:
        from core.classifiers.architectures import architecture_named

        smallest = architecture_named(self.model).min_px
        if self.input_px < smallest:
            raise ConfigError(
                f"{self.model} needs an input of at least {smallest} px, got {self.input_px}.",
                hint=f"Set input_px={smallest} or more.",
            )
        if self.epochs < 1 or self.batch < 2:
            raise ConfigError(
                f"epochs must be at least 1 and batch at least 2, got {self.epochs} and {self.batch}.",
                hint="Batch normalisation needs two faces in a batch.",
            )
        if not 0 <= self.label_smoothing + self.votes_prior < 1:
            raise ConfigError(
                "label_smoothing and votes_prior together must stay below 1.",
                hint="What they leave is the weight of the label itself.",
            )

    def digest(self) -> str:
        """Twelve hexadecimal digits over all values."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_recipe(
    model: str, overrides: Mapping[str, str] | None = None, file: Path | None = None
) -> Recipe:
    """The recipe of ``model`` (or of ``file``) with ``overrides`` (name to text) applied.

    ConfigError for unknown names and for values of the wrong kind.
    """
    path = file or RECIPES_DIR / f"{model}.toml"
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"The recipe '{path.name}' cannot be read ({error}).",
            hint=f"Recipes lie in training/recipes, e.g. {model}.toml.",
        ) from error
    kinds = {field.name: str(field.type) for field in dataclasses.fields(Recipe)}
    for name, text in (overrides or {}).items():
        if name not in kinds:
            raise ConfigError(
                f"A recipe has no value '{name}'.", hint=f"Known: {', '.join(kinds)}."
            )
        values[name] = _parsed(name, text, kinds[name])
    try:
        return Recipe(model=model, **{k: v for k, v in values.items() if k != "model"})
    except TypeError as error:
        raise ConfigError(
            f"The recipe '{path.name}' does not fit ({error}).", hint=f"Needed: {', '.join(kinds)}."
        ) from error


def _parsed(name: str, text: str, kind: str) -> str | int | float:
    try:
        return {"int": int, "float": float}.get(kind, str)(text)
    except ValueError:
        raise ConfigError(
            f"{name} must be a number, got '{text}'.", hint=f"Example: --set {name}=1"
        ) from None
