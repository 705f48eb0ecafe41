"""Training recipes: small TOML files, one per architecture, every value open to override."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ConfigError

RECIPES_DIR = Path(__file__).resolve().parent / "recipes"


_RANGES: dict[str, tuple[float, float]] = {
    "early_share": (0.0, 0.95),
    "mean": (0.0, 1.0),
    "std": (1e-3, 10.0),
    "learning_rate": (1e-8, 10.0),
    "weight_decay": (0.0, 10.0),
    "warmup": (0.0, 0.99),
    "dropout": (0.0, 0.99),
    "ema_decay": (0.0, 0.99999),
    "gradient_clip": (1e-3, 1e6),
    "label_smoothing": (0.0, 0.99),
    "votes_prior": (0.0, 0.99),
    "votes_head": (0.0, 100.0),
    "auxiliary": (0.0, 100.0),
    "shape": (0.0, 100.0),
    "distillation": (0.0, 1.0),
    "distillation_temperature": (0.1, 100.0),
    "hints": (0.0, 100.0),
    "contrast_share": (0.0, 0.95),
    "frozen_share": (0.0, 0.95),
    "first_layer_rate": (1e-6, 1.0),
    "mixup_alpha": (0.0, 100.0),
    "mixup_chance": (0.0, 1.0),
    "emotion_balance": (0.0, 1.0),
    "group_balance": (0.0, 1.0),
    "group_augmentation": (0.0, 3.0),
}
"""Beyond these a value is a slip of the pen or breaks a formula."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what a training run learns."""

    model: str
    input_px: int
    """Side of the square the network sees."""
    early_px: int
    """Side of what it sees in the first part of the run: smaller faces are learnt faster.
    Without effect unless it is below ``input_px``."""
    early_share: float
    """Length of that first part as a share of the run; 0 leaves it out."""
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
    shape: float
    """Weight of the loss on the outlines of eyes, brows and lips; needs --landmarks, else 0."""
    distillation: float
    """Weight of the teachers' opinion beside the target; needs --teacher, else 0."""
    distillation_temperature: float
    """Softens teachers and student alike (Hinton et al. 2015)."""
    hints: float
    """Weight of the teachers' features, which the student must tell from its own (Romero et al.
    2015); needs --teacher, else 0."""
    contrast_share: float
    """Share of the run, from its start, in which the network only learns which faces show the same
    emotion (Khosla et al. 2020); 0 leaves it out."""
    frozen_share: float
    """Share of the run, from its start, in which only the heads learn."""
    first_layer_rate: float
    """Learning rate of the first layer as a share of the heads', layers between in equal
    ratios (Howard & Ruder 2018); 1 is the same rate for all."""
    mixup_alpha: float
    mixup_chance: float
    """Share of batches that are mixed (Zhang et al. 2018)."""
    seed: int
    emotion_balance: float = 0.0
    """1 lets every emotion count alike in the loss on the labels, 0 every face."""
    group_balance: float = 0.0
    """The same for the groups by light, sharpness and pose (:mod:`.balance`)."""
    group_augmentation: float = 0.0
    """By how much wider the ranges of the augmentation are for faces that show least of
    themselves (:mod:`.balance`), as a share of the others' ranges."""

    def __post_init__(self) -> None:
        from core.classifiers.architectures import architecture_named

        smallest = architecture_named(self.model).min_px
        for name in ("input_px", "early_px"):
            if getattr(self, name) < smallest:
                raise ConfigError(
                    f"{self.model} needs an input of at least {smallest} px, "
                    f"got {getattr(self, name)}.",
                    hint=f"Set {name}={smallest} or more.",
                )
        if self.epochs < 1 or self.batch < 2:
            raise ConfigError(
                "epochs must be at least 1 and batch at least 2, "
                f"got {self.epochs} and {self.batch}.",
                hint="Batch normalisation needs two faces in a batch.",
            )
        require_in_range(self, _RANGES)
        if self.label_smoothing + self.votes_prior >= 1:
            raise ConfigError(
                "label_smoothing and votes_prior together must stay below 1.",
                hint="What they leave is the weight of the label itself.",
            )

    def digest(self) -> str:
        """Twelve hexadecimal digits over all values."""
        return compute_digest(self)


def read_recipe(
    model: str, overrides: Mapping[str, str] | None = None, file: Path | None = None
) -> Recipe:
    """The recipe of ``model`` (or of ``file``) with ``overrides`` (name to text) applied.

    ConfigError for unknown names and for values of the wrong kind.
    """
    values = read_recipe_values(Recipe, model, overrides, file)
    return Recipe(model=model, **values)


def read_recipe_values(
    kind: type[Any],
    name: str,
    overrides: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> dict[str, Any]:
    """The numbers for the fields of the dataclass ``kind``, all but ``model``, as read_recipe."""
    path = file or RECIPES_DIR / f"{name}.toml"
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"The recipe '{path.name}' cannot be read ({error}).",
            hint=f"Recipes lie in training/learning/recipes, e.g. {name}.toml.",
        ) from error
    if values.pop("model", name) != name:
        raise ConfigError(
            f"The recipe '{path.name}' is for another model than {name}.",
            hint="Give the --model it was written for.",
        )
    kinds = {
        field.name: str(field.type) for field in dataclasses.fields(kind) if field.name != "model"
    }
    values.update(overrides or {})
    for key in values:
        if key not in kinds:
            raise ConfigError(f"A recipe has no value '{key}'.", hint=f"Known: {', '.join(kinds)}.")
    off = {
        field.name for field in dataclasses.fields(kind) if field.default is not dataclasses.MISSING
    }
    missing = [key for key in kinds if key not in values and key not in off]
    if missing:
        raise ConfigError(
            f"The recipe '{path.name}' lacks {', '.join(missing)}.",
            hint=f"Needed: {', '.join(kinds)}.",
        )
    return {key: _parsed(key, values[key], kind) for key, kind in kinds.items() if key in values}


def require_in_range(recipe: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    """ConfigError for a value of ``recipe`` beyond its range, NaN included."""
    for name, (low, high) in ranges.items():
        value = getattr(recipe, name)
        if not low <= value <= high:
            raise ConfigError(
                f"{name} must lie between {low:g} and {high:g}, got {value:g}.",
                hint=f"Example: --set {name}={(low + min(high, 1.0)) / 2:g}",
            )


def compute_digest(recipe: Any) -> str:
    """Twelve hexadecimal digits over all values of a recipe.

    A term that is off by default counts only where it is on: recipes keep the digests that
    their runs have on record when a term is added.
    """
    fields = {field.name: field for field in dataclasses.fields(recipe)}
    values = dataclasses.asdict(recipe)
    counted = {name: each for name, each in values.items() if each != fields[name].default}
    text = json.dumps(counted, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _parsed(name: str, value: object, kind: str) -> int | float:
    """A number from a TOML value or from the text given on the command line."""
    try:
        if isinstance(value, bool):
            raise TypeError
        if isinstance(value, str | int | float):
            number = float(value) if kind == "float" else int(value)
            # int() would cut 1.5 to 1.
            if not isinstance(value, float) or number == value or math.isnan(value):
                return number
        raise TypeError
    except (TypeError, ValueError, OverflowError):
        whole = "a whole number" if kind == "int" else "a number"
        raise ConfigError(
            f"{name} must be {whole}, got '{value}'.", hint=f"Example: --set {name}=1"
        ) from None
