"""The order in which faces are shown."""

from __future__ import annotations

import torch

from training.learning.loader import EpochSampler


def drawn(monkeypatch, size, world, rank, epoch=0):
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: rank)
    sampler = EpochSampler(size, seed=1, world_size=world)
    sampler.set_epoch(epoch)
    keys = list(sampler)
    assert len(keys) == len(sampler)
    return keys


def test_every_face_comes_once_an_epoch_and_epochs_differ(monkeypatch):
    first, second = (drawn(monkeypatch, 20, 1, 0, epoch) for epoch in (0, 1))
    assert sorted(index for _, index in first) == list(range(20))
    assert {epoch for epoch, _ in second} == {1}
    assert [index for _, index in first] != [index for _, index in second]


def test_processes_share_each_batch_of_one_alone(monkeypatch):
    alone = drawn(monkeypatch, 21, 1, 0)
    parts = [drawn(monkeypatch, 21, 2, rank) for rank in (0, 1)]
    assert [len(part) for part in parts] == [10, 10]
    for start in range(0, 20, 4):
        together = {key for part in parts for key in part[start // 2 : start // 2 + 2]}
        assert together == set(alone[start : start + 4])
