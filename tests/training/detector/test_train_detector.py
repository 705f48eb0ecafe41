"""From photos with boxes to a detector that the rest of the system can load."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core import ConfigError, DataError, Device, RgbImage
from core.config import PRESETS, Preset
from core.detectors.compact import load_compact
from core.weights import read_detectors
from training.detector import train
from training.detector.loader import FACE, IGNORED, AugmentedPhotos, PhotoSampler, batch_sides
from training.detector.photos import NO_FACES, encode_photo, read_annotated_photos, read_photos
from training.detector.train import is_training_negative, train_detector


def run(recipe, photos, out, **options):
    return train_detector(
        recipe, photos, photos / "boxes.json", out, workers=0, device=Device.CPU, **options
    )


@pytest.fixture(scope="module")
def finished(photos, no_faces, tmp_path_factory):
    from training.detector.recipe import read_detector_recipe

    values = {"input_px": "64", "epochs": "3", "batch": "2", "keep_px": "128"}
    out = tmp_path_factory.mktemp("runs") / "compact"
    reports = []
    training_run = run(
        read_detector_recipe(values), photos, out, negatives=no_faces, report=reports.append
    )
    return training_run, reports


def test_run_writes_weights_that_both_engines_load(finished):
    training_run, _ = finished
    stored = read_detectors(training_run.directory)["compact"]
    assert stored.training["photos"] == 6
    assert stored.training["epochs"] == 3
    assert 0 < stored.training["negatives"] < 8
    detector = load_compact(
        settings=PRESETS[Preset.FAST], device=Device.CPU, weights_dir=training_run.directory
    )
    assert detector.detect(RgbImage(np.zeros((96, 128, 3), np.uint8))) == ()


def test_each_epoch_is_reported(finished):
    _, reports = finished
    assert [each.epoch for each in reports] == [1, 2, 3]
    assert all(np.isfinite(each.loss) for each in reports)


def test_run_writes_a_sheet_of_augmented_photos(finished):
    assert (finished[0].directory / "augmented.png").stat().st_size > 1000


def test_network_learns(recipe, photos, tmp_path):
    reports = []
    # Always whole faces and no combined photos, so that few epochs are enough.
    easy = recipe(epochs=10, learning_rate=0.01, mosaic=0, focus=1)
    run(easy, photos, tmp_path / "run", report=reports.append)
    assert reports[-1].loss < 0.9 * reports[0].loss


def test_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    recipe, photos, no_faces, tmp_path, monkeypatch
):
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    run(recipe(epochs=3), photos, whole, negatives=no_faces)

    class PowerFailure(Exception):
        """Ends the run without warning."""

    def fail(training_run):
        # After the checkpoint of the first epoch.
        if training_run.epoch == 2:
            raise PowerFailure

    with pytest.raises(PowerFailure):
        run(recipe(epochs=3), photos, resumed, negatives=no_faces, report=fail)
    run(recipe(epochs=3), photos, resumed, negatives=no_faces, resume=True)
    one, other = (load_file(each / "compact.safetensors") for each in (whole, resumed))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_finished_run_is_not_overwritten(finished, recipe, photos):
    with pytest.raises(ConfigError, match="finished"):
        run(recipe(), photos, finished[0].directory)


def test_run_resumes_only_with_the_same_photos(recipe, photos, no_faces, tmp_path):
    out = tmp_path / "run"

    def stop(training_run):
        if training_run.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(recipe(), photos, out, negatives=no_faces, report=stop)
    with pytest.raises(ConfigError, match="negatives"):
        run(recipe(), photos, out, resume=True)


def test_too_few_photos_for_a_batch_are_refused(recipe, photos, tmp_path):
    with pytest.raises(DataError, match="fewer photos"):
        run(recipe(batch=64), photos, tmp_path / "run")


def test_run_that_the_time_limit_ends_writes_weights(recipe, photos, tmp_path):
    training_run = run(recipe(epochs=10_000), photos, tmp_path / "run", max_minutes=0.02)
    assert training_run.ended_by_clock
    assert training_run.weights.exists()


def test_part_of_the_photos_without_a_face_is_left_for_measuring():
    learnt = [is_training_negative(f"scenes/{number}.jpg") for number in range(1000)]
    assert 0.55 < np.mean(learnt) < 0.65


@pytest.fixture
def dataset(recipe, photos, no_faces):
    rows = read_annotated_photos(photos, photos / "boxes.json", [])
    with_faces = [encode_photo(image, faces, 128) for image, faces in rows]
    without = [encode_photo(image, NO_FACES, 128) for image in read_photos(no_faces, [])]
    return AugmentedPhotos(with_faces, without, recipe(mosaic=0.5))


def test_picture_depends_only_on_its_key(dataset):
    for chosen in range(len(dataset)):
        one, other = (dataset.picture((3, chosen, chosen, 64)) for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    again = dataset.picture((4, 0, 0, 64))
    assert not torch.equal(again[0], dataset.picture((3, 0, 0, 64))[0])


def test_boxes_are_within_the_picture(dataset):
    for place in range(40):
        picture, boxes, kinds = dataset.picture((0, place, place % 6, 64))
        assert (tuple(picture.shape), picture.dtype) == ((3, 64, 64), torch.uint8)
        assert ((boxes >= 0) & (boxes <= 64)).all()
        assert set(kinds.tolist()) <= {FACE, IGNORED}


def test_ignored_box_stays_ignored(dataset):
    kinds = [dataset.picture((0, place, 5, 64))[2].tolist() for place in range(20)]
    # Photo number 6 has only ignored boxes; a mosaic shows other photos beside it.
    assert any(IGNORED in each for each in kinds)
    assert not any(FACE in each for each in kinds if each == [IGNORED])


def test_photo_without_a_face_has_no_boxes(dataset):
    for place in range(8):
        assert len(dataset.picture((0, place, 6 + place % 8, 64))[1]) == 0


def test_epoch_shows_every_photo_and_hard_negatives_more_often(recipe):
    hardness = np.array([0.0, 0.0, 0.0, 1.0])
    sampler = PhotoSampler(1000, recipe(batch=10, negatives=0.3), hardness)
    keys = [key for batch in sampler for key in batch]
    chosen = [key[2] for key in keys]
    assert set(range(1000)) - set(chosen) <= set(range(1000))
    assert sum(each < 1000 for each in chosen) > 980
    drawn = np.bincount([each - 1000 for each in chosen if each >= 1000], minlength=4)
    assert drawn[3] > 4 * drawn[:3].max()
    assert (drawn > 0).all()


def test_all_pictures_of_a_batch_have_the_same_side(recipe):
    made = recipe(input_px=256, batch=4)
    sampler = PhotoSampler(400, made)
    seen = set()
    for batch in sampler:
        (side,) = {key[3] for key in batch}
        seen.add(side)
    assert seen == set(batch_sides(made)) == {192, 256, 320}


def test_hardness_of_negatives_is_measured_after_each_epoch(
    finished, recipe, photos, no_faces, tmp_path
):
    seen = []

    class Watched(train._HardNegatives):
        def on_train_epoch_end(self, trainer, pl_module):
            super().on_train_epoch_end(trainer, pl_module)
            seen.append(self._sampler.hardness.copy())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "_HardNegatives", Watched)
        run(recipe(), photos, tmp_path / "run", negatives=no_faces)
    assert len(seen) == 2
    assert all((each > 0).all() and (each < 1).all() for each in seen)


def test_training_is_described_beside_the_weights(finished):
    training_run = json.loads((finished[0].directory / "training.json").read_text(encoding="utf-8"))
    assert training_run["recipe"]["input_px"] == 64
    assert training_run["faces"] == 8


def test_run_starts_from_the_weights_of_an_earlier_one(finished, recipe, photos, tmp_path):
    before = finished[0].weights
    training_run = run(
        recipe(epochs=1, learning_rate=1e-8), photos, tmp_path / "run", init=str(before)
    )
    start, end = load_file(before), load_file(training_run.weights)
    assert all(
        torch.allclose(start[key].float(), end[key].float(), atol=1e-2)
        for key in start
        if key.endswith("weight")
    )
    described = read_detectors(training_run.directory)["compact"].training
    assert described["init"] == "compact.safetensors"
    assert described["earlier_run"]["epochs"] == 3


@pytest.mark.parametrize("start", ["nowhere.safetensors", "other.safetensors"])
def test_unusable_start_is_refused_before_the_photos_are_read(recipe, photos, tmp_path, start):
    save_file({"layer.weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ConfigError, match=start):
        run(recipe(), photos / "absent", tmp_path / "run", init=str(tmp_path / start))
