"""From faces to a check that the rest of the system can load."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core import ConfigError, DataError, Device
from core.faces.covered import PARTS, load_cover_check
from core.faces.covered_network import CoveredNetwork
from core.weights import read_check
from training.covered.faces import FramedFaces, read_framed_faces
from training.covered.loader import DrawnFaces, FaceSampler, make_face_loader
from training.covered.module import CoveredModule
from training.covered.samples import UNKNOWN
from training.covered.train import LEVELS, train_covered


def run(recipe, faces, out, **options):
    return train_covered(recipe, [faces], out, workers=0, device=Device.CPU, **options)


@pytest.fixture
def finished(recipe, faces, photos, tmp_path):
    reports = []
    made = run(recipe(), faces, tmp_path / "run", photos=photos, report=reports.append)
    return made, reports


def test_run_writes_weights_with_levels_that_the_pipeline_loads(finished):
    made, reports = finished
    stored = read_check("covered", made.directory)
    assert stored.file.parent == made.directory
    assert stored.thresholds == {str(part): level for part, level in LEVELS.items()}
    assert stored.training["photo_faces"] == 1
    assert 30 < stored.training["faces"] <= 40
    assert set(stored.training["looked_covered"]) == set(map(str, PARTS))
    scores = load_cover_check(made.directory).score(np.zeros((48, 48), np.uint8))
    assert all(0 < score < 1 for score in scores.values())
    assert [each.epoch for each in reports] == [1, 2]
    assert (made.directory / "augmented.png").stat().st_size > 1000


def test_network_learns(recipe, faces, tmp_path):
    reports = []
    run(recipe(epochs=12, learning_rate=0.01), faces, tmp_path / "run", report=reports.append)
    assert reports[-1].loss < 0.9 * reports[0].loss


def test_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    recipe, faces, tmp_path, monkeypatch
):
    whole = run(recipe(epochs=3), faces, tmp_path / "whole")

    def stop(report):
        if report.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(recipe(epochs=3), faces, tmp_path / "parts", report=stop)
    parts = run(recipe(epochs=3), faces, tmp_path / "parts", resume=True)
    one, other = load_file(whole.weights), load_file(parts.weights)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_finished_run_is_not_overwritten(finished, recipe, faces):
    with pytest.raises(ConfigError, match="finished run"):
        run(recipe(), faces, finished[0].directory)


def test_fewer_faces_than_a_batch_are_refused(recipe, faces, tmp_path):
    with pytest.raises(DataError, match="fewer faces"):
        run(recipe(batch=64), faces, tmp_path / "run")


def test_faces_of_photos_are_cut_as_the_pipeline_cuts_them(faces, photos):
    read = read_framed_faces([faces], photos, most=20, seed=0)
    assert read.labelled.sum() < len(read.labelled)
    assert read.crops.shape[1:] == (48, 48)
    assert not read.labelled[-1]


def make_module(recipe, count=16):
    torch.manual_seed(0)
    return CoveredModule(recipe(), CoveredNetwork(), steps=10, max_seconds=None, faces=count)


def test_unknown_parts_do_not_count_in_the_loss(recipe):
    module = make_module(recipe)
    module.network.eval()
    pictures = torch.randint(0, 256, (4, 1, 48, 48), dtype=torch.uint8)
    targets = torch.tensor([[1.0, 0.0, 1.0]] * 4)
    doubtful = targets.clone()
    doubtful[:, 1] = UNKNOWN
    logits = module.network(pictures.float())
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logits[:, [0, 2]], targets[:, [0, 2]]
    )
    assert module.loss((pictures, doubtful)).item() == pytest.approx(expected.item())
    assert module.loss((pictures, torch.full((4, 3), UNKNOWN))).item() == 0


def test_faces_that_look_covered_do_not_count_as_free_later(recipe):
    module = make_module(recipe)
    faces = np.random.default_rng(0).integers(0, 256, (16, 48, 48), dtype=np.uint8)
    with torch.no_grad():
        module.final_network.head.weight.zero_()
        module.final_network.head.bias.copy_(torch.tensor([5.0, -5.0, 5.0]))
    module.update_scores(faces)
    assert module.looks_covered.tolist() == [[True, False, True]] * 16


def test_batches_say_which_parts_count_and_repeat_by_seed(recipe):
    faces = np.random.default_rng(0).integers(0, 256, (20, 48, 48), dtype=np.uint8)
    trusted = np.ones((20, 3), bool)
    sampler = FaceSampler(trusted, recipe(covered=0.0, distracted=0.0))
    loader = make_face_loader(DrawnFaces(faces, recipe(covered=0.0)), sampler, workers=0)
    batches = list(loader)
    assert len(batches) == 2
    assert all((targets == 0).all() for _, targets in batches)
    assert all(
        torch.equal(one, other) for (one, _), (other, _) in zip(batches, list(loader), strict=True)
    )
    sampler.set_epoch(1)
    assert not torch.equal(next(iter(loader))[0], batches[0][0])
    sampler.trusted = ~trusted
    assert all((targets == UNKNOWN).all() for _, targets in loader)


def test_only_labelled_faces_count_as_free_at_first():
    from training.covered.train import _trust_labelled

    faces = FramedFaces(np.zeros((2, 48, 48), np.uint8), np.array([True, False]), ())
    assert _trust_labelled(faces).tolist() == [[True] * 3, [False] * 3]
