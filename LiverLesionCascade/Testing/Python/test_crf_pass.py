"""The field of a scan's box: where its voxels are in mm, and what a device without memory is said to lack."""

import numpy as np
import pytest
import torch
from LiverLesionCascadeLib.engine.errors import DeviceError
from LiverLesionCascadeLib.engine.model.view import View
from LiverLesionCascadeLib.engine.passes import crf_pass
from LiverLesionCascadeLib.engine.progress import Progress
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

HU = np.full((6, 40, 50), 80, np.int16)
HU[0] = -100
CT = CTVolume.from_array(HU, np.diag([0.8, 1.1, 2.5, 1.0]), "scan")
BOX = View(5, 10, 20, 32, (40, 16))
SLICES = [1, 2, 4]


def field_of(monkeypatch, compute):
    monkeypatch.setattr(crf_pass, "dense_crf", compute)
    maps = torch.full((3, 2, 40, 16), 0.5)
    return crf_pass.run_crf_pass(maps, CT, BOX, SLICES, (0.0, 160.0), torch.device("cpu"), Progress(None, None))


def test_the_voxels_of_the_box_are_as_far_apart_as_in_the_patient(monkeypatch):
    volume = field_of(monkeypatch, lambda maps, volume, **_: volume)
    assert volume.image.shape == (3, 40, 16) and (volume.image == 0.5).all()
    assert volume.z_mm.tolist() == [2.5, 5.0, 10.0]
    assert volume.pixel_mm == pytest.approx((1.1 * 20 / 40, 0.8 * 32 / 16))


def test_memory_that_runs_out_is_said_with_what_to_do(monkeypatch):
    def full(*_, **__):
        raise RuntimeError(
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8000000000 bytes. Error code 12"
        )

    with pytest.raises(DeviceError, match="computer ran out of memory in the 3D-CRF.*switch the CRF off"):
        field_of(monkeypatch, full)
