"""Networks that teach another one."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torchvision import models

from core.calibration import LABEL_HEAD
from core.classifiers.architectures import find_architecture
from core.classifiers.network import load_network
from core.errors import ConfigError
from core.weights import read_spec
from training.data.faces import read_faces
from training.data.splits import Split
from training.learning import initial
from training.learning.teachers import Teacher, Teachers, load_teachers
from training.learning.train import TrainingOptions, train_model


def weights_in(folder):
    return folder / "mobilenet_v2.safetensors"


def test_teacher_gives_the_same_probabilities_as_in_use(weights_copy, faces_dir):
    (member,) = load_teachers([weights_in(weights_copy)])._members
    served = load_network(read_spec("mobilenet_v2", weights_copy), engine="torch")
    faces = np.stack(
        [
            served.spec.preprocessing.resize(face)
            for face in read_faces([faces_dir], Split.VALIDATION).images
        ]
    )
    with torch.no_grad():
        grey = torch.from_numpy(faces)[:, None].float() / 255
        views = [member.network.head(member.embed(view)) for view in (grey, grey.flip(3))]
    both = [torch.softmax(each, dim=1) for each in views]
    expected = torch.from_numpy(np.exp(served.logits(faces)[:, LABEL_HEAD]))
    torch.testing.assert_close(sum(both) / 2, expected, atol=1e-3, rtol=0)


def test_teachers_average_probabilities_and_concatenate_features():
    class FixedNetwork:
        def __init__(self, logits, features):
            self.head, self.crowd = nn.Linear(len(features), 7), nn.Linear(len(features), 7)
            for head, values in ((self.head, logits), (self.crowd, logits[::-1])):
                nn.init.zeros_(head.weight)
                head.bias = nn.Parameter(torch.tensor(values))
            self._features = torch.tensor([features])

        def embed(self, batch):
            return self._features.expand(len(batch), -1)

    class PlainPreprocessing:
        input_px, mean, std = 32, 0.5, 0.5

    first, second = [3.0, 0, 0, 0, 0, 0, 0], [0.0, 0, 0, 0, 0, 0, 3]
    fixed = FixedNetwork(first, [1.0, 3.0]), FixedNetwork(second, [0.0, 10.0, 20.0])
    teachers = Teachers([Teacher(network, PlainPreprocessing(), "") for network in fixed])
    assert teachers.width == 5
    result = teachers.predict(torch.zeros(2, 1, 32, 32), temperature=2)
    soft = torch.softmax(torch.tensor([first, second]) / 2, dim=1).mean(dim=0)
    torch.testing.assert_close(result.labels, soft.expand(2, -1))
    torch.testing.assert_close(result.crowd, soft.flip(0).expand(2, -1))
    spread = 1.5**0.5
    features = torch.tensor([[-1.0, 1.0, -spread, 0.0, spread]])
    torch.testing.assert_close(result.features, features.expand(2, -1), atol=1e-4, rtol=0)
    fixed[1].crowd = None
    assert teachers.predict(torch.zeros(2, 1, 32, 32), temperature=2).crowd is None


def test_run_records_its_teachers_and_resumes_only_with_them(
    weights_copy, faces_dir, small_recipe, tmp_path
):
    recipe, folder = small_recipe(epochs=1), tmp_path / "a"
    alone = TrainingOptions("scratch", workers=0)
    taught = dataclasses.replace(alone, teachers=[weights_in(weights_copy)])
    run = train_model(recipe, [faces_dir], folder, taught)
    facts = json.loads((run.directory / "training.json").read_text())
    manifest = json.loads((weights_copy / "manifest.json").read_text())
    assert facts["teachers"] == [manifest["models"]["mobilenet_v2"]["sha256"]]
    (run.directory / "manifest.json").unlink()
    with pytest.raises(ConfigError, match="began with teachers"):
        train_model(recipe, [faces_dir], folder, alone, resume=True)


def test_files_without_a_manifest_entry_are_refused_as_teachers(weights_copy, tmp_path):
    with pytest.raises(ConfigError, match="cannot be used as a teacher"):
        load_teachers([tmp_path / "alone.safetensors"])
    with pytest.raises(ConfigError, match="has no entry for it"):
        load_teachers([weights_copy / "other.safetensors"])
    assert load_teachers([]) is None


def test_freezing_random_weights_is_refused(faces_dir, small_recipe, tmp_path):
    with pytest.raises(ConfigError, match="Random weights hold nothing"):
        train_model(
            small_recipe(frozen_share=0.2), [faces_dir], tmp_path, TrainingOptions("scratch")
        )


FIRST_AND_LAST = {
    "mobilenet_v2": ("features.0.0.weight", "features.18.0.weight", "features.18.1.running_mean"),
    "resnet50": ("conv1.weight", "layer4.2.conv3.weight", "layer4.2.bn3.running_mean"),
    "inception_v3": (
        "Conv2d_1a_3x3.conv.weight",
        "Mixed_7c.branch_pool.conv.weight",
        "Mixed_7c.branch_pool.bn.running_mean",
    ),
}
"""The first and last entries of each trunk."""


@pytest.mark.parametrize("model", FIRST_AND_LAST)
def test_fine_tuning_from_torchvision_s_imagenet_state_learns_heads_first_then_all_layers(
    faces_dir, small_recipe, tmp_path, monkeypatch, model
):
    torch.manual_seed(7)
    # Inception's own initialisation takes longer than the runs.
    options = {"init_weights": False} if model == "inception_v3" else {}
    state = models.get_model(model, **options).state_dict()
    monkeypatch.setattr(initial, "_download", lambda _name: state)
    side = find_architecture(model).min_px

    def train(name, **values):
        recipe = small_recipe(model, input_px=side, first_layer_rate=0.1, ema_decay=0, **values)
        run = train_model(
            recipe, [faces_dir], tmp_path / name, TrainingOptions("imagenet", workers=0)
        )
        return load_file(run.weights)

    heads = train("heads", epochs=1, frozen_share=0.95)
    everything = train("all", epochs=2, frozen_share=0.5)
    for key in FIRST_AND_LAST[model]:
        assert torch.equal(heads[f"trunk.{key}"], state[key].half()), key
        assert not torch.equal(everything[f"trunk.{key}"], state[key].half()), key
    assert not torch.equal(heads["head.weight"], everything["head.weight"])
