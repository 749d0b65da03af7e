"""Cross-fitted priors: estimates for stage 2 made by networks that never saw the patient, as for a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from LiverLesionCascadeLib.engine.model.device import autocast
from torch import Tensor, nn

from ..datasets.npy_file import NpyWriter
from .augmentation import warp
from .slice_store import SliceStore, stored
from .validation import network_input

#: Slices whose maps are kept in memory before they are written, and that a network sees at once.
_CHUNK, BATCH = 64, 8


@torch.inference_mode()
def liver_maps(network: nn.Module, images: np.ndarray, device: torch.device) -> Tensor:
    """What a network of the liver pass makes of stored slices (n, canvas, canvas) uint8.

    Returns:
        (n, 2, canvas, canvas) probabilities of liver and lesion, on the CPU.
    """
    planes = torch.from_numpy(images[:, None].astype(np.float32) / 255)
    inputs = network_input(planes, image_thrice=True).to(device, memory_format=torch.channels_last)
    with autocast(device):
        return torch.sigmoid(network(inputs)).cpu()


@contextmanager
def priors_writer(folder: Path, size: int) -> Iterator[NpyWriter]:
    """Takes the priors of a store's slices (n, 2, size, size) uint8; ``priors.npy`` appears complete or not at all."""
    # Always one name: what a killed run has left, perhaps gigabytes, is written over by the next.
    partial = folder / "priors.partial.npy"
    try:
        with NpyWriter(partial, np.uint8, (2, size, size)) as writer:
            yield writer
        partial.replace(folder / "priors.npy")
    finally:
        partial.unlink(missing_ok=True)


@torch.inference_mode()
def write_priors(
    store: SliceStore,
    liver_store: SliceStore,
    networks: list[nn.Module],
    fold_of_patient: dict[str, int],
    folder: Path,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Runs each fold's network on the patients it was not trained on and stores the maps in the lesion pass's view.

    Args:
        store: Slices of the lesion pass, in ``folder``; ``priors.npy`` is written there.
        liver_store: Slices of the liver pass, for the same cases in the same order.
        networks: By fold, the network that was trained without the patients of that fold.
        fold_of_patient: Fold of each patient.
    """
    where = {(int(c), int(s)): i for i, (c, s) in enumerate(zip(liver_store.case, liver_store.slice, strict=True))}
    size = store.canvas // 2
    fold = np.asarray([fold_of_patient[store.patients[p]] for p in store.patient])

    def maps(part: np.ndarray, network: nn.Module) -> np.ndarray:
        """Maps (n, 2, size, size) uint8 of some slices of the lesion pass."""
        source = [where[i, z] for i, z in zip(store.case[part].tolist(), store.slice[part].tolist(), strict=True)]
        found = liver_maps(network, liver_store.images[source], device)
        matrices = torch.stack([store.views[i].sampling_matrix(liver_store.views[i]) for i in store.case[part]])
        return stored(warp(found, matrices, size))

    for network in networks:
        network.eval()
    # Chunk by chunk in the store's order, so that they go to the disk as they are made.
    with priors_writer(folder, size) as writer:
        for start in range(0, len(fold), _CHUNK):
            chunk = np.arange(start, min(start + _CHUNK, len(fold)))
            priors = np.empty((len(chunk), 2, size, size), np.uint8)
            for number, network in enumerate(networks):
                members = np.flatnonzero(fold[chunk] == number)
                for part in np.array_split(members, -(-len(members) // BATCH) or 1):
                    if len(part):
                        priors[part] = maps(chunk[part], network)
            writer.append(priors)
            if progress is not None:
                progress(int(chunk[-1]) + 1, len(fold))
