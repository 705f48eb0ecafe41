"""The engine follows the options and the device, and runs in float32."""

from __future__ import annotations

import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from core import ConfigError, Device, Engine
from core.runtime import has_gpu, runner_for
from core.runtime.openvino_engine import OpenVinoRunner
from core.runtime.torch_engine import TorchRunner
from tests.core.runtime.torch_modules import make_network


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def runner(network, engine, device=Device.CPU):
    return runner_for(make_network(lambda: network, (-1, 3, 16, 16)), engine=engine, device=device)


@pytest.mark.parametrize(
    ("options", "gpu", "expected"),
    [
        ((Engine.AUTO, Device.CPU), False, OpenVinoRunner),
        ((Engine.AUTO, Device.CPU), True, OpenVinoRunner),
        ((Engine.AUTO, Device.AUTO), False, OpenVinoRunner),
        ((Engine.TORCH, Device.AUTO), False, TorchRunner),
        ((Engine.TORCH, Device.CPU), True, TorchRunner),
        ((Engine.OPENVINO, Device.AUTO), True, OpenVinoRunner),
    ],
)
def test_engine_follows_options_and_device(network, monkeypatch, options, gpu, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    made = runner(network, *options)
    assert type(made) is expected
    assert made.run(np.zeros((1, 3, 16, 16), np.float32)).shape == (1, 4)


@pytest.mark.parametrize(
    ("engine", "device"), [(Engine.AUTO, Device.AUTO), (Engine.TORCH, Device.CUDA)]
)
def test_gpu_is_used_by_torch(network, monkeypatch, engine, device):
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        "core.runtime.torch_engine.TorchRunner", lambda module, device: chosen.append(device)
    )
    runner(network, engine, device)
    assert chosen == ["cuda"]


def test_missing_gpu_is_an_error(network, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="no CUDA GPU") as caught:
        runner(network, Engine.AUTO, Device.CUDA)
    assert "--device cpu" in caught.value.hint


@pytest.mark.parametrize("engine", [Engine.TORCH, Engine.OPENVINO])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_any_number_of_faces_is_run_in_float32(network, engine, count):
    batch = np.random.default_rng(0).normal(size=(count, 3, 16, 16)).astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(batch)).numpy()
    outputs = runner(network, engine).run(batch)
    assert outputs.dtype == np.float32
    # bfloat16, OpenVINO's default on some processors, would be off by 1e-3.
    assert outputs == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("engine", [Engine.TORCH, Engine.OPENVINO])
def test_output_is_not_overwritten_by_the_next_call(network, engine):
    made = runner(network, engine)
    rng = np.random.default_rng(0)
    one, other = (rng.normal(size=(2, 3, 16, 16)).astype(np.float32) for _ in range(2))
    answer = made.run(one)
    before = answer.copy()
    assert not np.allclose(made.run(other), before)
    assert (answer == before).all()


def test_openvino_runs_in_float32(network, monkeypatch):
    # bfloat16 is the default on processors that have it; on others the outputs show nothing.
    import openvino

    compiled_for = []
    real = openvino.Core.compile_model

    def compile_model(self, model, device, options):
        compiled_for.append((device, options["INFERENCE_PRECISION_HINT"]))
        return real(self, model, device, options)

    monkeypatch.setattr(openvino.Core, "compile_model", compile_model)
    compiled = runner(network, Engine.OPENVINO)._model
    assert compiled_for == [("CPU", "f32")]
    assert compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"


def test_usual_shape_has_its_own_copy_and_other_shapes_still_run(network):
    made = runner_for(
        make_network(lambda: network, (-1, 3, 16, 16), usual_shapes=((2, 3, 16, 16),)),
        engine=Engine.OPENVINO,
        device=Device.CPU,
    )
    shapes = [each._model.inputs[0].partial_shape for each in made._usual.values()]
    assert [shape.to_shape() for shape in shapes] == [(2, 3, 16, 16)]
    for count in (1, 2, 3):
        batch = np.random.default_rng(0).normal(size=(count, 3, 16, 16)).astype(np.float32)
        with torch.inference_mode():
            expected = network(torch.from_numpy(batch)).numpy()
        assert made.run(batch) == pytest.approx(expected, abs=1e-5)


class Full(nn.Module):
    """A GPU with memory for ``room`` faces at most."""

    def __init__(self, room):
        super().__init__()
        self.room = room
        self.batches = []

    def forward(self, batch):
        self.batches.append(len(batch))
        if len(batch) > self.room:
            raise torch.cuda.OutOfMemoryError
        return batch.mean(dim=(1, 2, 3))[:, None]


@pytest.mark.parametrize(
    ("room", "batches"), [(5, [5]), (2, [5, 2, 3, 1, 2]), (1, [5, 2, 1, 1, 3, 1, 2, 1, 1])]
)
def test_full_gpu_gets_smaller_batches_in_order(room, batches):
    module = Full(room)
    batch = np.arange(5, dtype=np.float32)[:, None, None, None].repeat(3, axis=1)
    outputs = TorchRunner(module, device="cpu").run(batch)
    assert outputs.ravel().tolist() == [0, 1, 2, 3, 4]
    assert module.batches == batches


def test_face_that_does_not_fit_on_the_gpu_runs_on_the_cpu():
    made = TorchRunner(Full(0), device="cpu")
    made._on_cpu = Full(9)
    batch = np.arange(3, dtype=np.float32)[:, None, None, None].repeat(3, axis=1)
    assert made.run(batch).ravel().tolist() == [0, 1, 2]
    assert made._on_cpu.batches == [1, 1, 1]


DROP_IN_OTHER_THREAD = """
import gc, os, signal, threading
from torch import nn
from core import Device, Engine
from core.runtime import has_gpu, runner_for
from tests.core.runtime.torch_modules import make_network

options = {"engine": Engine.OPENVINO, "device": Device.CPU}
network = make_network(lambda: nn.Conv2d(3, 1, 1), (-1, 3, 8, 8))
runners = [runner_for(network, **options)]

def drop():
    runners.clear()
    gc.collect()

thread = threading.Thread(target=drop)
thread.start()
thread.join()
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
os.kill(os.getpid(), signal.SIGUSR1)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs POSIX signals")
def test_signals_are_handled_after_a_model_is_dropped_in_another_thread():
    run = subprocess.run(
        [sys.executable, "-c", DROP_IN_OTHER_THREAD],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (run.returncode, run.stdout) == (0, "handled\n"), run.stderr


@pytest.mark.parametrize(
    ("engine", "device"), [(Engine.AUTO, Device.CUDA), (Engine.TORCH, Device.CPU)]
)
def test_missing_torch_is_named_only_where_it_is_needed(network, monkeypatch, engine, device):
    described = make_network(lambda: network, (-1, 3, 16, 16))
    monkeypatch.setattr("core.runtime.find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr("core.runtime._has_driver", lambda: True)
    assert not has_gpu()
    with pytest.raises(ConfigError, match="needs PyTorch") as caught:
        runner_for(described, engine=engine, device=device)
    assert "make training" in caught.value.hint
