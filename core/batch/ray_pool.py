"""Workers on a Ray cluster, or on this computer in a Ray that is started for the run."""

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
from .worker import Worker, WorkerSetup, use_one_core

_CHUNKS_PER_BLOCK = 4
"""Ray moves data in blocks; in blocks of this size its own overhead is negligible."""


class RayPool:
    """A Ray Data pipeline whose actors load the networks once each.

    Uses the cluster at RAY_ADDRESS, or this computer if that is not set. On a cluster the project
    must be installed on every node, and every node must see the folder under the same path.
    """

    def __init__(self, setup: WorkerSetup, workers: int) -> None:
        # Otherwise Ray reports every start to its makers.
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
        self._setup = setup
        self._workers = workers
        self._gpus_per_worker = int(setup.config.device is Device.CUDA)
        self._provenance: Provenance | None = None
        self._started = not ray.is_initialized()
        if self._started:
            try:
                _start(ray, workers)
            except Exception as error:  # Ray raises plain exceptions
                raise ConfigError(
                    f"Ray cannot be started: {error}",
                    hint="Check RAY_ADDRESS and that the cluster is running, or leave out "
                    "--engine ray.",
                ) from error

    def get_provenance(self) -> Provenance:
        """Return the provenance of a worker on the cluster, whose weights may differ from ours."""
        if self._provenance is None:
            task = self._ray.remote(max_retries=0)(_load_provenance)
            with_gpu = task.options(num_gpus=self._gpus_per_worker)
            with _unwrap_ray_errors():
                self._provenance = self._ray.get(with_gpu.remote(self._setup))
        return self._provenance

    def analyze(self, paths: Iterable[str]) -> Iterator[list[FileResult]]:
        """Yield the results of one block after another as they arrive."""
        from ray.data import ActorPoolStrategy, DataContext, from_items

        # Ray's tables hold UTF-8, but a file name need not be UTF-8; JSON escapes it.
        items = [{"path": json.dumps(path)} for path in paths]
        if not items:
            return
        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        blocks = -(-len(items) // (PHOTOS_PER_CHUNK * _CHUNKS_PER_BLOCK))
        dataset = from_items(items, override_num_blocks=blocks).map_batches(
            _Actor,
            fn_constructor_args=(self._setup,),
            batch_size=PHOTOS_PER_CHUNK,
            batch_format="numpy",
            compute=ActorPoolStrategy(size=min(self._workers, blocks)),
            num_cpus=1,
            num_gpus=self._gpus_per_worker,
        )
        with _unwrap_ray_errors():
            for block in dataset.iter_batches(batch_size=None, batch_format="numpy"):
                yield [self._parse_result(text) for text in block["result"]]

    def close(self) -> None:
        """Shut down Ray if this pool started it."""
        if self._started:
            self._ray.shutdown()

    def _parse_result(self, text: str) -> FileResult:
        record = json.loads(text)
        if self._provenance is None or record["provenance"] != asdict(self._provenance):
            raise ProjectError(
                "The nodes of the cluster have different weights or versions of the project.",
                hint="Install the same version on all of them, then run the same command again.",
            )
        return FileResult(record["path"], tuple(map(tuple, record["rows"])))


def _start(ray: Any, workers: int) -> None:
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
        return
    ray.init(
        "local",
        # One core more than there are workers, for the task that loads the provenance.
        num_cpus=max(workers, os.cpu_count() or 1) + 1,
        include_dashboard=False,
        # On the loopback address, so that no other computer can reach it.
        _node_ip_address="127.0.0.1",
        **quiet,
    )


def _load_provenance(setup: WorkerSetup) -> Provenance:
    use_one_core()
    worker = Worker(setup)
    worker.close()
    return worker.analyzer.provenance


class _Actor:
    """A worker that Ray creates once and gives many batches of paths."""

    def __init__(self, setup: WorkerSetup) -> None:
        use_one_core()
        self._worker = Worker(setup)
        self._provenance = asdict(self._worker.analyzer.provenance)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        photos = self._worker.read_ahead(map(json.loads, batch["path"]))
        results = self._worker.analyze(filter(None, photos))
        records = [
            {"path": result.path, "rows": result.rows, "provenance": self._provenance}
            for result in results
        ]
        return {"result": [json.dumps(record) for record in records]}


@contextlib.contextmanager
def _unwrap_ray_errors() -> Iterator[None]:
    """Raise a worker's ProjectError as itself, without Ray's wrapper."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ProjectError):
            cause = getattr(cause, "cause", None) or cause.__cause__
        if cause is None or cause is error:
            raise
        raise cause from None
