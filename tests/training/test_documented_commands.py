"""The commands in docs/training.md are the ones that produced the results on the page."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex

import pytest

from training.learning.recipe import REMOVED_VALUES, read_recipe
from training.reporting.model_card import list_runs
from training.studies.ablation import TABLES, choose_variants, format_table


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "training.md").read_text(encoding="utf-8")


def commands(page, name):
    """The options of every `emotion NAME` on the page: lists of values, empty for a flag."""
    blocks = "".join(re.findall(r"```\n(.*?)```", page, flags=re.DOTALL))
    for line in blocks.replace("\\\n", " ").splitlines():
        given = {}
        first, second, *words = shlex.split(line)
        if (first, second) != ("emotion", name):
            continue
        for word in words:
            if word.startswith("--"):
                values = given.setdefault(word, [])
            else:
                values.append(word)
        yield given


def recipe_of(options, **more):
    overrides = dict(value.split("=") for value in options["--set"])
    recipe = read_recipe(options["--model"][0], {**overrides, **more})
    return {**dataclasses.asdict(recipe), **REMOVED_VALUES}


@pytest.mark.parametrize(
    ("model", "outs"),
    [
        ("mobilenet_v2", ("runs/first", "runs/second", "runs/third")),
        ("resnet50", ("runs/resnet50_first", "runs/resnet50", "runs/resnet50_crowd")),
        (
            "inception_v3",
            ("runs/inception_v3", "runs/inception_v3_second", "runs/inception_v3_crowd"),
        ),
    ],
)
def test_commands_train_the_shipped_networks_by_the_recorded_recipes(page, root, model, outs):
    manifest = json.loads((root / "weights" / "manifest.json").read_text(encoding="utf-8"))
    runs = list_runs(manifest["models"][model]["training"])
    for out, run in zip(outs, runs, strict=True):
        compare_recipes(page, out, run["recipe"])


def compare_recipes(page, out, recorded):
    (options,) = (each for each in commands(page, "train") if each.get("--out") == [out])
    given = recipe_of(options)
    # Recipes have gained values since.
    assert {name: given[name] for name in recorded} == recorded


@pytest.mark.parametrize(
    ("place", "file"),
    [
        (0, "ablation_mobilenet_v2"),
        (1, "ablation_scratch"),
        (2, "ablation_crowd"),
        (3, "ablation_votes"),
        (4, "ablation_mitigation"),
    ],
)
def test_ablations_are_shown_as_measured_and_repeat_by_their_commands(page, root, place, file):
    path = root / "docs" / "results" / f"{file}.json"
    measured = json.loads(path.read_text(encoding="utf-8"))
    runs = measured["runs"]
    # Balanced accuracy and groups came after the first ablations.
    tables = [metrics for metrics in TABLES if set(metrics) <= set(runs[0])]
    assert TABLES[0] in tables
    for metrics in tables:
        assert format_table(runs, metrics) in page
    options = list(commands(page, "ablate"))[place]
    has_teacher = "--teacher" in options
    variants = choose_variants(options["--only"], "--landmarks" in options, has_teacher)
    assert list(variants) == [run["name"] for run in runs]
    assert options["--faces"] == [str(measured["faces"])]
    for values, run in zip(variants.values(), runs, strict=True):
        given = recipe_of(options, **values)
        assert {name: given[name] for name in measured["common"]} == measured["common"]
        assert {name: values[name] for name in run["values"]} == run["values"]
        # A term that came after these runs, and would change them.
        assert not has_teacher or given["hints"] == 0
