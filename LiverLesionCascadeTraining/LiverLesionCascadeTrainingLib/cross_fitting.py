"""Cross-fitted priors: estimates for stage 2 made by networks that never saw the patient (DESIGN section 3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from LiverLesionCascadeLib.engine.device import autocast
from torch import nn

from .augmentation import warp
from .slice_store import SliceStore
from .validation import network_input


@torch.inference_mode()
def write_priors(
    store: SliceStore,
    liver_store: SliceStore,
    networks: list[nn.Module],
    fold_of_patient: dict[str, int],
    folder: Path,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
    batch: int = 8,
) -> None:
    """Runs each fold's network on the patients it was not trained on and stores the maps in the lesion pass's view.

    Args:
        store: Slices of the lesion pass, in ``folder``; ``priors.npy`` is written there.
        liver_store: Slices of the liver pass, for the same cases.
        networks: By fold, the network that was trained without the patients of that fold.
        fold_of_patient: Fold of each patient.
    """
    where = {(int(c), int(s)): i for i, (c, s) in enumerate(zip(liver_store.case, liver_store.slice, strict=True))}
    size = store.canvas // 2
    priors = np.zeros((len(store.case), 2, size, size), np.uint8)
    fold = np.asarray([fold_of_patient[store.patients[p]] for p in store.patient])
    done = 0
    for number, network in enumerate(networks):
        network.eval()
        members = np.flatnonzero(fold == number)
        for start in range(0, len(members), batch):
            part = members[start : start + batch]
            liver_cases = [liver_store.names.index(store.names[i]) for i in store.case[part]]
            source = [where[i, z] for i, z in zip(liver_cases, store.slice[part].tolist(), strict=True)]
            images = torch.from_numpy(liver_store.images[source][:, None].astype(np.float32) / 255)
            inputs = network_input(images, image_thrice=True).to(device, memory_format=torch.channels_last)
            with autocast(device):
                maps = torch.sigmoid(network(inputs)).cpu()
            matrices = torch.stack(
                [
                    store.views[i].sampling_matrix(liver_store.views[j])
                    for i, j in zip(store.case[part], liver_cases, strict=True)
                ]
            )
            priors[part] = (warp(maps, matrices, size) * 255).round().to(torch.uint8).numpy()
            done += len(part)
            if progress is not None:
                progress(done, len(store.case))
    partial = folder / "priors.partial.npy"
    try:
        np.save(partial, priors)
        partial.replace(folder / "priors.npy")
    finally:
        partial.unlink(missing_ok=True)
