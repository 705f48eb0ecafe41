"""Silences warnings of other libraries that do not help the user."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_WARNINGS = (
    # Lightning's own use of something torch deprecates.
    r".*isinstance\(treespec, LeafSpec\).*",
    # One worker is intended on small machines.
    r".*does not have many workers.*",
    # Small data sets have few batches; metrics are logged by epoch anyway.
    r".*number of training batches .* is smaller than the logging interval.*",
    # Training works without validation faces.
    r".*You defined a `validation_step` but have no `val_dataloader`.*",
    # A run's folder may be moved before it is resumed.
    r".*The dirpath has changed from.*",
    # The folder is being resumed, or its run never finished an epoch.
    r".*Checkpoint directory .* exists and is not empty.*",
    # A run that ended by the clock continues in the middle of an epoch, which is intended.
    r".*resuming from a checkpoint that ended before the epoch ended.*",
    # Since Python 3.12, for every process that prepares faces.
    r".*use of fork\(\) may lead to deadlocks.*",
    # --device cpu beside a GPU is the user's choice.
    r".*GPU available but not used.*",
)
_LOGGERS = {
    "lightning.pytorch": logging.WARNING,
    "lightning.fabric": logging.WARNING,
    # torch.compile logs "No CUDA runtime is found" on every computer without a GPU.
    "torch.utils.cpp_extension": logging.ERROR,
}


@contextmanager
def silence_known_warnings() -> Iterator[None]:
    """Hide the warnings above within the context; all others are still shown."""
    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name, level in _LOGGERS.items():
        logging.getLogger(name).setLevel(level)
    try:
        with warnings.catch_warnings():
            for pattern in _WARNINGS:
                warnings.filterwarnings("ignore", message=pattern)
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
