"""Measure how fast a network trains, and what makes it faster: `make bench`."""

from __future__ import annotations

import multiprocessing

import numpy as np
import pytest

pytestmark = pytest.mark.bench

WAYS = {
    "plain": (False, False),
    "freed memory kept": (True, False),
    "freed memory kept, compiled": (True, True),
}
BATCH, SIDE = 96, 96


def _make_faces():
    """Return one batch of noise, prepared as the loader prepares faces."""
    from core.faces.preprocess import Preprocessing
    from training.learning.loader import AugmentedFaces

    images = np.random.default_rng(0).integers(0, 256, (BATCH, 48, 48), dtype=np.uint8)
    return AugmentedFaces(
        images,
        np.full((BATCH, 7), 1 / 7, np.float32),
        np.full((BATCH, 8), 1 / 8, np.float32),
        preprocessing=Preprocessing(SIDE, 0.5, 0.5),
        seed=1,
    )


def _learn(pipe, kept, compiled):
    """Take one training step for each message, in a process that both settings change for good."""
    import torch

    from core.allocator import keep_freed_memory
    from core.classifiers.architectures import EmotionNetwork, find_architecture
    from training.learning.loader import make_training_loader
    from training.learning.module import EmotionModule
    from training.learning.recipe import read_recipe

    if kept:
        keep_freed_memory()
    recipe = read_recipe("mobilenet_v2", {"input_px": str(SIDE), "early_share": "0"})
    network = EmotionNetwork(find_architecture("mobilenet_v2"))
    module = EmotionModule(recipe, network, steps=1000, max_seconds=None)
    module = module.to(memory_format=torch.channels_last)
    module._trainer = type("Trainer", (), {"global_step": 500})()
    optimizer = module.configure_optimizers()
    if compiled:
        module.headed.compile(dynamic=False)
    batch = next(iter(make_training_loader(_make_faces(), batch=BATCH, seed=0, workers=0)))
    while pipe.recv():
        module.loss(batch).backward()
        optimizer.step()
        optimizer.zero_grad()
        module.average.update_parameters(module.headed.network)
        pipe.send(True)


@pytest.mark.parametrize("way", WAYS)
def test_one_batch_is_learned(benchmark, way):
    benchmark.group = f"learn from {BATCH} faces of {SIDE} px: mobilenet_v2"
    near, far = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_learn, args=(far, *WAYS[way]))
    process.start()
    # Otherwise the test would wait forever if the process ended.
    far.close()

    def step():
        near.send(True)
        assert near.recv()

    benchmark.pedantic(step, rounds=12, warmup_rounds=3)
    near.send(False)
    process.join(30)
    assert process.exitcode == 0


def test_one_batch_is_prepared(benchmark):
    """Measure what the loader does at the same time, in its own process."""
    benchmark.group = f"prepare {BATCH} faces of {SIDE} px"
    dataset = _make_faces()
    benchmark(lambda: [dataset[(0, index)] for index in range(BATCH)])
