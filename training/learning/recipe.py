"""Training recipes: small TOML files, one per architecture; every value can be overridden."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.errors import ConfigError
from core.faces.preprocess import Preprocessing
from core.files import read_bounded

RECIPES_DIR = Path(__file__).resolve().parent / "recipes"
REMOVED_VALUES: Mapping[str, Any] = MappingProxyType({"contrast_share": 0.0})
"""Values that recipes no longer have; recorded recipes and their digests include them."""


def within(low: float, high: float) -> dict[str, tuple[float, float]]:
    """Return a field's metadata; a value outside is a typo or makes a formula fail."""
    return {"range": (low, high)}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what a training run learns."""

    model: str
    input_px: int
    """Side of the square the network sees."""
    early_px: int
    """Side of the square in the first part of the run, because smaller faces are learnt faster.
    No effect unless it is below ``input_px``."""
    early_share: float = field(metadata=within(0.0, 0.95))
    """Length of that first part as a share of the run; 0 leaves it out."""
    mean: float = field(metadata=within(0.0, 1.0))
    std: float = field(metadata=within(1e-3, 10.0))
    epochs: int
    batch: int
    learning_rate: float = field(metadata=within(1e-8, 10.0))
    """Peak of the cosine; AdamW."""
    weight_decay: float = field(metadata=within(0.0, 10.0))
    warmup: float = field(metadata=within(0.0, 0.99))
    """Share of the run during which the learning rate rises."""
    dropout: float = field(metadata=within(0.0, 0.99))
    ema_decay: float = field(metadata=within(0.0, 0.99999))
    """Decay of the weight average per step; the average is exported."""
    gradient_clip: float = field(metadata=within(1e-3, 1e6))
    """Largest norm of a gradient."""
    label_smoothing: float = field(metadata=within(0.0, 0.99))
    """Weight of the uniform distribution in the target."""
    votes_prior: float = field(metadata=within(0.0, 0.99))
    """Weight of P(label | votes) in the target; without --votes the label gets it."""
    votes_head: float = field(metadata=within(0.0, 100.0))
    """Weight of the loss on the crowd's votes; without --votes 0."""
    auxiliary: float = field(metadata=within(0.0, 100.0))
    """Weight of the loss on the auxiliary head where the architecture has one."""
    shape: float = field(metadata=within(0.0, 100.0))
    """Weight of the loss on the outlines of eyes, brows and lips; without --landmarks 0."""
    distillation: float = field(metadata=within(0.0, 1.0))
    """Weight of the teachers' probabilities beside the target; without --teacher 0."""
    distillation_temperature: float = field(metadata=within(0.1, 100.0))
    """Softens teachers and student alike (Hinton et al. 2015)."""
    hints: float = field(metadata=within(0.0, 100.0))
    """Weight of the teachers' features, which the student predicts from its own (Romero et al.
    2015); without --teacher 0."""
    frozen_share: float = field(metadata=within(0.0, 1.0))
    """Share of the run, from its start, during which only the heads learn; at 1 the trunk stays as
    it is, bit for bit."""
    first_layer_rate: float = field(metadata=within(1e-6, 1.0))
    """Learning rate of the first layer as a share of the heads' rate, with equal ratios between
    layers (Howard & Ruder 2018); 1 is the same rate for all."""
    mixup_alpha: float = field(metadata=within(0.0, 100.0))
    mixup_chance: float = field(metadata=within(0.0, 1.0))
    """Share of batches that are mixed (Zhang et al. 2018)."""
    seed: int
    label_head: float = field(default=1.0, metadata=within(0.0, 100.0))
    """Weight of the loss on the labels; at 0 the label head stays as it is."""
    contempt: float = field(default=0.0, metadata=within(0.0, 1.0))
    """Share of the votes for contempt that count for disgust; at 0 they are left out."""
    votes_distance: float = field(default=0.0, metadata=within(0.0, 1.0))
    """Share of the total variation distance in the loss on the votes; cross-entropy is the rest.
    It is the earth mover's distance of emotions that are all equally far from each other."""
    doubt: float = field(default=0.0, metadata=within(0.0, 100.0))
    """Weight of the loss on the share of people who could not tell the emotion or saw no face."""
    views: int = field(default=0, metadata=within(0, 1000))
    """Number of augmented views of each face, which take turns from epoch to epoch; teachers see
    each once, before the run. At 0 every epoch has new views, which teachers see batch by batch."""
    emotion_balance: float = field(default=0.0, metadata=within(0.0, 1.0))
    """At 1 every emotion counts equally in the loss on the labels, at 0 every face does."""
    group_balance: float = field(default=0.0, metadata=within(0.0, 1.0))
    """The same for groups by light, sharpness and pose (:mod:`training.data.balance`)."""
    group_augmentation: float = field(default=0.0, metadata=within(0.0, 3.0))
    """How much wider the ranges of the augmentation are for the hardest faces
    (:mod:`training.data.balance`), as a share of the normal ranges."""

    def __post_init__(self) -> None:
        from core.classifiers.architectures import find_architecture

        smallest = find_architecture(self.model).min_px
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
        require_in_range(self)
        if self.label_smoothing + self.votes_prior >= 1:
            raise ConfigError(
                "label_smoothing and votes_prior together must stay below 1.",
                hint="The rest is the weight of the label itself.",
            )

    @property
    def preprocessing(self) -> Preprocessing:
        """How the network sees a face."""
        return Preprocessing(self.input_px, self.mean, self.std)

    def digest(self) -> str:
        """Return twelve hexadecimal digits over all values."""
        return compute_digest(self, REMOVED_VALUES)


def read_recipe(
    model: str, overrides: Mapping[str, str] | None = None, file: Path | None = None
) -> Recipe:
    """Return the recipe of ``model`` (or in ``file``) with ``overrides`` (name to text) applied.

    ConfigError for unknown names and for values of the wrong type.
    """
    values = read_recipe_values(Recipe, model, overrides, file)
    return Recipe(model=model, **values)


def read_recipe_values(
    kind: type[Any],
    name: str,
    overrides: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> dict[str, Any]:
    """Return the values for the dataclass ``kind`` (except ``model``), as read_recipe does."""
    path = file or RECIPES_DIR / f"{name}.toml"
    try:
        values: dict[str, Any] = tomllib.loads(read_bounded(path).decode())
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"The recipe '{path.name}' cannot be read ({error}).",
            hint=f"Recipes lie in training/learning/recipes, e.g. {name}.toml.",
        ) from error
    if values.pop("model", name) != name:
        raise ConfigError(
            f"The recipe '{path.name}' is for another model than {name}.",
            hint="Give the --model that it was written for.",
        )
    kinds = {
        field.name: str(field.type) for field in dataclasses.fields(kind) if field.name != "model"
    }
    values.update(overrides or {})
    for key in values:
        if key not in kinds:
            raise ConfigError(f"A recipe has no value '{key}'.", hint=f"Known: {', '.join(kinds)}.")
    optional = {
        field.name for field in dataclasses.fields(kind) if field.default is not dataclasses.MISSING
    }
    missing = [key for key in kinds if key not in values and key not in optional]
    if missing:
        raise ConfigError(
            f"The recipe '{path.name}' lacks {', '.join(missing)}.",
            hint=f"Needed: {', '.join(kinds)}.",
        )
    return {
        key: _parse_number(key, values[key], kind) for key, kind in kinds.items() if key in values
    }


def require_in_range(recipe: Any) -> None:
    """Raise ConfigError for a value outside its range (see :func:`within`); NaN always is."""
    fields = [each for each in dataclasses.fields(recipe) if "range" in each.metadata]
    for name, (low, high) in ((each.name, each.metadata["range"]) for each in fields):
        value = getattr(recipe, name)
        if not low <= value <= high:
            raise ConfigError(
                f"{name} must lie between {low:g} and {high:g}, got {value:g}.",
                hint=f"Example: --set {name}={(low + min(high, 1.0)) / 2:g}",
            )


def compute_digest(recipe: Any, removed: Mapping[str, Any] = MappingProxyType({})) -> str:
    """Return twelve hexadecimal digits over all values of a recipe, and over ``removed`` ones.

    A value that equals its default is left out: recorded digests stay valid when a value with a
    default is added.
    """
    fields = {field.name: field for field in dataclasses.fields(recipe)}
    values = dataclasses.asdict(recipe)
    counted = {name: value for name, value in values.items() if value != fields[name].default}
    text = json.dumps({**counted, **removed}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _parse_number(name: str, value: object, kind: str) -> int | float:
    """Return the number in a TOML value or in text from the command line."""
    try:
        if isinstance(value, bool):
            raise TypeError
        if isinstance(value, str | int | float):
            number = float(value) if kind == "float" else int(value)
            # int() would turn 1.5 into 1.
            if not isinstance(value, float) or number == value or math.isnan(value):
                return number
        raise TypeError
    except (TypeError, ValueError, OverflowError):
        whole = "a whole number" if kind == "int" else "a number"
        raise ConfigError(
            f"{name} must be {whole}, got '{value}'.", hint=f"Example: --set {name}=1"
        ) from None
