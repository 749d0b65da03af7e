"""Makes the next batches while the network learns from this one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from .distributed import Ranks

T = TypeVar("T")

#: More threads than this wait for each other in Python.
_MOST_WORKERS = 8


def spare_cores(device: torch.device, ranks: Ranks) -> int:
    """How many threads can make batches without taking time from the training.

    A processor that trains on all its cores has none to spare: its batches are made in turn, which costs it less than
    threads that get in each other's way.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    own = cores // ranks.local_world
    if device.type == "cpu":
        return max(0, min(_MOST_WORKERS, own - torch.get_num_threads()))
    return max(1, min(_MOST_WORKERS, own - 1))


def prefetched(make: Callable[[int], T], steps: range, workers: int) -> Generator[T, None, None]:
    """What ``make`` gives for each step, in order, made up to two steps a worker ahead; close it to end the workers.

    Threads, not processes: numpy and torch release Python's lock where the time goes, nothing is copied, and nothing is
    left behind by a kill.
    """
    if not workers:
        yield from map(make, steps)
        return
    # The main thread's own number of threads is fixed by asking for it; the workers' is their own.
    torch.get_num_threads()
    pool = ThreadPoolExecutor(workers, "batches", initializer=torch.set_num_threads, initargs=(1,))
    try:
        waiting = deque(pool.submit(make, step) for step in steps[: 2 * workers])
        for step in range(steps.start, steps.stop):
            batch = waiting.popleft().result()
            if step + 2 * workers < steps.stop:
                waiting.append(pool.submit(make, step + 2 * workers))
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)
