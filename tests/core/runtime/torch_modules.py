"""Networks of any module in torch, for tests of the engines."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from core.runtime import Network
from core.runtime.openvino_engine import convert_module

Shape = tuple[int, int, int, int]


def make_network(
    build: Callable[[], nn.Module],
    input_shape: Shape,
    fingerprint: str = "",
    usual_shapes: tuple[Shape, ...] = (),
) -> Network:
    """Return the network of the module that ``build`` makes, which OpenVINO converts."""
    example = torch.zeros(abs(input_shape[0]), *input_shape[1:])
    return Network(
        assemble=lambda: convert_module(build().eval(), example),
        build=build,
        input_shape=input_shape,
        fingerprint=fingerprint,
        usual_shapes=usual_shapes,
    )
