"""Recipes: read, overridden, refused."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from core.errors import ConfigError, UnknownComponent
from training.learning.recipe import RECIPES_DIR, Recipe, read_recipe
from training.reporting.model_card import list_runs

MODELS = ("mobilenet_v2", "resnet50", "inception_v3")


@pytest.mark.parametrize("model", MODELS)
def test_every_architecture_has_a_recipe(model):
    recipe = read_recipe(model)
    assert recipe.model == model
    assert len(recipe.digest()) == 12


def test_values_are_overridden_by_text_of_the_right_type():
    recipe = read_recipe("mobilenet_v2", {"epochs": "3", "learning_rate": "1e-4", "dropout": "0"})
    assert (recipe.epochs, recipe.learning_rate, recipe.dropout) == (3, 1e-4, 0.0)
    kinds = {field.name: field.type for field in dataclasses.fields(Recipe)}
    for name, kind in kinds.items():
        assert type(getattr(recipe, name)).__name__ == kind


def test_every_value_counts_in_the_digest():
    plain = read_recipe("mobilenet_v2")
    assert plain.digest() == read_recipe("mobilenet_v2").digest()
    for name, text in {"seed": "2", "batch": "95", "mixup_alpha": "0.3"}.items():
        assert read_recipe("mobilenet_v2", {name: text}).digest() != plain.digest()


@pytest.mark.parametrize("model", ["inception_v3", "resnet50"])
def test_recorded_digests_outlive_values_that_were_added_and_removed(root, model):
    manifest = json.loads((root / "weights" / "manifest.json").read_text(encoding="utf-8"))
    runs = list_runs(manifest["models"][model]["training"])
    old = [run for run in runs if "contrast_share" in run["recipe"]]
    assert len(old) == 2
    for facts in old:
        values = dict(facts["recipe"])
        assert values.pop("contrast_share") == 0.0
        recipe = Recipe(**values)
        assert recipe.digest() == facts["recipe_digest"]
        optional = ("emotion_balance", "group_balance", "group_augmentation")
        assert [getattr(read_recipe(model), name) for name in optional] == [0.0, 0.0, 0.0]
        for name in optional:
            changed = dataclasses.replace(recipe, **{name: 0.5})
            assert changed.digest() != facts["recipe_digest"]


def test_recipe_file_replaces_the_model_s_recipe(tmp_path):
    file = tmp_path / "own.toml"
    text = (RECIPES_DIR / "mobilenet_v2.toml").read_text()
    file.write_text(re.sub(r"epochs = \d+", "epochs = 7", text))
    assert read_recipe("mobilenet_v2", file=file).epochs == 7


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"epoch": "3"}, "no value 'epoch'"),
        ({"model": "resnet50"}, "no value 'model'"),
        ({"epochs": "many"}, "whole number"),
        ({"epochs": "1.5"}, "whole number"),
        ({"epochs": "0"}, "at least 1"),
        ({"batch": "1"}, "at least 2"),
        ({"learning_rate": "fast"}, "a number"),
        ({"learning_rate": "nan"}, "learning_rate must lie between"),
        ({"learning_rate": "0"}, "learning_rate must lie between"),
        ({"warmup": "1"}, "warmup must lie between"),
        ({"std": "0"}, "std must lie between"),
        ({"dropout": "-0.1"}, "dropout must lie between"),
        ({"label_smoothing": "0.6", "votes_prior": "0.5"}, "stay below 1"),
        ({"input_px": "31"}, "at least 32 px"),
    ],
)
def test_invalid_value_is_refused_with_a_hint(overrides, message):
    with pytest.raises(ConfigError, match=message) as raised:
        read_recipe("mobilenet_v2", overrides)
    assert raised.value.hint


def test_input_too_small_for_inception_is_refused():
    with pytest.raises(ConfigError, match="at least 75 px"):
        read_recipe("inception_v3", {"input_px": "74"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs = ", "cannot be read"),
        ("epochs = 3", "lacks input_px"),
        ("epochs = true", "lacks"),
        ('model = "resnet50"', "another model"),
    ],
)
def test_unusable_recipe_file_is_refused(tmp_path, text, message):
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_recipe("mobilenet_v2", file=tmp_path / "own.toml")


def test_wrong_type_in_a_file_is_refused(tmp_path):
    text = (RECIPES_DIR / "mobilenet_v2.toml").read_text()
    epochs = f"epochs = {read_recipe('mobilenet_v2').epochs}"
    assert epochs in text
    for wrong in ("epochs = true", "epochs = 24.5"):
        (tmp_path / "own.toml").write_text(text.replace(epochs, wrong))
        with pytest.raises(ConfigError, match="epochs must be a whole number"):
            read_recipe("mobilenet_v2", file=tmp_path / "own.toml")


def test_unknown_model_and_missing_file_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_recipe("vgg")
    own = tmp_path / "vgg.toml"
    own.write_text((RECIPES_DIR / "mobilenet_v2.toml").read_text())
    with pytest.raises(UnknownComponent, match="vgg"):
        read_recipe("vgg", file=own)
