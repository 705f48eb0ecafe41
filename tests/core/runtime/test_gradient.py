"""Gradients of OpenVINO's models equal those of torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from core.runtime.gradient import add_gradient
from core.runtime.openvino_engine import OPTIONS, OpenVinoRunner, convert_module, openvino_core

PX = 11


class Joined(nn.Module):
    """Branches whose channels are joined."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, batch):
        return torch.cat([branch(batch) for branch in self.branches], dim=1)


class Whole(nn.Module):
    """A block, what stands behind it, and a head."""

    def __init__(self, behind):
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.behind = behind
        self.head = nn.LazyLinear(7)

    def forward(self, batch):
        return self.head(self.behind(self.block(batch)).mean(dim=(2, 3)))


def with_statistics(layer):
    for values in (layer.weight, layer.running_var):
        nn.init.uniform_(values, 0.5, 2)
    for values in (layer.bias, layer.running_mean):
        nn.init.normal_(values)
    return layer


BEHIND = {
    "nothing": nn.Identity,
    "ReLU": lambda: nn.Sequential(nn.Conv2d(4, 4, 1, bias=False), nn.ReLU()),
    "padded convolution": lambda: nn.Conv2d(4, 5, 3, padding=1),
    # OpenVINO would take rearranged kernels for the original if both have one shape.
    "convolution with as many channels": lambda: nn.Conv2d(4, 4, 3),
    "convolution with strides": lambda: nn.Conv2d(4, 5, 3, stride=2),
    "strides that leave a pixel over": lambda: nn.Conv2d(4, 5, 2, stride=2),
    "flat kernel": lambda: nn.Conv2d(4, 5, (1, 7), padding=(0, 3)),
    "mean of neighbours": lambda: nn.AvgPool2d(3, 1, 1),
    "largest of neighbours": lambda: nn.MaxPool2d(3, 2),
    "branches": lambda: Joined(nn.Identity(), nn.Conv2d(4, 3, 1), nn.MaxPool2d(1)),
    "batch normalization": lambda: nn.Sequential(
        nn.Conv2d(4, 5, 1, bias=False), with_statistics(nn.BatchNorm2d(5)), nn.ReLU()
    ),
}


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
def test_gradient_equals_torch_s(behind):
    torch.manual_seed(0)
    network = Whole(behind()).eval()
    batch, weights = torch.randn(2, 3, PX, PX), torch.randn(2, 7)
    network(batch)
    seen = []
    network.block.register_forward_hook(lambda _module, _given, output: seen.append(output))
    (gradient,) = torch.autograd.grad((network(batch) * weights).sum(), seen)
    model = convert_module(network, batch)
    model.reshape([-1, 3, PX, PX])
    compiled = openvino_core().compile_model(add_gradient(model, "block"), "CPU", OPTIONS)
    activations, mean = OpenVinoRunner(compiled).outputs(batch.numpy(), weights.numpy())
    assert activations == pytest.approx(seen[0].detach().numpy(), abs=1e-6)
    assert np.ptp(mean) > 1e-3
    assert mean == pytest.approx(gradient.mean(dim=(2, 3)).numpy(), abs=1e-6)


@pytest.mark.parametrize(
    ("block", "behind", "message"),
    [
        ("missing", nn.Identity(), "no layer of the network belongs to missing"),
        ("block", nn.Sigmoid(), "Sigmoid"),
        ("block", nn.AvgPool2d(2, 2), "average pooling"),
        ("block", nn.AvgPool2d(3, 1, 1, count_include_pad=False), "average pooling"),
    ],
)
def test_what_cannot_be_differentiated_is_named(block, behind, message):
    network = Whole(behind).eval()
    batch = torch.zeros(1, 3, PX, PX)
    network(batch)
    model = convert_module(network, batch)
    model.reshape([-1, 3, PX, PX])
    with pytest.raises(ValueError, match=message):
        add_gradient(model, block)
