"""Keeps remarks of third parties off the terminal where they tell a user nothing."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_REMARKS = (
    # Lightning's own use of something torch deprecates.
    r".*isinstance\(treespec, LeafSpec\).*",
    # One worker is deliberate on small machines.
    r".*does not have many workers.*",
    # Small data sets have few batches; figures are logged by epoch anyway.
    r".*number of training batches .* is smaller than the logging interval.*",
    # Data without validation faces train all the same.
    r".*You defined a `validation_step` but have no `val_dataloader`.*",
    # A run's folder may be moved before it is resumed.
    r".*The dirpath has changed from.*",
    # A folder that is resumed, or whose run never finished an epoch.
    r".*Checkpoint directory .* exists and is not empty.*",
    # A run that the clock ended goes on in the middle of an epoch, which is meant.
    r".*resuming from a checkpoint that ended before the epoch ended.*",
    # Said from Python 3.12 on of every process that prepares faces.
    r".*use of fork\(\) may lead to deadlocks.*",
    # --device cpu beside a GPU is the user's choice.
    r".*GPU available but not used.*",
)
_LOGGERS = {
    "lightning.pytorch": logging.WARNING,
    "lightning.fabric": logging.WARNING,
    # "No CUDA runtime is found", told by torch.compile on every computer without a GPU.
    "torch.utils.cpp_extension": logging.ERROR,
}


@contextmanager
def silence_known_warnings() -> Iterator[None]:
    """Within it, the remarks named above stay silent; every other warning still shows."""
    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name, level in _LOGGERS.items():
        logging.getLogger(name).setLevel(level)
    try:
        with warnings.catch_warnings():
            for remark in _REMARKS:
                warnings.filterwarnings("ignore", message=remark)
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
