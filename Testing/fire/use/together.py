"""Two Slicers and two commands on one computer at the same time, and a Slicer that is killed: none disturbs another."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from LiverLesionCascadeLib.engine.scan.image_io import read_image
from LiverLesionCascadeLib.sample import fetch_sample

from ..guard import Finding
from .load import Program
from .real_worker import SLICES

PANELS = COMMANDS = 2


def side_by_side() -> tuple[int, list[Finding]]:
    """How many programs ran at once, and what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "tmp").mkdir()
        own = {"TMPDIR": str(place / "tmp")}
        scan = place / "scan.nii"
        sample = read_image(fetch_sample(place).image)
        image = sitk.GetImageFromArray(np.asarray(sample.hu[SLICES]))
        image.SetSpacing(sample.geometry.spacing)
        sitk.WriteImage(image, str(scan))
        panel = ("-m", "fire.use.real_worker", place / "temporary")
        command = ("-m", "LiverLesionCascadeLib.cli", "segment", scan, "--device", "cpu", "-q", "-o")
        programs = {f"panel {n}": Program(*panel, place / f"panel{n}.npy", **own) for n in range(PANELS)}
        programs |= {f"command {n}": Program(*command, place / f"out{n}", **own) for n in range(COMMANDS)}
        # What a killed harness leaves is no matter; what the product leaves is in the folder that all panels share.
        (place / "killed").mkdir()
        killed = Program(*panel, place / "killed.npy", TMPDIR=str(place / "killed"))
        # Its worker is at work then, or about to begin; the others are, too.
        while killed.is_running and not list((place / "temporary").glob("*/run-1/volume.npy")):
            killed.wait(0.05)
        killed.kill()
        ends = {name: program.end() for name, program in programs.items()}
        found = [f"{name} ended with {code}: {line}" for name, (code, line) in ends.items() if code]
        last, _line = Program(*panel, place / "last.npy", **own).end()
        found += [f"the next Slicer ended with {last}"] if last else []
        found += [f"left behind: {path.name}" for path in [*place.glob("temporary/*"), *place.glob("tmp/*")]]
        if not found:
            lesions = {path.read_bytes() for path in place.glob("*.npy")}
            written = {(place / f"out{n}" / "segmentation.seg.nrrd").read_bytes() for n in range(COMMANDS)}
            found += [] if len(lesions) == len(written) == 1 else ["the results differ"]
        return len(programs) + 1, [Finding(number, what) for number, what in enumerate(found)]
