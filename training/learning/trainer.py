"""Lightning's trainer, set up the same for everything that is trained here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from .base_module import BaseModule
from .checkpoint import LAST
from .hardware import Hardware


def make_trainer(
    directory: Path,
    machine: Hardware,
    *,
    epochs: int,
    gradient_clip: float,
    callbacks: Sequence[Callback],
    strategy: str = "auto",
    validate_every: int = 1,
) -> pl.Trainer:
    """A trainer that keeps its newest whole epoch, and its curves, in ``directory``."""
    checkpoint = ModelCheckpoint(
        dirpath=(directory / LAST).parent,
        filename=LAST.stem,
        # The newest one, without a figure to compare; `save_last` with none kept writes nothing
        # before the run ends.
        save_top_k=1,
        save_on_train_epoch_end=True,
        # A second file beside an old one would leave --resume with the old one.
        enable_version_counter=False,
    )
    return pl.Trainer(
        accelerator=machine.accelerator,
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy=strategy,
        # Statistics of the whole batch, as on one device; torch has it for GPUs only.
        sync_batchnorm=machine.world > 1 and machine.accelerator == "gpu",
        # Ours parts the pictures itself, and the same ones whatever the number of devices.
        use_distributed_sampler=False,
        precision=machine.precision.value,  # type: ignore[arg-type]
        # Every batch has the same shape, so that looking for the fastest convolutions pays.
        benchmark=machine.accelerator == "gpu",
        max_epochs=epochs,
        gradient_clip_val=gradient_clip,
        callbacks=[checkpoint, *callbacks],
        logger=TensorBoardLogger(directory, name="tensorboard", version=""),
        default_root_dir=directory,
        check_val_every_n_epoch=validate_every,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def fit(
    trainer: pl.Trainer,
    module: BaseModule,
    loader: DataLoader[Any],
    watched: DataLoader[Any] | None,
    *,
    resume: bool,
) -> None:
    """Run the training loop; KeyboardInterrupt passes through."""
    try:
        trainer.fit(
            module,
            loader,
            watched,
            ckpt_path=str(Path(trainer.default_root_dir) / LAST) if resume else None,
            weights_only=False if resume else None,
        )
    except SystemExit as stopped:
        # What Lightning makes of Ctrl-C; the caller decides how to end.
        raise KeyboardInterrupt from stopped
