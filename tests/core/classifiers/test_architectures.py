"""The three networks: torchvision's trunks with a head for seven emotions."""

from __future__ import annotations

import pytest
import torch

from core import UnknownComponent, WeightsCorrupt
from core.classifiers import ARCHITECTURES
from core.classifiers.architectures import (
    EmotionNetwork,
    build_network,
    find_architecture,
)
from core.explain import EXPLAINED_BLOCKS


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_description_fits_the_network(name):
    architecture = find_architecture(name)
    # Shapes only: on the meta device a network costs neither memory nor time.
    with torch.device("meta"):
        network = EmotionNetwork(architecture).eval()
        batch = torch.zeros(2, 3, architecture.min_px, architecture.min_px)
    assert network.embed(batch).shape == (2, architecture.features)
    assert network(batch).shape == (2, 7)
    assert network.get_submodule(EXPLAINED_BLOCKS[name])
    if architecture.auxiliary:
        seen = []
        module = network.trunk.get_submodule(architecture.auxiliary[0])
        module.register_forward_hook(lambda _module, _given, output: seen.append(output.shape[1]))
        network(batch)
        assert seen == [architecture.auxiliary[1]]


def test_inception_fails_below_its_smallest_input():
    with torch.device("meta"):
        network = EmotionNetwork(find_architecture("inception_v3")).eval()
        batch = torch.zeros(1, 3, 74, 74)
    with pytest.raises(RuntimeError):
        network(batch)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_imagenet_weights_exist_in_torchvision(name):
    from torchvision import models

    assert models.get_weight(find_architecture(name).imagenet_weights)


def test_unknown_architecture_is_refused():
    with pytest.raises(UnknownComponent, match="no architecture named 'resnet51'"):
        find_architecture("resnet51")


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    network = EmotionNetwork(find_architecture("mobilenet_v2")).eval()
    return network, {
        key: value.half() if value.is_floating_point() else value
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }


def test_half_precision_state_is_loaded_as_float32_for_evaluation(state):
    network, half = state
    loaded = build_network("mobilenet_v2", half)
    assert not loaded.training
    assert {each.dtype for each in loaded.parameters()} == {torch.float32}
    assert not any(each.requires_grad for each in loaded.parameters())
    batch = torch.rand(2, 3, 48, 48)
    assert torch.allclose(loaded(batch), network(batch), atol=1e-2)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("head.bias"),
        lambda state: state.update({"head.extra": torch.zeros(7)}),
        lambda state: state.update({"head.bias": torch.zeros(8)}),
    ],
    ids=["missing", "unexpected", "another shape"],
)
def test_state_of_another_network_is_refused(state, change):
    changed = dict(state[1])
    change(changed)
    with pytest.raises(WeightsCorrupt, match="belong to another network"):
        build_network("mobilenet_v2", changed)
