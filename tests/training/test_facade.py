"""The names that fronts may use."""

from __future__ import annotations

import subprocess
import sys
import typing

import pytest

import training


def test_every_public_name_can_be_had():
    for name in training.__all__:
        assert getattr(training, name) is not None
    assert set(training.__all__) <= set(dir(training))


def test_public_names_are_those_with_a_home():
    assert sorted(training.__all__) == sorted(training._HOME_OF)


def test_functions_are_never_hidden_by_modules_of_the_same_name():
    import training.calibrate
    import training.train

    assert callable(training.train_model)
    assert callable(training.calibrate_model)
    assert isinstance(typing.cast("object", training.train), type(sys))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'finetune'"):
        training.finetune  # noqa: B018


def test_importing_the_package_and_its_options_loads_nothing_heavy(root):
    heavy = {"torch", "numpy", "cv2", "lightning", "albumentations", "sklearn", "matplotlib"}
    code = (
        "import sys; from training import Precision, Split;"
        f"sys.exit(','.join({heavy!r} & set(sys.modules)) or None)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stderr) == (0, "")
