"""What refining adds to a person's correction.

    python Testing/benchmarks/benchmark_refine.py DATA     a folder in LiTS layout

Each scan is segmented with the shipped bundle. Wherever that result is wrong, one correction is simulated, always in
one slice and always of a real error, and the scan is refined from it alone:

* missed: a lesion of which less than a tenth was found is marked in its largest slice, by a disk of half its radius;
* false: an object that meets no lesion is erased in its largest slice (objects of one slice are gone by that and left
  out);
* boundary: where an object leaks out of its lesion, the largest leak in one slice is cut off.

Compared by Dice: the result unrefined, with the correction alone, and refined. "Local" is in a box around the object,
10 mm larger on every side; "case" is over the scan's lesions. Where a box holds no lesion at all, its Dice is 0 until
the last false voxel is gone; so the volume that is wrong in the scan (false and missed together) is given too.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

REPOSITORY = Path(__file__).resolve().parents[2]
for folder in ("LiverLesionCascade", "LiverLesionCascadeTraining"):
    sys.path.insert(0, str(REPOSITORY / folder))

import torch  # noqa: E402
from LiverLesionCascadeLib.engine.corrections.refine import Corrections  # noqa: E402
from LiverLesionCascadeLib.engine.grid.bounding_box import Box, bounding_box, joint_bounding_box  # noqa: E402
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle  # noqa: E402
from LiverLesionCascadeLib.engine.segmenter import Segmenter  # noqa: E402
from LiverLesionCascadeTrainingLib.datasets.cases import find_cases  # noqa: E402

KINDS = ("missed", "false", "boundary")
#: Lesions of fewer voxels, and leaks of a smaller area in mm^2, are nothing that a person would correct.
MIN_LESION_VOXELS, MIN_LEAK_MM2 = 4, 20.0
LOCAL_MARGIN_MM = 10.0
_NEIGHBOURS = np.ones((3, 3, 3), bool)
_IN_SLICE = np.zeros((3, 3, 3), bool)
_IN_SLICE[1] = ndimage.generate_binary_structure(2, 1)


@dataclass
class Correction:
    """A simulated correction; masks bool (slice, row, column).

    Attributes:
        painted, erased: What the person changed, in one slice.
        region: The object with the lesions it meets: where the local Dice is taken.
    """

    kind: str
    painted: np.ndarray
    erased: np.ndarray
    region: np.ndarray


@dataclass
class Row:
    """One correction's outcome."""

    case: str
    kind: str
    number: int
    object_ml: float
    local_unrefined: float
    local_correction: float
    local_refined: float
    case_unrefined: float
    case_correction: float
    case_refined: float
    wrong_ml_unrefined: float
    wrong_ml_correction: float
    wrong_ml_refined: float
    seconds: float


def _objects(mask: np.ndarray) -> Iterator[tuple[Box, np.ndarray]]:
    labels, _ = ndimage.label(mask, _NEIGHBOURS)
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        yield box, labels[box] == number


def _whole(part: np.ndarray, box: Box, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[box] = part
    return mask


def missed(found: np.ndarray, truth: np.ndarray, spacing: tuple[float, float, float]) -> Iterator[Correction]:
    for box, lesion in _objects(truth):
        voxels = np.count_nonzero(lesion)
        if voxels < MIN_LESION_VOXELS or np.count_nonzero(found[box] & lesion) >= 0.1 * voxels:
            continue
        z = int(lesion.sum(axis=(1, 2)).argmax())
        depth = ndimage.distance_transform_edt(np.pad(lesion[z], 1), sampling=spacing[1:])[1:-1, 1:-1]
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        rows, columns = np.indices(depth.shape)
        away = np.hypot((rows - row) * spacing[1], (columns - column) * spacing[2])
        mark = np.zeros_like(lesion)
        mark[z] = lesion[z] & (away <= depth.max() / 2)
        shape = truth.shape
        yield Correction("missed", _whole(mark, box, shape), np.zeros(shape, bool), _whole(lesion, box, shape))


def false(found: np.ndarray, truth: np.ndarray, spacing: tuple[float, float, float]) -> Iterator[Correction]:
    for box, thing in _objects(found):
        if len(thing) < 2 or np.any(truth[box] & thing):
            continue
        z = int(thing.sum(axis=(1, 2)).argmax())
        erased = np.zeros_like(thing)
        erased[z] = thing[z]
        shape = truth.shape
        yield Correction("false", np.zeros(shape, bool), _whole(erased, box, shape), _whole(thing, box, shape))


def boundary(found: np.ndarray, truth: np.ndarray, spacing: tuple[float, float, float]) -> Iterator[Correction]:
    lesions, _ = ndimage.label(truth, _NEIGHBOURS)
    for box, thing in _objects(found):
        if not np.any(truth[box] & thing):
            continue
        # A person cuts a bulge off, not the outermost row of pixels.
        leaks = ndimage.binary_opening(thing & ~truth[box], np.ones((1, 3, 3), bool))
        labels, _ = ndimage.label(leaks, _IN_SLICE)
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        if sizes.max(initial=0) * spacing[1] * spacing[2] < MIN_LEAK_MM2:
            continue
        erased = labels == sizes.argmax()
        met = np.unique(lesions[box][thing])
        shape = truth.shape
        region = _whole(thing, box, shape) | np.isin(lesions, met[met > 0])
        yield Correction("boundary", np.zeros(shape, bool), _whole(erased, box, shape), region)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else 1.0


def _grown_mm(box: Box, spacing: tuple[float, ...], margin_mm: float, shape: tuple[int, ...]) -> Box:
    steps = [int(np.ceil(margin_mm / step)) for step in spacing]
    return tuple(slice(max(0, s.start - n), min(m, s.stop + n)) for s, n, m in zip(box, steps, shape, strict=True))


def measure(folder: Path, names: list[str] | None) -> Iterator[Row]:
    segmenter = Segmenter(ModelBundle.shipped(), "cpu")
    for case in find_cases([folder]):
        if names and case.name not in names:
            continue
        ct, labels = case.read()
        truth = labels == 2
        result = segmenter.segment(ct)
        found, liver = result.lesions.full(ct.hu.shape) > 0, result.liver.full(ct.hu.shape)
        box = joint_bounding_box(found, liver, truth)
        if box is None:
            continue
        box = _grown_mm(box, ct.spacing, 5.0, truth.shape)
        before, whole_liver, true_lesions = found[box], liver[box], truth[box]
        nothing = np.zeros(before.shape, bool)
        for simulate in (missed, false, boundary):
            for number, correction in enumerate(simulate(before, true_lesions, ct.spacing), 1):
                alone = (before | correction.painted) & ~correction.erased
                corrections = Corrections(
                    start=tuple(s.start for s in box),
                    liver=whole_liver | correction.painted,
                    lesions=alone,
                    lesions_painted=correction.painted & ~before,
                    lesions_erased=correction.erased,
                    liver_painted=correction.painted & ~whole_liver,
                    liver_erased=nothing,
                    touched=correction.painted | correction.erased,
                )
                started = time.perf_counter()
                refined = segmenter.refine(ct, corrections).lesions
                seconds = time.perf_counter() - started
                region = bounding_box(correction.region)
                assert region is not None
                local = _grown_mm(region, ct.spacing, LOCAL_MARGIN_MM, before.shape)
                maps = before, alone, refined
                yield Row(
                    case.name,
                    correction.kind,
                    number,
                    np.count_nonzero(correction.region) * ct.geometry.voxel_volume_ml,
                    *(dice(each[local], true_lesions[local]) for each in maps),
                    *(dice(each, true_lesions) for each in maps),
                    *(np.count_nonzero(each ^ true_lesions) * ct.geometry.voxel_volume_ml for each in maps),
                    seconds,
                )


def _means(rows: list[Row], measure: str, digits: int) -> list[str]:
    names = [f"{measure}_{each}" for each in ("unrefined", "correction", "refined")]
    return [f"{np.mean([getattr(row, name) for row in rows]):.{digits}f}" for name in names]


def _gains(rows: list[Row], measure: str, sign: int) -> str:
    """In how many cases the refined result is better than both others, as good as the better one, or worse."""
    pairs = [
        [sign * getattr(row, f"{measure}_{each}") for each in ("unrefined", "correction", "refined")] for row in rows
    ]
    gains = [refined - max(unrefined, correction) for unrefined, correction, refined in pairs]
    return " / ".join(
        str(sum(test)) for test in zip(*((g > 1e-9, abs(g) <= 1e-9, g < -1e-9) for g in gains), strict=True)
    )


def table(rows: list[Row]) -> str:
    """Markdown: means per kind, and in how many single cases refining won or lost."""
    measures = (("local Dice", "local", 3, 1), ("case Dice", "case", 4, 1), ("wrong mL", "wrong_ml", 2, -1))
    head = ["correction", "n"]
    for title, *_ in measures:
        head += [f"{title}: unrefined", "correction alone", "refined", "better / same / worse"]
    lines = ["| " + " | ".join([*head, "seconds"]) + " |", "|---" * (len(head) + 1) + "|"]
    for kind in (*KINDS, "all"):
        chosen = [row for row in rows if kind in (row.kind, "all")]
        if not chosen:
            continue
        cells = [kind, str(len(chosen))]
        for _, measure, digits, sign in measures:
            cells += [*_means(chosen, measure, digits), _gains(chosen, measure, sign)]
        seconds = f"{np.mean([row.seconds for row in chosen]):.1f}"
        lines.append("| " + " | ".join([*cells, seconds]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder in LiTS layout")
    parser.add_argument("--case", action="append", help="only this case (may be repeated)")
    parser.add_argument("-o", "--output", type=Path, help="folder for refine.md and refine.csv")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = []
    for row in measure(arguments.data, arguments.case):
        rows.append(row)
        print(
            f"{row.case} {row.kind} {row.number}: local {row.local_unrefined:.3f} {row.local_correction:.3f} "
            f"{row.local_refined:.3f}, case {row.case_unrefined:.4f} {row.case_correction:.4f} {row.case_refined:.4f}",
            flush=True,
        )
    if not rows:
        sys.exit("error: there is nothing to correct in these cases")
    print(table(rows))
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / "refine.md").write_text(table(rows) + "\n", encoding="utf-8")
        with open(arguments.output / "refine.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(asdict(rows[0])))
            writer.writeheader()
            for row in rows:
                writer.writerow({k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(row).items()})


if __name__ == "__main__":
    main()
