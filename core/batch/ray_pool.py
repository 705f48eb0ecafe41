"""Workers on a Ray cluster, or on a Ray that is started on this computer for the run."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from ..config import Device
from ..errors import ConfigError, ProjectError
from ..types import Provenance
from .pool import PHOTOS_PER_CHUNK
from .rows import FileResult
from .worker import Worker, WorkerConfig, use_one_core

_CHUNKS_A_BLOCK = 4
"""Of what Ray moves around: enough that its own work for a block does not count."""


class RayPool:
    """A Ray Data pipeline whose actors load the networks once each.

    Goes to the cluster that RAY_ADDRESS names; without it Ray runs on this computer alone. On a
    cluster the project must be installed on every node, and a folder be visible to all of them.
    """

    def __init__(self, work: WorkerConfig, workers: int) -> None:
        # Ray tells its makers of every start, unless told not to.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ModuleNotFoundError as error:
            raise ConfigError(
                "Ray is not installed.",
                hint="Install it with `pip install -r requirements-ray.txt`, or leave out "
                "--engine ray.",
            ) from error
        self._ray = ray
        self._work = work
        self._workers = workers
        self._provenance: Provenance | None = None
        self._started = not ray.is_initialized()
        if self._started:
            try:
                _start(ray, workers)
            except Exception as error:  # Ray raises that itself
                raise ConfigError(
                    f"Ray cannot be started: {error}",
                    hint="Check RAY_ADDRESS and whether the cluster runs, or leave out "
                    "--engine ray.",
                ) from error

    def provenance(self) -> Provenance:
        """As a worker of the cluster tells it, whose weights may differ from those here."""
        if self._provenance is None:
            task = self._ray.remote(max_retries=0)(_provenance)
            with_gpu = task.options(num_gpus=self._gpus())
            with _own_errors():
                self._provenance = self._ray.get(with_gpu.remote(self._work))
        return self._provenance

    def answers(self, paths: Iterable[str]) -> Iterator[list[FileResult]]:
        """The answers of one block after another, as they come."""
        from ray.data import ActorPoolStrategy, DataContext, from_items

        # Ray's tables hold UTF-8, which not every file name is.
        items = [{"path": json.dumps(path)} for path in paths]
        if not items:
            return
        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        blocks = -(-len(items) // (PHOTOS_PER_CHUNK * _CHUNKS_A_BLOCK))
        told = from_items(items, override_num_blocks=blocks).map_batches(
            _Actor,
            fn_constructor_args=(self._work,),
            batch_size=PHOTOS_PER_CHUNK,
            batch_format="numpy",
            compute=ActorPoolStrategy(size=min(self._workers, blocks)),
            num_cpus=1,
            num_gpus=self._gpus(),
        )
        with _own_errors():
            for block in told.iter_batches(batch_size=None, batch_format="numpy"):
                yield [self._answer(text) for text in block["answer"]]

    def close(self) -> None:
        """End the Ray that was started here."""
        if self._started:
            self._ray.shutdown()

    def _gpus(self) -> int:
        return int(self._work.config.device is Device.CUDA)

    def _answer(self, text: str) -> FileResult:
        told = json.loads(text)
        if self._provenance is None or told["provenance"] != asdict(self._provenance):
            raise ProjectError(
                "The nodes of the cluster have different weights or versions of the project.",
                hint="Install the same on all of them, then run the same command again.",
            )
        return FileResult(told["path"], tuple(map(tuple, told["rows"])))


def _start(ray: Any, workers: int) -> None:
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
        return
    ray.init(
        "local",
        # One more than work, for the task that tells what the answers are made with.
        num_cpus=max(workers, os.cpu_count() or 1) + 1,
        include_dashboard=False,
        # On the loopback address alone: nobody else shall reach it.
        _node_ip_address="127.0.0.1",
        **quiet,
    )


def _provenance(work: WorkerConfig) -> Provenance:
    use_one_core()
    worker = Worker(work)
    worker.close()
    return worker.analyzer.provenance


class _Actor:
    """One worker; Ray makes it once and gives it many batches."""

    def __init__(self, work: WorkerConfig) -> None:
        use_one_core()
        self._worker = Worker(work)
        self._provenance = asdict(self._worker.analyzer.provenance)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        answers = self._worker.answer(self._worker.read_ahead(map(json.loads, batch["path"])))
        told = [
            {"path": each.path, "rows": each.rows, "provenance": self._provenance}
            for each in answers
        ]
        return {"answer": [json.dumps(each) for each in told]}


@contextlib.contextmanager
def _own_errors() -> Iterator[None]:
    """Raises what a worker refused as the error it was; Ray wraps it."""
    try:
        yield
    except Exception as error:
        seen: BaseException | None = error
        while seen is not None and not isinstance(seen, ProjectError):
            seen = getattr(seen, "cause", None) or seen.__cause__
        if seen is None or seen is error:
            raise
        raise seen from None
