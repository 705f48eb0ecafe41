"""What `emotion train` and `emotion detector train` print: progress, and how to continue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from cli.terminal import has_terminal

if TYPE_CHECKING:
    from training.learning.progress import EpochReport
    from training.learning.run import TrainingRun

_SLOW_LOADER = 0.1
"""Share of the time spent waiting for photos from which it is worth a hint."""
_METRICS = {
    "accuracy": "accuracy {:.1%}",
    "macro_f1": "macro-F1 {:.1%}",
    "crowd_accuracy": "crowd's first choice {:.1%}",
    "crowd_kl": "KL to votes {:.3f}",
    "ap": "average precision {:.1%}",
}
"""How each metric is printed; others as a percentage."""


def get_epoch_printer() -> Callable[[EpochReport], None] | None:
    """Return :func:`print_epoch` if there is a terminal to print to, else None."""
    return print_epoch if has_terminal() else None


def print_epoch(epoch: EpochReport) -> None:
    """Print one line about an epoch to stderr."""
    parts = [
        f"epoch {epoch.epoch}/{epoch.epochs}",
        f"{epoch.images_per_s:,.0f} images/s",
        f"{format_duration(epoch.left_s)} left",
        f"loss {epoch.loss:.3f}",
    ]
    if epoch.validation_metrics:
        metrics = (
            _METRICS.get(name, name + " {:.1%}").format(value)
            for name, value in epoch.validation_metrics.items()
        )
        parts.append(f"validation {' · '.join(metrics)}")
    if epoch.waiting_share >= _SLOW_LOADER:
        parts.append(f"{epoch.waiting_share:.0%} of it waiting for photos: try more --workers")
    typer.echo(" · ".join(parts), err=True)


@contextmanager
def explain_resume() -> Iterator[None]:
    """Print on Ctrl-C how to continue the training."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(
            "Stopped. To continue after the last finished epoch, add --resume to the same command.",
            err=True,
        )
        raise


def print_run(run: TrainingRun, what: str, next_step: str, commands: Sequence[str]) -> None:
    """Print what was trained, where the files are, and the commands to run next."""
    epochs = "1 epoch" if run.epochs == 1 else f"{run.epochs} epochs"
    ended = ", ended by --max-minutes" if run.ended_by_clock else ""
    typer.echo(
        f"Trained {what}: {epochs} in {format_duration(run.elapsed_s)}{ended}. Files:\n"
        f"  {run.weights}  the weights, described by manifest.json beside them\n"
        f"  {run.directory / 'augmented.png'}  examples of what the network saw\n"
        f"  {run.directory / 'tensorboard'}  curves, for `tensorboard --logdir {run.directory}`\n"
        f"{next_step}:\n" + "\n".join(f"  {command}" for command in commands)
    )


def format_duration(seconds: float) -> str:
    """Return hours and minutes, minutes, or seconds, whichever fits."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes >= 2 else f"{round(seconds)} s"
