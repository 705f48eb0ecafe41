"""Gradients of a network in OpenVINO, by reverse-mode differentiation of its layers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .openvino_engine import import_openvino

_SPATIAL = (2, 3)


def add_gradient(model: Any, block: str) -> Any:
    """Return a model that also takes weights of the outputs and gives what Grad-CAM needs.

    ``model`` has one input (N, C, S, S) and one output. The returned one takes that input and
    weights in the shape of the output. Its outputs are the activations (N, K, H, W) of the module
    ``block``, named as in torch, and (N, K) the mean over H and W of the gradient of the weighted
    sum of the outputs. ValueError if there is no such block, or a layer behind it that this module
    cannot differentiate.
    """
    openvino = import_openvino()
    ops = _opset()
    layers = model.get_ordered_ops()
    inside = [each for each in layers if _is_inside(each.get_friendly_name(), block)]
    if not inside:
        raise ValueError(f"no layer of the network belongs to {block}")
    activations = inside[-1].output(0)
    result = model.get_results()[0].input_value(0)
    seed = ops.parameter(result.get_partial_shape(), openvino.Type.f32)
    gradients: defaultdict[Any, list[Any]] = defaultdict(list)
    gradients[result].append(seed.output(0))
    reached = {activations, *_find_dependent(layers, activations)}
    for layer in reversed(layers):
        output = layer.output(0) if layer.get_output_size() else None
        if output == activations or output not in reached or not gradients[output]:
            continue
        for given, gradient in _differentiate(layer, _add_up(gradients[output]), reached):
            gradients[given].append(gradient)
    mean = ops.reduce_mean(_add_up(gradients[activations]), np.array(_SPATIAL, np.int64))
    return openvino.Model([activations, mean.output(0)], [*model.get_parameters(), seed])


def _opset() -> Any:
    import_openvino()  # before any part of it is imported without it
    from openvino import opset13

    return opset13


def _is_inside(layer: str, block: str) -> bool:
    return layer.startswith((f"__module.{block}.", f"__module.{block}/"))


def _find_dependent(layers: list[Any], source: Any) -> set[Any]:
    """Return the outputs of all ``layers`` that depend on the output ``source``."""
    found = {source}
    for layer in layers:
        if any(each.get_source_output() in found for each in layer.inputs()):
            found.update(layer.outputs())
    return found - {source}


def _add_up(gradients: list[Any]) -> Any:
    total = gradients[0]
    for each in gradients[1:]:
        total = _opset().add(total, each).output(0)
    return total


def _differentiate(layer: Any, gradient: Any, reached: set[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each input of ``layer`` that counts, with the gradient of it."""
    kind = layer.get_type_name()
    inputs = [each.get_source_output() for each in layer.inputs()]
    if kind == "Add":
        yield from ((each, gradient) for each in inputs if each in reached)
    elif kind == "Concat":
        lengths = [int(each.get_partial_shape()[1].get_length()) for each in inputs]
        yield from _split(layer, gradient, inputs, lengths, reached)
    elif kind in _RULES:
        yield inputs[0], _RULES[kind](layer, gradient, inputs).output(0)
    else:
        raise ValueError(f"layers of type {kind} cannot be differentiated")


def _split(
    layer: Any, gradient: Any, inputs: list[Any], lengths: list[int], reached: set[Any]
) -> Iterator[tuple[Any, Any]]:
    axis = np.int64(layer.get_attributes()["axis"])
    parts = _opset().variadic_split(gradient, axis, np.array(lengths, np.int64)).outputs()
    yield from ((each, part) for each, part in zip(inputs, parts, strict=True) if each in reached)


def _relu(layer: Any, gradient: Any, _inputs: list[Any]) -> Any:
    return _opset().multiply(gradient, _opset().sign(layer))  # its output is never below 0


def _reshape(_layer: Any, gradient: Any, inputs: list[Any]) -> Any:
    ops = _opset()
    return ops.reshape(gradient, ops.shape_of(inputs[0]), special_zero=False)


def _reduce_mean(layer: Any, gradient: Any, inputs: list[Any]) -> Any:
    ops = _opset()
    given = inputs[0].get_partial_shape()
    axes = layer.input_value(1).get_node().get_data().reshape(-1)
    share = 1 / np.prod([given[int(axis)].get_length() for axis in axes])
    kept = gradient
    if not layer.get_attributes()["keep_dims"]:
        kept = ops.unsqueeze(gradient, axes)
    return ops.broadcast(ops.multiply(kept, np.float32(share)), ops.shape_of(inputs[0]))


def _matmul(layer: Any, gradient: Any, inputs: list[Any]) -> Any:
    attributes = layer.get_attributes()
    if attributes["transpose_a"]:
        raise ValueError("a product with a transposed input cannot be differentiated")
    return _opset().matmul(gradient, inputs[1], False, not attributes["transpose_b"])


def _convolution(layer: Any, gradient: Any, inputs: list[Any]) -> Any:
    attributes = layer.get_attributes()
    strides, begin, end, dilations = (
        list(attributes[key]) for key in ("strides", "pads_begin", "pads_end", "dilations")
    )
    kernel = inputs[1].get_shape()[2:]
    # What the strides leave over at the far edges belongs to no output.
    rest = [
        inputs[0].get_partial_shape()[2 + axis].get_length()
        - (layer.get_output_partial_shape(0)[2 + axis].get_length() - 1) * strides[axis]
        + begin[axis]
        + end[axis]
        - (kernel[axis] - 1) * dilations[axis]
        - 1
        for axis in range(2)
    ]
    # A copy: OpenVINO would take the kernels that it rearranged for the convolution, if they fit.
    kernels = _opset().constant(inputs[1].get_node().get_data().copy())
    return _opset().convolution_backprop_data(
        gradient,
        kernels,
        strides,
        pads_begin=begin,
        pads_end=end,
        dilations=dilations,
        output_padding=rest,
    )


def _average_pool(layer: Any, gradient: Any, _inputs: list[Any]) -> Any:
    """Return the gradient of a mean that moves by one pixel and counts padding.

    That is the same mean of the gradient, because its window is symmetric.
    """
    attributes = layer.get_attributes()
    begin, end = list(attributes["pads_begin"]), list(attributes["pads_end"])
    kernel, strides = list(attributes["kernel"]), list(attributes["strides"])
    same = begin == end == [(side - 1) // 2 for side in kernel] and strides == [1, 1]
    if not same or attributes["exclude-pad"] or any(side % 2 == 0 for side in kernel):
        raise ValueError("this kind of average pooling cannot be differentiated")
    return _opset().avg_pool(gradient, strides, begin, end, kernel, exclude_pad=False)


def _max_pool(layer: Any, gradient: Any, inputs: list[Any]) -> Any:
    """Return the gradient at the pixel that was largest in its window, and 0 elsewhere."""
    ops = _opset()
    attributes = layer.get_attributes()
    strides, begin, end, kernel = (
        list(attributes[key]) for key in ("strides", "pads_begin", "pads_end", "kernel")
    )
    pooled = ops.max_pool(
        inputs[0],
        strides,
        [1, 1],
        begin,
        end,
        kernel,
        attributes["rounding_type"],
        index_element_type="i64",
        axis=2,
    )
    flat = np.array([0, 0, -1], np.int64)
    zeros = ops.multiply(ops.reshape(inputs[0], flat, special_zero=True), np.float32(0))
    spread = ops.scatter_elements_update(
        zeros,
        ops.reshape(pooled.output(1), flat, special_zero=True),
        ops.reshape(gradient, flat, special_zero=True),
        np.int64(2),
        reduction="sum",
    )
    return ops.reshape(spread, ops.shape_of(inputs[0]), special_zero=False)


_RULES: dict[str, Callable[[Any, Any, list[Any]], Any]] = {
    "AvgPool": _average_pool,
    "Convolution": _convolution,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "ReduceMean": _reduce_mean,
    "Relu": _relu,
    "Reshape": _reshape,
    "Squeeze": _reshape,
    "Unsqueeze": _reshape,
}
"""The gradient of a layer's first input; the others are constants."""
