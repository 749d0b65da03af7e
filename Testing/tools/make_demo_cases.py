"""Cuts the sample CT into three parts, as if they were three patients: two to train on and one to validate with.

They are one patient's, so the figures of a training on them say nothing about new patients; they show that it works.

    python Testing/tools/make_demo_cases.py sample demo/cases
"""

import sys
from pathlib import Path

import SimpleITK as sitk

PARTS = {"1": "train", "2": "train", "3": "val"}


def main(sample: Path, folder: Path) -> None:
    for kind in ("volume", "segmentation"):
        image = sitk.ReadImage(str(sample / f"{kind}-117.nii.gz"))
        slices = image.GetDepth() // len(PARTS)
        for number, (name, split) in enumerate(PARTS.items()):
            (folder / split).mkdir(parents=True, exist_ok=True)
            part = image[:, :, number * slices : (number + 1) * slices]
            sitk.WriteImage(part, str(folder / split / f"{kind}-{name}.nii.gz"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
