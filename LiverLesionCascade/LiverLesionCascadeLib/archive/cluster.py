"""Dask's workers: a cluster on this computer or an existing one, and tasks on it, any of which may end a worker."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import dask
from dask.utils import parse_bytes
from distributed import Client, LocalCluster, as_completed
from distributed.core import Status
from distributed.scheduler import KilledWorker
from tornado.ioloop import IOLoop, PeriodicCallback

from ..engine.errors import CascadeError, InputError

Item = TypeVar("Item")

_LOCAL = {
    # One task at a time reaches a worker: with a worker that dies, no other task is lost.
    "distributed.scheduler.worker-saturation": 1.0,
    # A case's memory is not dask's to spill, and a worker that pauses for it would never go on.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    # A worker that was lost may take its time to come back on a busy computer: by default it is given up after 15 s.
    "distributed.deploy.lost-worker-timeout": "1 day",
    # Looking at the workers' stacks a hundred times a second, and at the event loops fifty times, holds them up.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "2s",
    # Dask has memory given back at once, so that a case's large arrays are paged in anew each time: half as much
    # processor time again.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}
_THREADS = [f"distributed.nanny.pre-spawn-environ.{name}_NUM_THREADS" for name in ("OMP", "MKL", "OPENBLAS")]
_MEMORY_PER_WORKER = 4 << 30
_LEAST_MEMORY = 500_000_000
_GONE = (Status.closed, Status.failed)
_LOOK_EVERY_MS = 2000


class Workers:
    """A client of a cluster."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @property
    def dashboard(self) -> str:
        return str(self.client.dashboard_link or "")

    @property
    def count(self) -> int:
        return len(self.client.scheduler_info(n_workers=-1)["workers"])

    def ended_for_memory(self) -> set[int]:
        """Process ids of the workers that exceeded their limit of memory."""
        return {event["pid"] for _, event in self.client.get_events("worker-restart-memory")}

    def run(
        self,
        task: Callable[..., Any],
        items: Sequence[Item],
        *arguments: Any,
        again: Callable[[Item], bool] = lambda item: False,
    ) -> Iterator[tuple[Item, Any]]:
        """``task(item, *arguments)`` on the workers; (item, its answer or the exception) as they come.

        Args:
            again: Whether to repeat the task of an item whose worker was lost, or that was lost with another's.

        Raises:
            CascadeError: If the scheduler is gone.
        """
        waiting = {self.client.submit(task, item, *arguments, pure=False): item for item in items}
        queue = as_completed(list(waiting), loop=self.client.loop)
        for future in queue:
            item = waiting.pop(future)
            if future.status == "cancelled":
                raise CascadeError("The connection to the scheduler was lost: start the same command again to go on")
            error = future.exception() if future.status == "error" else None
            if isinstance(error, KilledWorker) and again(item):
                repeated = self.client.submit(task, item, *arguments, pure=False)
                waiting[repeated] = item
                queue.add(repeated)
            else:
                yield item, error if error is not None else future.result()
            future.release()


@contextmanager
def workers(scheduler: str | None = None, count: int | None = None, memory: str | None = None) -> Iterator[Workers]:
    """The workers of a scheduler, or, without one, processes on this computer, which end with the context.

    Args:
        scheduler: Address, such as ``tcp://host:8786``, or path of a scheduler file.
        count: Of processes on this computer; by default one a GPU, or one a processor as the memory allows.
        memory: Limit of each of them, such as ``8GB``; by default their share of this computer's.

    Raises:
        InputError: If the scheduler does not answer, or the limit is none.
    """
    if scheduler is not None:
        with _client_of(scheduler) as client:
            yield Workers(client)
        return
    if memory not in (None, "auto"):
        _require_memory(memory)
    count = count or _default_count()
    threads = str(max(1, (os.cpu_count() or 1) // count))
    with dask.config.set({**_LOCAL, **dict.fromkeys(_THREADS, threads)}):
        try:
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                memory_limit=memory or "auto",
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
        except ValueError as error:
            raise InputError(f"The workers cannot be started ({error}): check --workers and --memory") from error
        with cluster, _kept(cluster, count), Client(cluster, set_as_default=False) as client:
            yield Workers(client)


def _require_memory(memory: str) -> None:
    """Raises InputError for less than a worker needs to start: dask would start it again and again."""
    try:
        size = parse_bytes(memory)
    except ValueError as error:
        raise InputError(f"--memory {memory} is no size: give it as 8GB") from error
    if size < _LEAST_MEMORY:
        raise InputError(f"--memory {memory} is {size} bytes, too little for any scan: give it as 8GB")


@contextmanager
def _kept(cluster: LocalCluster, count: int) -> Iterator[None]:
    """Starts workers for those that dask gives up, as it does with those that do not come back after they were lost."""

    def look() -> None:
        for name, worker in list(cluster.workers.items()):
            if worker.status in _GONE:
                del cluster.workers[name]
        cluster.scale(count)

    watch, loop = PeriodicCallback(look, _LOOK_EVERY_MS), cast(IOLoop, cluster.loop)
    loop.add_callback(watch.start)
    try:
        yield
    finally:
        loop.add_callback(watch.stop)


def _client_of(scheduler: str) -> Client:
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    by_file = os.path.isfile(scheduler)
    try:
        return Client(
            None if by_file else scheduler,
            scheduler_file=scheduler if by_file else None,
            timeout="20s",
            set_as_default=False,
        )
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"The scheduler {scheduler} does not answer ({error}): check its address") from error


def _default_count() -> int:
    import psutil
    import torch

    gpus = torch.cuda.device_count()
    return gpus or max(1, min(os.cpu_count() or 1, psutil.virtual_memory().total // _MEMORY_PER_WORKER))
