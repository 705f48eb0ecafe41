"""The catalog lists every model in a fixed order, trained or not."""

from __future__ import annotations

import json

import pytest

from core import WeightsMissing, detector_names, model_catalog, model_names
from core.classifiers import CLASSIFIERS


def changed(weights_dir, tmp_path, change):
    """Return a function that copies the manifest, edited by ``change``, without weight files."""
    document = json.loads((weights_dir / "manifest.json").read_text(encoding="utf-8"))
    change(document)
    (tmp_path / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


def test_model_names_are_in_the_documented_order():
    assert model_names() == ("mobilenet_v2", "resnet50", "inception_v3", "ensemble")
    assert "mtcnn" in detector_names()


def test_complete_folder_has_every_model(weights_dir):
    catalog = model_catalog(weights_dir)
    assert tuple(each.name for each in catalog) == model_names()
    assert all(each.trained and each.how_to_get == "" for each in catalog)
    single, ensemble = catalog[:3], catalog[3]
    assert [round(each.parameters / 1e6, 1) for each in single] == [2.2, 23.5, 21.8]
    assert ensemble.parameters == sum(each.parameters for each in single)
    assert ensemble.megabytes == pytest.approx(sum(each.megabytes for each in single))
    assert 90 < ensemble.megabytes < 110


def test_untrained_model_says_how_to_train_it(weights_dir, tmp_path):
    folder = changed(weights_dir, tmp_path, lambda document: document["models"].pop("resnet50"))
    # The ensemble's entry still names it, as after editing the manifest by hand.
    document = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    document.pop("ensemble")
    (folder / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
    catalog = {each.name: each for each in model_catalog(folder)}
    assert catalog["mobilenet_v2"].trained
    resnet = catalog["resnet50"]
    assert (resnet.trained, resnet.parameters, resnet.metrics) == (False, None, {})
    assert resnet.how_to_get == "emotion train --model resnet50 --data DIR_OR_ZIP"
    assert catalog["ensemble"].how_to_get == "train resnet50 first"


def test_uncalibrated_ensemble_says_how_to_calibrate_it(weights_dir, tmp_path):
    folder = changed(weights_dir, tmp_path, lambda document: document.pop("ensemble"))
    ensemble = model_catalog(folder)[-1]
    assert not ensemble.trained
    assert ensemble.how_to_get == "emotion calibrate --model ensemble --data DIR_OR_ZIP"


def test_model_registered_from_outside_needs_no_training(weights_dir, monkeypatch):
    monkeypatch.setitem(CLASSIFIERS._factories, "theirs", lambda *_args, **_options: None)
    theirs = model_catalog(weights_dir)[-1]
    assert (theirs.name, theirs.trained, theirs.how_to_get) == ("theirs", True, "")


def test_missing_manifest_is_an_error(tmp_path):
    with pytest.raises(WeightsMissing):
        model_catalog(tmp_path)
