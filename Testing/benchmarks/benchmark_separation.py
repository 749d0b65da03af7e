"""How well lesions that have grown together are told apart, on reference lesions of real patients.

python Testing/benchmarks/benchmark_separation.py shared/data/lits/train

*Pairs* of reference lesions of one scan are made to grow together by a closing in 3D: neighbours where they lie, and
two lesions of a scan moved together until 1 to 4 mm are between them, in a random direction. The closing's radius grows
until both hang together, and by up to 2 mm more. A pair is split *rightly* into two parts of which each overlaps its
lesion by more than half (IoU); *wrongly* into others; or *missed*.

*Single* lesions are the reference's components as they are (some of which have grown together in the reference), and
the same *lobulated*: three balls, of 0.3 to 0.6 of the lesion's radius, around voxels of its surface are added, and one
of 0.25 is taken away. Every one that is split is *cut*.

Lesions of 8 mm and more are used (diameter of a sphere of the volume) whose slices in the file are equally far apart in
the scan. Everything random comes from one seed.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK
from scipy import ndimage

REPOSITORY = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    import sys

    sys.path.insert(0, str(REPOSITORY / "LiverLesionCascade"))

from LiverLesionCascadeLib.engine.grid.bounding_box import Box, bounding_box, joint_bounding_box  # noqa: E402
from LiverLesionCascadeLib.engine.measures.lesion_parts import NECK, SMALLEST_PART_MM, LesionParts  # noqa: E402
from LiverLesionCascadeLib.engine.measures.lesions import border, label_lesions  # noqa: E402

NECKS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0)
SIZES_MM = (5.0, 7.0, 10.0)
LEAST_MM, LARGEST_SLICE_MM, NEIGHBOURS_MM, WIDEST_CLOSING_MM = 8.0, 6.0, 10.0, 12.0
MOVED_A_SCAN = 16

_26 = np.ones((3, 3, 3), bool)
Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class Single:
    """One reference lesion: bool (slice, row, column) in its box, which lies at `box` of the scan."""

    scan: str
    mask: np.ndarray
    spacing: Spacing
    box: Box
    diameter_mm: float


@dataclass(frozen=True)
class Pair:
    """Two lesions on one grid, and what they are grown together."""

    kind: str
    first: np.ndarray
    second: np.ndarray
    joined: np.ndarray
    spacing: Spacing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="segmentation-N.nii.gz, and dataset.json one folder above")
    folder = parser.parse_args().folder
    random = np.random.default_rng(0)
    singles, pairs = [], []
    for path in sorted(folder.glob("segmentation-*.nii.gz")):
        found = list(read_singles(path))
        singles += found
        pairs += [*neighbours(found), *moved_together(found, random)]
    lobulated = [lobulated_one(each, random) for each in singles]
    print(f"{len(singles)} lesions of {len({each.scan for each in singles})} scans, {len(pairs)} pairs")
    print("| neck | smallest, mm | neighbours: right | wrong | missed | moved: right | wrong | missed "
          "| singles cut | lobulated cut |")  # fmt: skip
    print("|" + " ---: |" * 10)
    for smallest in SIZES_MM:
        ready = [(pair, LesionParts.of(pair.joined, pair.spacing, smallest_mm=smallest)) for pair in pairs]
        alone = [
            [
                LesionParts.of(mask, each.spacing, smallest_mm=smallest)
                for mask, each in zip(masks, singles, strict=True)
            ]
            for masks in ([each.mask for each in singles], lobulated)
        ]
        for neck in NECKS:
            cells = []
            for kind in ("neighbours", "moved"):
                outcomes = [outcome(pair, parts, neck) for pair, parts in ready if pair.kind == kind]
                cells += [share([each == what for each in outcomes]) for what in ("right", "wrong", "missed")]
            cells += [share([parts.count(neck) > parts.fewest for parts in group]) for group in alone]
            mark = " (used)" if (neck, smallest) == (NECK, SMALLEST_PART_MM) else ""
            print(f"| {neck}{mark} | {smallest:g} | {' | '.join(cells)} |", flush=True)


def outcome(pair: Pair, parts: LesionParts, neck: float) -> str:
    count = parts.count(neck)
    if count < 2:
        return "missed"
    labels = parts.parts(count)
    best = [max((iou(labels == n, mask), n) for n in range(1, count + 1)) for mask in (pair.first, pair.second)]
    right = count == 2 and best[0][1] != best[1][1] and min(best)[0] > 0.5
    return "right" if right else "wrong"


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.count_nonzero(a & b) / np.count_nonzero(a | b))


def share(those: list[bool]) -> str:
    return f"{sum(those)} of {len(those)} ({np.mean(those):.0%})" if those else "-"


def read_singles(path: Path) -> Iterator[Single]:
    """The reference lesions of a scan that can be used."""
    number = path.name.removeprefix("segmentation-").removesuffix(".nii.gz")
    known = json.loads((path.parents[1] / "dataset.json").read_text())[number]
    image = SimpleITK.ReadImage(str(path))
    lesions = label_lesions(SimpleITK.GetArrayFromImage(image) == 2)
    column_mm, row_mm, source_mm = image.GetSpacing()
    source = np.array(known.get("source_slice_index", range(len(lesions))))
    for label, box in enumerate(ndimage.find_objects(lesions), start=1):
        steps = np.unique(np.diff(source[max(0, box[0].start - 1) : box[0].stop]))
        if len(steps) != 1 or steps[0] * source_mm > LARGEST_SLICE_MM:
            continue
        spacing = (float(steps[0] * source_mm), row_mm, column_mm)
        mask = lesions[box] == label
        diameter = float(np.cbrt(6.0 / np.pi * np.count_nonzero(mask) * np.prod(spacing)))
        if diameter >= LEAST_MM:
            yield Single(number, mask, spacing, box, diameter)


def neighbours(singles: list[Single]) -> Iterator[Pair]:
    for index, one in enumerate(singles):
        for other in singles[:index]:
            if one.spacing != other.spacing:
                continue
            start = np.array([min(a.start, b.start) for a, b in zip(one.box, other.box, strict=True)])
            stop = np.array([max(a.stop, b.stop) for a, b in zip(one.box, other.box, strict=True)])
            masks = []
            for each in (one, other):
                grid = np.zeros(stop - start, bool)
                grid[tuple(slice(s.start - o, s.stop - o) for s, o in zip(each.box, start, strict=True))] = each.mask
                masks.append(grid)
            gap = ndimage.distance_transform_edt(~masks[0], sampling=one.spacing)[masks[1]].min()
            if gap <= NEIGHBOURS_MM:
                for more in (0.0, 1.0, 2.0):
                    yield from grown_together("neighbours", *masks, one.spacing, more)


def moved_together(singles: list[Single], random: np.random.Generator) -> Iterator[Pair]:
    for _ in range(min(MOVED_A_SCAN, 4 * len(singles)) if len(singles) > 1 else 0):
        one, other = (singles[index] for index in random.choice(len(singles), 2, replace=False))
        direction = random.normal(size=3)
        direction /= np.linalg.norm(direction)
        wanted, more = random.uniform(1.0, 4.0), random.choice([0.0, 0.5, 1.0, 2.0])
        if one.spacing != other.spacing:
            continue
        spacing = np.array(one.spacing)
        size = np.array(one.mask.shape) + 2 * np.array(other.mask.shape) + np.ceil(10.0 / spacing).astype(int)
        first = np.zeros(size, bool)
        first[_at((size - one.mask.shape) // 2, one.mask)] = one.mask
        distance = ndimage.distance_transform_edt(~first, sampling=one.spacing)
        for step in np.arange(0.0, 100.0, 0.5):
            corner = np.round((size - other.mask.shape) / 2 + direction * step / spacing).astype(int)
            if (corner < 0).any() or (corner + other.mask.shape > size).any():
                break
            place = _at(corner, other.mask)
            if distance[place][other.mask].min() >= wanted:
                second = np.zeros(size, bool)
                second[place] = other.mask
                box = joint_bounding_box(first, second)
                yield from grown_together("moved", first[box], second[box], one.spacing, more)
                break


def grown_together(kind: str, first: np.ndarray, second: np.ndarray, spacing: Spacing, more: float) -> Iterator[Pair]:
    """The pair after the closing that just joins it, made `more` mm wider; none where no closing joins it."""
    both = first | second
    radius = next((r for r in np.arange(0.5, WIDEST_CLOSING_MM, 0.5) if _connected(closed(both, spacing, r))), None)
    if radius is not None:
        joined = closed(both, spacing, radius + more)
        if _connected(joined):
            yield Pair(kind, first, second, joined, spacing)


def closed(mask: np.ndarray, spacing: Spacing, radius: float) -> np.ndarray:
    """A closing by a ball; `radius` in mm."""
    margin = [int(np.ceil(radius / mm)) + 1 for mm in spacing]
    padded = np.pad(mask, [(n, n) for n in margin])
    dilated = ndimage.distance_transform_edt(~padded, sampling=spacing) <= radius
    eroded = ndimage.distance_transform_edt(dilated, sampling=spacing) > radius
    return mask | eroded[tuple(slice(n, -n) for n in margin)]


def lobulated_one(single: Single, random: np.random.Generator) -> np.ndarray:
    radius = single.diameter_mm / 2
    mask = np.pad(single.mask, [(n, n) for n in (np.ceil(0.6 * radius / np.array(single.spacing)).astype(int) + 1)])
    surface = np.argwhere(border(mask))
    places = surface[random.choice(len(surface), 4)]
    shape = mask.copy()
    for place, size in zip(places, [*random.uniform(0.3, 0.6, 3), 0.25], strict=True):
        axes = ((np.arange(n) - p) * mm for n, p, mm in zip(mask.shape, place, single.spacing, strict=True))
        ball = sum(axis**2 for axis in np.ix_(*axes)) <= (size * radius) ** 2
        shape = shape & ~ball if size == 0.25 else shape | ball
    return shape[bounding_box(shape)] if shape.any() else single.mask


def _connected(mask: np.ndarray) -> bool:
    return ndimage.label(mask, _26)[1] == 1


def _at(corner: np.ndarray, mask: np.ndarray) -> Box:
    return tuple(slice(int(c), int(c) + n) for c, n in zip(corner, mask.shape, strict=True))


if __name__ == "__main__":
    main()
