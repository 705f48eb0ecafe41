"""The weights that a run starts from."""

from __future__ import annotations

from urllib.error import URLError

import pytest
import torch
from safetensors.torch import load_file, save_file
from torchvision import models

from core.classifiers.architectures import EmotionNetwork, find_architecture
from core.errors import ConfigError
from training.learning.initial import load_trunk, make_initial_network, read_earlier_run

BUILDERS = {
    "mobilenet_v2": models.mobilenet_v2,
    "resnet50": models.resnet50,
    # torchvision's file holds the auxiliary classifier as well.
    "inception_v3": lambda: models.inception_v3(aux_logits=True, init_weights=False),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_torchvision_s_imagenet_file_fits_the_trunk_key_by_key(name):
    torch.manual_seed(7)
    state = BUILDERS[name]().state_dict()
    network = EmotionNetwork(find_architecture(name))
    load_trunk(network, state, source="ImageNet weights")
    trunk = network.trunk.state_dict()
    assert set(trunk) <= set(state)
    for key, value in trunk.items():
        assert torch.equal(value, state[key]), key


@pytest.mark.parametrize("name", BUILDERS)
def test_torchvision_has_the_weights_that_imagenet_means(name):
    weights = models.get_weight(find_architecture(name).imagenet_weights)
    assert weights.meta["categories"][0] == "tench"


def test_imagenet_without_a_network_names_the_alternatives(small_recipe, monkeypatch, tmp_path):
    def unreachable(*_, **__):
        raise URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    with pytest.raises(ConfigError, match="could not be downloaded") as raised:
        make_initial_network(small_recipe(), "imagenet")
    assert "--init FILE" in raised.value.hint
    assert "--init scratch" in raised.value.hint


def test_scratch_is_the_same_for_the_same_seed(small_recipe):
    states = [
        make_initial_network(small_recipe(seed=seed), "scratch").state_dict() for seed in (1, 1, 2)
    ]
    key = "trunk.features.0.0.weight"
    assert torch.equal(states[0][key], states[1][key])
    assert not torch.equal(states[0][key], states[2][key])


def test_our_own_file_includes_both_heads(small_recipe, finished_run):
    run, _ = finished_run
    network = make_initial_network(small_recipe(), str(run.weights), crowd=True)
    stored = load_file(run.weights)
    assert not torch.equal(stored["head.weight"], stored["crowd.weight"])
    for key, value in stored.items():
        assert torch.equal(network.state_dict()[key], value.float()), key


def test_file_without_a_crowd_head_starts_it_as_the_label_head(
    small_recipe, finished_run, tmp_path
):
    state = load_file(finished_run[0].weights)
    file = tmp_path / "old.safetensors"
    save_file({key: value for key, value in state.items() if "crowd" not in key}, file)
    network = make_initial_network(small_recipe(), str(file), crowd=True)
    assert torch.equal(network.crowd.weight, state["head.weight"].float())
    assert torch.equal(network.crowd.bias, state["head.bias"].float())
    assert make_initial_network(small_recipe(), str(file)).crowd is None


def test_trunk_file_leaves_the_head_random(small_recipe, tmp_path):
    trunk = EmotionNetwork(find_architecture("mobilenet_v2")).trunk.state_dict()
    save_file({key: values.half() for key, values in trunk.items()}, tmp_path / "trunk.safetensors")
    network = make_initial_network(small_recipe(), str(tmp_path / "trunk.safetensors"))
    key = "features.0.0.weight"
    assert torch.equal(network.trunk.state_dict()[key], trunk[key].half().float())
    fresh = make_initial_network(small_recipe(), "scratch")
    assert torch.equal(network.head.weight, fresh.head.weight)


@pytest.mark.parametrize("key", ["head.weight", "head.bias", "crowd.bias"])
def test_own_file_that_lacks_a_part_of_its_heads_is_refused(
    small_recipe, finished_run, tmp_path, key
):
    state = load_file(finished_run[0].weights)
    del state[key]
    save_file(state, tmp_path / "part.safetensors")
    with pytest.raises(ConfigError, match="does not fit the network"):
        make_initial_network(small_recipe(), str(tmp_path / "part.safetensors"), crowd=True)


def test_weights_of_another_model_are_refused(small_recipe, finished_run):
    run, _ = finished_run
    with pytest.raises(ConfigError, match="does not fit") as raised:
        make_initial_network(small_recipe("resnet50"), str(run.weights))
    assert "--model" in raised.value.hint


@pytest.mark.parametrize("content", [None, b"no safetensors"])
def test_file_that_cannot_be_read_is_refused(small_recipe, tmp_path, content):
    path = tmp_path / "start.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="not a readable safetensors file"):
        make_initial_network(small_recipe(), str(path))


@pytest.mark.data
def test_shared_imagenet_features_fit_mobilenet(shared_dir, small_recipe):
    path = shared_dir / "init" / "mobilenet_v2_imagenet_trunk.safetensors"
    network = make_initial_network(small_recipe(), str(path))
    assert all(torch.isfinite(values).all() for values in network.state_dict().values())


def test_earlier_run_is_read_from_the_manifest_beside_the_file(weights_copy, tmp_path):
    earlier = read_earlier_run(str(weights_copy / "mobilenet_v2.safetensors"))
    assert earlier["init"] == "scratch"
    assert earlier["recipe"]["model"] == "mobilenet_v2"
    assert len(earlier["sha256"]) == 64
    # Other weights beside the same manifest.
    changed = weights_copy / "mobilenet_v2.safetensors"
    changed.write_bytes(changed.read_bytes() + b" ")
    assert read_earlier_run(str(changed)) is None


def test_other_starts_have_no_earlier_run(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "alone.safetensors")
    for init in ("scratch", "imagenet", str(tmp_path / "alone.safetensors"), "absent"):
        assert read_earlier_run(init) is None


def test_residual_blocks_start_as_the_identity_from_scratch(small_recipe):
    network = make_initial_network(small_recipe("resnet50", input_px=32), "scratch")
    block = network.trunk.layer1[1].eval()
    features = torch.rand(1, 256, 4, 4)
    torch.testing.assert_close(block(features), features)
