"""A training module and a batch for it, as several test files need them."""

from __future__ import annotations

import torch

from core.classifiers.architectures import EmotionNetwork, find_architecture
from training.learning.module import EmotionModule

PLAIN = {"label_head": 1, "mixup_chance": 0, "dropout": 0, "votes_head": 0, "label_smoothing": 0}


def make_module(recipe, *, steps=100, **given):
    torch.manual_seed(recipe.seed)
    architecture, crowd = find_architecture(recipe.model), recipe.votes_head > 0
    network = EmotionNetwork(architecture, dropout=recipe.dropout, crowd=crowd)
    return EmotionModule(recipe, network, steps=steps, **{"max_seconds": None, **given})


def make_batch(size=4, side=32, has_votes=True):
    generator = torch.Generator().manual_seed(0)
    faces = torch.randint(0, 256, (size, side, side), dtype=torch.uint8, generator=generator)
    targets = torch.softmax(torch.randn(size, 7, generator=generator), dim=1)
    votes = torch.softmax(torch.randn(size, 7, generator=generator), dim=1)
    doubt = torch.full((size, 1), 0.1)
    crowd = torch.cat([votes if has_votes else torch.zeros(size, 7), doubt], dim=1)
    return faces, targets, crowd, torch.zeros(size, 0), torch.zeros(size, 0)


def run_heads(module, batch):
    inputs = module.normalise(batch[0]).contiguous(memory_format=torch.channels_last)
    return module.headed(inputs)
