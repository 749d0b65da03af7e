"""Seconds per stage and peak memory of a segmentation, on this machine.

Three runs, each in a process of its own: the sample CT; a scan of 512 x 512 x 390 voxels with the shipped bundle; and
the same scan with networks of full width (Table 1, 124 M parameters each), whose weights are random: they cost what
trained ones would. Where the liver lies is then taken from the shipped bundle's networks, run beside them.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.model.device import precision
from LiverLesionCascadeLib.engine.model.network import CascadeResNet
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.scan.image_io import read_image
from LiverLesionCascadeLib.engine.segmenter import Segmenter
from LiverLesionCascadeLib.sample import fetch_sample
from torch import Tensor, nn

RUNS = ("sample", "large", "large-full-width")
LARGE_SHAPE, LARGE_SPACING = (390, 512, 512), (1.25, 0.78, 0.78)


class CostOfFullWidth(nn.Module):
    """Runs a network of full width for its cost and answers with a small one."""

    def __init__(self, small: CascadeResNet) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.large = CascadeResNet(width=1.0).placed(torch.device("cpu")).eval().requires_grad_(False)
        self.small = small
        self.width, self.blocks = 1.0, self.large.blocks

    def forward(self, x: Tensor) -> Tensor:
        self.large(x)
        return self.small(x)


def large_scan(sample: CTVolume) -> CTVolume:
    """The sample's liver in a scan of 512 x 512 x 390 voxels of 0.78 x 0.78 x 1.25 mm."""
    image = sitk.GetImageFromArray(sample.hu)
    image.SetSpacing(sample.spacing[::-1])
    grid = sitk.Image(LARGE_SHAPE[::-1], sitk.sitkInt16)
    grid.SetSpacing(LARGE_SPACING[::-1])
    centre = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    offset = [(n - 1) / 2 * s for n, s in zip(LARGE_SHAPE[::-1], LARGE_SPACING[::-1], strict=True)]
    grid.SetOrigin([c - o for c, o in zip(centre, offset, strict=True)])
    hu = sitk.GetArrayFromImage(sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, -1000.0))
    matrix = np.diag([*LARGE_SPACING[::-1], 1.0])
    return CTVolume.from_array(hu, matrix, "512 x 512 x 390")


def run(name: str, iterations: int | None) -> dict[str, object]:
    """One run in this process: seconds per stage, in all, and the peak memory in GB."""
    started = time.perf_counter()
    ct = read_image(fetch_sample(Path("sample")).image)
    if name != "sample":
        ct = large_scan(ct)
        started = time.perf_counter()
    bundle = ModelBundle.shipped()
    if iterations is not None:
        seen = replace(bundle.settings.lesion_pass, iterations=iterations)
        bundle.settings = replace(bundle.settings, lesion_pass=seen)
    segmenter = Segmenter(bundle, "cpu")
    if name == "large-full-width":
        segmenter._networks = {key: CostOfFullWidth(network) for key, network in segmenter._networks.items()}
        started = time.perf_counter()
    result = segmenter.segment(ct)
    seconds = time.perf_counter() - started
    # Kilobytes on Linux, bytes on macOS.
    unit = 1e9 if platform.system() == "Darwin" else 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return {
        "run": name,
        "seconds": seconds,
        "stages": result.timings,
        "peak_gb": peak,
        "precision": precision(segmenter.device),
        "threads": torch.get_num_threads(),
        "liver_ml": result.liver_volume_ml,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", choices=RUNS, action="append", help="only this run (may be repeated)")
    parser.add_argument("--iterations", type=int, help="runs of the lesion pass (default: as the bundle says)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of the table")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(run(arguments.run[0], arguments.iterations)))
        return 0
    if not arguments.json:
        print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}\n")
        print("| run | seconds | liver pass | lesion pass | measuring | peak memory | precision, threads |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for name in arguments.run or RUNS:
        command = [sys.executable, __file__, "--here", "--run", name]
        if arguments.iterations is not None:
            command += ["--iterations", str(arguments.iterations)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        if arguments.json:
            print(answer.strip(), flush=True)
            continue
        row = json.loads(answer)
        stages = " | ".join(
            f"{row['stages'].get(stage, 0):.1f}" for stage in ("liver pass", "lesion pass", "measuring")
        )
        print(
            f"| {name} | {row['seconds']:.1f} | {stages} | {row['peak_gb']:.2f} GB "
            f"| {row['precision']}, {row['threads']} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
