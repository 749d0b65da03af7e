"""Denormal numbers while training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Takes denormal numbers for zero: weights that decay towards zero would slow a processor down many times.

    Only while networks are trained: scipy's trees, by which distances are measured, recurse until they crash then.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
