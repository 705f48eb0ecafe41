"""Lightning's trainer, set up the same way for all networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from .base_module import BaseModule
from .checkpoint import LAST_CHECKPOINT
from .hardware import Hardware


def make_trainer(
    directory: Path,
    hardware: Hardware,
    *,
    epochs: int,
    gradient_clip: float,
    callbacks: Sequence[Callback],
    strategy: str = "auto",
) -> pl.Trainer:
    """Return a trainer that keeps the last completed epoch and its curves in ``directory``."""
    checkpoint = ModelCheckpoint(
        dirpath=(directory / LAST_CHECKPOINT).parent,
        filename=LAST_CHECKPOINT.stem,
        # The newest one, with no metric to compare. `save_last` alone would write nothing before
        # the run ends.
        save_top_k=1,
        save_on_train_epoch_end=True,
        # With a second file beside the old one, --resume would take the old one.
        enable_version_counter=False,
    )
    return pl.Trainer(
        accelerator=hardware.accelerator,
        devices=hardware.devices,
        num_nodes=hardware.nodes,
        strategy=strategy,
        # Statistics of the whole batch, as on one device; torch supports it on GPUs only.
        sync_batchnorm=hardware.world_size > 1 and hardware.accelerator == "gpu",
        # Our samplers split the pictures themselves, the same way for any number of devices.
        use_distributed_sampler=False,
        precision=hardware.precision.value,  # type: ignore[arg-type]
        # Every batch has the same shape, so searching for the fastest convolutions pays off.
        benchmark=hardware.accelerator == "gpu",
        max_epochs=epochs,
        gradient_clip_val=gradient_clip,
        callbacks=[checkpoint, *callbacks],
        logger=TensorBoardLogger(directory, name="tensorboard", version=""),
        default_root_dir=directory,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def fit(
    trainer: pl.Trainer,
    module: BaseModule,
    loader: DataLoader[Any],
    validation_loader: DataLoader[Any] | None,
    *,
    resume: bool,
) -> None:
    """Run the training loop; KeyboardInterrupt passes through."""
    try:
        trainer.fit(
            module,
            loader,
            validation_loader,
            ckpt_path=str(Path(trainer.default_root_dir) / LAST_CHECKPOINT) if resume else None,
            weights_only=False if resume else None,
        )
    except SystemExit as stopped:
        # Lightning turns Ctrl-C into this; the caller decides how to end.
        raise KeyboardInterrupt from stopped
